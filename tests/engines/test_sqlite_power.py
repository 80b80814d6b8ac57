"""Loss of power at random instants, below the writer: what was acknowledged comes through, and nothing by half.

CASEMATE_POWER_TRIALS sets how often (25 where it does not say).
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import apsw
import pytest

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import Damaged, Unavailable
from casemate.store import Batch, check
from tests.contracts.stores import entry, put
from tests.engines.power import Disk, LossyVfs, salvage

TRIALS = int(os.environ.get("CASEMATE_POWER_TRIALS", "25"))


async def clients(writer: SqliteWriter, chance: random.Random, acknowledged: list[str]) -> None:
    """Six clients that write rows of all sizes, each with its entry, and note what was acknowledged."""

    async def client(number: int) -> None:
        for turn in range(12):
            name = f"{number}_{turn}"
            row = put(name, sealed=chance.randbytes(chance.randint(10, 3000)))
            await writer.commit(Batch(domain=f"class_{number % 2}", key=name, puts=[row], entries=[entry(name)]))
            acknowledged.append(name)

    await asyncio.gather(*(client(number) for number in range(6)))


def promised_and_found(
    seed: int, durable: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[set[str], set[str]]:
    """What was acknowledged when the power went, and what the wreck still holds."""
    chance = random.Random(seed)
    acknowledged: list[str] = []
    disk = Disk(chance.randint(40, 500), random.Random(seed), lambda: acknowledged)
    vfs = LossyVfs(f"lossy{seed}{durable}", disk)
    connection = apsw.Connection

    def connect(path: str) -> Any:
        db = connection(path, vfs=f"lossy{seed}{durable}")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # such a layer has no shared memory
        db.execute("PRAGMA wal_autocheckpoint = 20")
        return db

    with monkeypatch.context() as patched:
        patched.setattr(apsw, "Connection", connect)
        (folder / "before").mkdir(parents=True)
        writer = SqliteWriter(folder / "before" / "records.db", Limits(low_water=0, ballast=0), durable)
    for name in list(disk.cached):  # the trial begins with an empty store that is on the disk
        disk.sync(name)
    asyncio.run(clients(writer, chance, acknowledged))
    disk.fail()
    writer.close()
    del vfs
    salvage(disk, folder / "after")
    return set(disk.promised), found(folder / "after" / "records.db", durable)


def found(path: Path, durable: bool) -> set[str]:
    SqliteWriter(path, Limits(low_water=0, ballast=0), durable).close()  # as a restarted region opens it
    reader = SqliteReader(path)
    rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
    entries = reader.entries("class_a", 0, 1 << 40)
    reader.close()
    names = {check(row).id for row in rows}
    assert names == {each.id for each in entries}
    assert [each.seq for each in entries] == list(range(len(entries)))
    return names


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promised = 0
    for seed in range(TRIALS):
        acknowledged, kept = promised_and_found(seed, True, tmp_path / str(seed), monkeypatch)
        promised += len(acknowledged)
        assert acknowledged <= kept
    assert promised > 0


def test_the_trial_can_tell_a_store_that_does_not_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = 0
    for seed in range(5):
        try:
            acknowledged, kept = promised_and_found(seed, False, tmp_path / str(seed), monkeypatch)
        except (Damaged, Unavailable, AssertionError):  # torn beyond opening, or holding half a batch
            lost += 1
        else:
            lost += bool(acknowledged - kept)
    assert lost == 5
