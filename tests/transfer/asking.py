"""One request with somebody's key, from inside the namespace in which a region answers.

python -m tests.transfer.asking < request.json > answer.json
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from casemate.cli.client import remote

__all__: list[str] = []


def main() -> None:
    asked = json.load(sys.stdin)
    client = remote(asked["url"], asked["key"], print_nothing)
    if asked["into"]:
        with Path(asked["into"]).open("xb") as file:

            def keep(piece: bytes) -> None:
                file.write(piece)

            client.into(asked["path"], keep, asked["acting"])
        print(json.dumps({"status": 200, "data": None}))
        return
    body = base64.b64decode(asked["raw"]) if asked["raw"] else asked["body"]
    answer = client.raw(asked["method"], asked["path"], body, asked["acting"], asked["query"])
    print(json.dumps({"status": answer.status, "data": answer.data}))


def print_nothing(marking: str) -> None:
    """Whoever asks reads the whole answer."""
    del marking


if __name__ == "__main__":
    main()
