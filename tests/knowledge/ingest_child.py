"""A process that reads what is held, over and over, until it is killed: `ingest_child.py FOLDER SEED`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from casemate.clock import ManualClock
from casemate.ids import SystemEntropy
from casemate.wiring import Folder, open_house
from tests.laws.world import PlainExtractor


async def main(folder: Path) -> None:
    house = await open_house(
        Folder(folder), "all", ManualClock(), SystemEntropy(), durable=True, extractor=PlainExtractor()
    )
    loops = {loop.name: loop for loop in house.loops}
    print("reading", flush=True)
    while True:
        for name in ("knowledge.ingest", "knowledge.compact", "knowledge.forget"):
            await loops[name].step()
        print("round", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
