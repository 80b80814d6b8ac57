"""A disk that refuses: the n-th write, the n-th sync, and bits that turn over while nobody looks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw
import pytest

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_check import check_pages
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import CasemateError, Damaged, Unavailable
from casemate.store import check
from tests.contracts.stores import entry, put
from tests.faults.powerloss import LIMITS, batch, held
from tests.laws.long import leave

FLIPS, TENTH = 300, 30
SEALED = {f"doc_{number:03}": random.Random(number).randbytes(400) for number in range(200)}


class Failing(apsw.VFS):
    """From the n-th write or sync on every one of them fails; reads and the other kind go on."""

    def __init__(self, name: str, what: str, at: int) -> None:
        self.left = Counter({what: at})
        self.failed = 0
        super().__init__(name, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        return FailingFile(self, name, flags)

    def tried(self, what: str, code: int) -> None:
        if what in self.left:
            self.left[what] -= 1
            if self.left[what] < 0:
                self.failed += 1
                raise apsw.exception_for(code)


class FailingFile(apsw.VFSFile):
    def __init__(self, disk: Failing, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.tried("write", apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.tried("sync", apsw.SQLITE_IOERR_FSYNC)


def tried(folder: Path, what: str, at: int) -> tuple[list[str], list[str], int]:
    """What was acknowledged on a disk that fails from then on, what `lost` was told, and how often it was tried."""
    folder.mkdir()
    disk, connection = Failing(f"failing-{what}-{at}", what, 1 << 40), apsw.Connection
    chance, promised, lost = random.Random(at), list[str](), list[str]()

    def connect(path: str) -> Any:
        db = connection(path, vfs=f"failing-{what}-{at}")
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # such a layer has no shared memory
        return db

    with patch.object(apsw, "Connection", connect):
        writer = SqliteWriter(folder / "records.db", Limits(low_water=0, ballast=0, checkpoint=20), lost=lost.append)
    disk.left[what] = at

    async def all_of_them() -> None:
        for number in range(30):
            known = bool(lost)
            try:
                await writer.commit(batch(f"0_{number}", chance))
            except Unavailable:
                assert writer.broken
                continue
            assert not known, "nobody is promised anything after a sync that failed"
            promised.append(f"0_{number}")

    asyncio.run(all_of_them())
    failed = disk.failed
    disk.left.clear()  # the disk is changed, and the region starts on what was there
    writer.close()
    return promised, lost, failed


@pytest.mark.parametrize("what", ["write", "sync"])
def test_a_disk_that_fails_from_the_nth_on(what: str, tmp_path: Path) -> None:
    """What was acknowledged is there after a restart; a sync is not tried again, and is told before anything else."""
    for at in range(24):
        promised, lost, failed = tried(tmp_path / f"{at}", what, at)
        assert failed
        if what == "sync":
            assert lost == ["records.db"]
        else:
            assert lost == []
        SqliteWriter(tmp_path / f"{at}" / "records.db", LIMITS).close()
        rows, entries = held(tmp_path / f"{at}" / "records.db")
        assert set(promised) <= set(rows)
        assert set(rows) == set(entries)


def flipped(folder: Path, count: int, seed: int) -> tuple[int, int]:
    """How many of so many flipped bits a reader met, and how many the check found; nothing false is ever served."""
    path = folder / "records.db"
    writer = SqliteWriter(path, LIMITS, durable=False)
    rows = [put(name, sealed=sealed) for name, sealed in SEALED.items()]

    async def fill() -> None:
        for at in range(0, len(rows), 20):
            several = rows[at : at + 20]
            made = batch(f"0_{at}", random.Random(at))
            await writer.commit(type(made)("class_a", f"k{at}", several, entries=[entry(f"e{at}")]))

    asyncio.run(fill())
    writer.close()
    assert check_pages(path) > 0
    whole, chance, met, found = path.read_bytes(), random.Random(seed), 0, 0
    for _ in range(count):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        met += served(path)
        with pytest.raises(CasemateError):
            check_pages(path)
        found += 1
    return met, found


def served(path: Path) -> bool:
    """Whether reading all of it meets damage. Raises AssertionError where a changed byte is served."""
    try:
        reader = SqliteReader(path)
    except CasemateError:
        return True
    met = False
    try:
        rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
        for row in rows:
            try:
                assert SEALED[check(row).id] == row.sealed
            except Damaged:
                met = True
        met = met or len(rows) != len(SEALED)
    except CasemateError:
        met = True
    finally:
        reader.close()
    return met


def test_flipped_bits_of_the_records_are_found_and_none_is_served(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    met, found = flipped(tmp_path, TENTH, seed)
    print(f"\nflipped bits: {TENTH} of {FLIPS}, seed {seed}: {met} met by readers, {found} found by the check")


@pytest.mark.long
def test_300_flipped_bits_of_the_records_are_found_and_none_is_served(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    met, found = flipped(tmp_path, FLIPS, seed)
    assert found == FLIPS
    leave("store_flipped_records", flips=FLIPS, met=met, found=found, served=0, seed=seed)
