"""A process that writes to PostgreSQL until it is killed, and says on its standard output what was acknowledged.

Run as `python postgres_child.py HOST DBNAME ROUND`: 16 clients, each batch a row and an entry of one name, under a key;
what nobody knows the end of is sent again under the same key.
"""

from __future__ import annotations

import asyncio
import os
import sys

from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_link import Target
from casemate.errors import Unavailable
from casemate.ledger import leaf_hash
from casemate.store import Batch, EntryRow, Receipt, RowPut, put_digest


async def again(writer: PostgresWriter, batch: Batch) -> Receipt:
    while True:
        try:
            return await writer.commit(batch)
        except Unavailable:
            await asyncio.sleep(0.02)


async def client(writer: PostgresWriter, round_: str, number: int) -> None:
    for turn in range(1_000_000):
        name = f"{round_}_{number}_{turn}"
        sealed = name.encode() * 20
        row = RowPut("class_a", "document", name, sealed, put_digest("class_a", "document", name, sealed))
        said = EntryRow("class_a", name, leaf_hash(name.encode()), b"sealed", name.encode(), 5)
        await again(writer, Batch(domain=f"class_{number % 3}", key=name, puts=[row], entries=[said]))
        os.write(1, f"{name}\n".encode())


async def main() -> None:
    host, dbname, round_ = sys.argv[1:]
    writer = PostgresWriter(Target(host, 5432, dbname, "casemate", "casemate_reader", seconds=1.0))
    await asyncio.gather(*(client(writer, round_, number) for number in range(16)))


asyncio.run(main())
