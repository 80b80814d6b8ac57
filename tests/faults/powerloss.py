"""The power goes while the region's own writer writes: what was acknowledged, and what the wreck still holds.

Below SQLite lies `tests.engines.power`, which knows what was synced. `drop`: nothing unsynced comes through; `torn`:
each unsynced write survives, is lost, or is torn at a 512-byte sector, by a seeded draw. In a third of the trials
checkpoints come often, so that the power goes in the middle of them too. The wreck is opened as a restarted region
opens it, and every key is sent again.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import apsw

from casemate.engines import sqlite_schema
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.store import Batch, Receipt, check
from tests.contracts.stores import entry, put
from tests.engines.power import Disk, LossyVfs, salvage

Mode = Literal["drop", "torn"]
Synchronous = Literal["FULL", "NORMAL"]
LIMITS = Limits(low_water=0, ballast=0)
CHECKPOINTS = (40, 400, 1000)  # pages; the first comes every few groups
CLIENTS, TURNS = 6, 12


class Dropped(Disk):
    """Whatever was not synced is gone."""

    def _through(self, name: str) -> bytes:
        return bytes(self.synced.get(name, b""))


@dataclass(frozen=True)
class Trial:
    """`lost`: acknowledged and gone. `halves`: rows without their entry, or the other way round. `doubled`: keys that
    were taken a second time; `moved`: keys whose second receipt was another."""

    promised: int
    lost: int
    halves: int
    doubled: int
    moved: int

    @property
    def holds(self) -> bool:
        return self.lost == self.halves == self.doubled == self.moved == 0


def batch(name: str, chance: random.Random) -> Batch:
    """A row, its entry and its key, all of one name."""
    row = put(name, sealed=random.Random(name).randbytes(chance.randint(10, 3000)))
    return Batch(domain=f"class_{int(name[0]) % 2}", key=name, puts=[row], entries=[entry(name)])


async def clients(writer: SqliteWriter, chance: random.Random, promised: list[str], given: dict[str, Receipt]) -> None:
    async def client(number: int) -> None:
        for turn in range(TURNS):
            name = f"{number}_{turn}"
            given[name] = await writer.commit(batch(name, chance))
            promised.append(name)

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


def trial(seed: int, folder: Path, mode: Mode, synchronous: Synchronous = "FULL") -> Trial:
    """One region from its first batch to its restart."""
    chance, promised, given = random.Random(seed), list[str](), dict[str, Receipt]()
    kind = Dropped if mode == "drop" else Disk
    disk = kind(chance.randint(40, 500), random.Random(seed), lambda: promised)
    name = f"lossy-{mode}-{synchronous}-{seed}"
    vfs, connection, demand = LossyVfs(name, disk), apsw.Connection, sqlite_schema._demand

    def connect(path: str) -> Any:
        db = connection(path, vfs=name)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # such a layer has no shared memory
        return db

    def demanded(db: Any, pragma: str, value: str, read_back: str | int) -> None:
        weak = pragma == "synchronous" and synchronous == "NORMAL"
        demand(db, pragma, *(("NORMAL", 1) if weak else (value, read_back)))

    (folder / "before").mkdir(parents=True)
    with patch.object(apsw, "Connection", connect), patch.object(sqlite_schema, "_demand", demanded):
        limits = Limits(low_water=0, ballast=0, checkpoint=chance.choice(CHECKPOINTS))
        writer = SqliteWriter(folder / "before" / "records.db", limits)
    for made in list(disk.cached):  # the trial begins with an empty store that is on the disk
        disk.sync(made)
    asyncio.run(clients(writer, chance, promised, given))
    disk.fail()
    writer.close()
    del vfs
    salvage(disk, folder / "after")
    return judged(folder / "after" / "records.db", disk.promised, given)


def judged(path: Path, promised: list[str], given: dict[str, Receipt]) -> Trial:
    """What the wreck says, and what it answers to the keys of what was promised."""
    writer = SqliteWriter(path, LIMITS)
    try:
        rows, entries = held(path)
        again = asyncio.run(asked_again(writer, promised))
        after = held(path)
    finally:
        writer.close()
    same = [seen == given[name] for name, seen in again.items() if name in rows]
    return Trial(
        promised=len(promised),
        lost=len(set(promised) - set(rows)),
        halves=len(set(rows) ^ set(entries)),
        doubled=sum(len(each) != len(set(each)) for each in after),
        moved=same.count(False),
    )


def held(path: Path) -> tuple[list[str], list[str]]:
    """The names of rows and of entries; every row passes its check and no sequence has a hole."""
    reader = SqliteReader(path)
    rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
    entries = reader.entries("class_a", 0, 1 << 40)
    reader.close()
    assert [each.seq for each in entries] == list(range(len(entries)))
    return [check(row).id for row in rows], [each.id for each in entries]


async def asked_again(writer: SqliteWriter, names: list[str]) -> dict[str, Receipt]:
    """The same keys sent again, as clients do who heard nothing: receipts, without the word that they are old."""
    found = await asyncio.gather(*(writer.commit(batch(name, random.Random(1))) for name in names))
    return {name: Receipt(each.entries, each.versions) for name, each in zip(names, found, strict=True)}
