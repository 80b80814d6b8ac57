"""A process that writes and makes backups, or restores one, until it is killed.

python -m tests.engines.backup_child run FOLDER KEY TURN      prints `key` after each acknowledged commit
python -m tests.engines.backup_child restore FOLDER KEY INTO
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from casemate.crypto import Keeper
from tests.engines.backing import Place, batch


async def _run(place: Place, turn: str) -> None:
    writer, shipper = place.open(checkpoint=15, every=0.02)
    print("open", flush=True)

    async def increments() -> None:
        while True:
            await asyncio.to_thread(shipper.run)

    running = asyncio.create_task(increments())
    for number in range(100_000):
        place.blob(f"{turn}-{number % 50}", f"{turn} {number}".encode() * 50)
        await writer.commit(batch(f"{turn}-{number}", 3))
        print(f"{turn}-{number}", flush=True)
    await running


def main() -> None:
    """The process's entry."""
    what, folder, key, last = sys.argv[1:]
    place = Place(Path(folder), Keeper(bytes.fromhex(key)))
    if what == "run":
        asyncio.run(_run(place, last))
        return
    print("open", flush=True)
    place.back(last)
    print("done", flush=True)


if __name__ == "__main__":
    main()
