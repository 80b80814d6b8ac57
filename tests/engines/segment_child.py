"""A process with a journal, a sequencer and a writer that works until it is killed, and says what was durable.

Run as `python segment_child.py FOLDER ROUND`: eight clients, each with entries in one of two logs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from casemate.engines.segment import SegmentJournal, SegmentLimits
from casemate.engines.segment_fold import Sequencer
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.ledger import leaf_hash
from casemate.store import ClassRow, EntryRow


async def client(journal: SegmentJournal, round_: str, number: int) -> None:
    log = f"class_{number % 2}"
    for turn in range(1_000_000):
        name = f"{round_}_{number}_{turn:06d}"
        row = EntryRow(log, name, leaf_hash(name.encode()), b"sealed" * 20, b"said" * (turn % 50))
        await journal.append(row, ClassRow(log, b"label"), log)
        os.write(1, f"{name}\n".encode())


async def main() -> None:
    folder = Path(sys.argv[1])
    writer = SqliteWriter(folder / "records.db", Limits(low_water=0, ballast=0))
    sequencer = Sequencer(folder / "segments", writer, SqliteReader(folder / "records.db").marks)
    await sequencer.start()
    journal = SegmentJournal(folder / "segments", sequencer.fold, SegmentLimits(size=20_000))

    async def folding() -> None:
        while True:
            await sequencer.fold()
            await asyncio.sleep(0)

    await asyncio.gather(folding(), *(client(journal, sys.argv[2], number) for number in range(8)))


asyncio.run(main())
