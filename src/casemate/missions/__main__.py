"""`python -m casemate.missions describe|need|run NAME [--in FOLDER] [--out FOLDER] [--marking TEXT]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from casemate.errors import BadInput
from casemate.missions.program import describe, need, run


def main(arguments: list[str] | None = None) -> int:
    """Exit 0, or 2 where what was asked for is wrong, which stands on the error stream."""
    asked = argparse.ArgumentParser(prog="python -m casemate.missions", description="The program that missions share.")
    asked.add_argument("verb", choices=("describe", "need", "run"))
    asked.add_argument("name", help="an entry point of the group casemate.missions, or MODULE:NAME")
    asked.add_argument("--in", dest="folder", type=Path, default=Path(os.environ.get("CASEMATE_IN", "/in")))
    asked.add_argument("--out", type=Path, default=Path(os.environ.get("CASEMATE_OUT", "/out")))
    asked.add_argument("--marking", default="", help="also write report.html, with this above and below")
    given = asked.parse_args(arguments)
    try:
        if given.verb == "describe":
            told = describe(given.name)
        elif given.verb == "need":
            told = dict(need(given.name, given.folder))
        else:
            told = run(given.name, given.folder, given.out, marking=given.marking)
            told = {"digest": told["digest"], "asked": told["asked"], "figures": told["figures"]}
    except BadInput as wrong:
        print(wrong.facts["what"], file=sys.stderr)
        return 2
    print(json.dumps(told, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
