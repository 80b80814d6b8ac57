"""A process that writes until it is killed, and says on its standard output what was acknowledged.

Run as `python writer_child.py FOLDER ROUND`: 16 clients, each batch a row and an entry of one name.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.ledger import leaf_hash
from casemate.store import Batch, EntryRow, RowPut, put_digest


async def client(writer: SqliteWriter, round_: str, number: int) -> None:
    for turn in range(1_000_000):
        name = f"{round_}_{number}_{turn}"
        sealed = name.encode() * 20
        row = RowPut("class_a", "document", name, sealed, put_digest("class_a", "document", name, sealed))
        await writer.commit(
            Batch(
                domain=f"class_{number % 3}",
                key=name,
                puts=[row],
                entries=[EntryRow("class_a", name, leaf_hash(name.encode()), b"sealed")],
            )
        )
        os.write(1, f"{name}\n".encode())


async def main() -> None:
    writer = SqliteWriter(Path(sys.argv[1]) / "records.db", Limits(low_water=0, ballast=0))
    await asyncio.gather(*(client(writer, sys.argv[2], number) for number in range(16)))


asyncio.run(main())
