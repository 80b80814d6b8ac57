"""Bytes of the store's file changed on the disk: the reader or the row's digest says so; nothing false is served."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import apsw
import pytest

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import Damaged, Unavailable
from casemate.store import check
from tests.contracts.stores import put, puts

SEALED = {f"doc_{number:02}": f"sealed content of row {number:02}".encode() * 3 for number in range(20)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "records.db"
    writer = SqliteWriter(path, Limits(low_water=0, ballast=0), durable=False)
    asyncio.run(writer.commit(puts(*(put(name, sealed=sealed) for name, sealed in SEALED.items()))))
    writer.close()
    assert not path.with_name("records.db-wal").exists()
    return path


def flip(path: Path, place: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def served(path: Path) -> dict[str, bytes]:
    """What a caller would be given: rows that passed their check."""
    reader = SqliteReader(path)
    try:
        rows, _ = reader.scan("document", [], ["class_a"], None, 100)
        return {check(row).id: row.sealed for row in rows}
    finally:
        reader.close()


def test_every_byte_of_a_rows_sealed_content_is_watched(file: Path) -> None:
    start = file.read_bytes().index(SEALED["doc_07"])
    for place in range(start, start + len(SEALED["doc_07"])):
        flip(file, place, place % 8)
        with pytest.raises(Damaged):
            served(file)
        flip(file, place, place % 8)
    assert served(file) == SEALED


def test_a_bit_flipped_anywhere_never_changes_what_is_served(file: Path) -> None:
    chance = random.Random(20)
    whole = file.read_bytes()
    told = 0
    for _ in range(300):
        flip(file, chance.randrange(len(whole)), chance.randrange(8))
        try:
            found = served(file)
        except (Damaged, Unavailable):
            told += 1
        else:
            assert all(SEALED[name] == sealed for name, sealed in found.items())
        file.write_bytes(whole)
    assert told > 0


def test_text_that_is_no_text_any_more_is_damaged(file: Path) -> None:
    db = apsw.Connection(str(file))
    db.execute("UPDATE rows SET id = CAST(x'ff' AS TEXT) WHERE id = 'doc_03'")
    db.close()
    with pytest.raises(Damaged):
        served(file)


def test_a_store_that_lost_its_pages_is_damaged_or_unavailable(file: Path) -> None:
    reader = SqliteReader(file)
    reader.classes()
    with file.open("r+b") as opened:
        opened.truncate(4096)
    with pytest.raises((Damaged, Unavailable)):
        reader.scan("document", [], ["class_a"], None, 100)
    reader.close()
