"""A disk that is really full: reads go on, writes are refused in so many words, and it heals without a restart."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import CasemateError, StorageFull
from casemate.store import Batch, check
from tests.contracts.stores import entry, put

SIZE = 6 << 20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes. Skips where none can be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs"]
    try:
        subprocess.run(["/bin/mount", *options, str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    try:
        yield place
    finally:
        subprocess.run(["/bin/umount", "-l", str(place)], check=True, capture_output=True)


def fill(place: Path) -> Path:
    """Somebody else takes all that is left."""
    other = place / "other"
    with other.open("wb", buffering=0) as file:
        for _ in range(SIZE // 4096 + 1):
            try:
                file.write(bytes(4096))
            except OSError:
                return other
    raise AssertionError("it is not full")


@pytest.mark.parametrize("low_water", [0, 64 << 10])
def test_records_on_a_full_disk(small: Path, low_water: int) -> None:
    lost: list[str] = []
    limits = Limits(low_water=low_water, ballast=256 << 10, checkpoint=50)
    writer = SqliteWriter(small / "records.db", limits, lost=lost.append)
    with closing(SqliteReader(small / "records.db")) as reader, closing(writer):

        def commit(name: str, puts: bool = True) -> str:
            rows = [put(name, sealed=name.encode() * 500)] if puts else []
            try:
                asyncio.run(writer.commit(Batch("class_a", name, rows, entries=[entry(name)])))
            except CasemateError as error:
                return error.slug
            return "ok"

        def names() -> set[str]:
            rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
            assert all(check(row).sealed == row.id.encode() * 500 for row in rows)
            return {row.id for row in rows}

        before = {f"before_{number}" for number in range(20) if commit(f"before_{number}") == "ok"}
        other = fill(small)
        told = [commit(f"full_{number}") for number in range(20)]
        kept = before | {f"full_{number}" for number, each in enumerate(told) if each == "ok"}
        assert told[-1] == StorageFull.slug
        assert set(told) <= {"ok", StorageFull.slug}, "nobody hears anything else"
        assert names() == kept
        assert commit("an entry alone", puts=False) == "ok", "the ballast is there for what must be recorded"
        other.unlink()
        assert commit("after") == "ok", "it heals without a restart"
        assert names() == kept | {"after"}
        assert (writer.broken, lost) == (False, [])
    SqliteWriter(small / "records.db", limits).close()


@pytest.mark.parametrize("low_water", [0, 64 << 10])
def test_blobs_on_a_full_disk(small: Path, tmp_path: Path, low_water: int) -> None:
    lost: list[str] = []
    blobs = FileBlobs(small / "data" / "blobs", KeyStore(tmp_path / "keys"), low_water, lost=lost.append)
    kept = {asyncio.run(blobs.write("class_a", bytes([number]) * 9000)): number for number in range(10)}
    other = fill(small)
    for number in range(10, 14):
        with pytest.raises(StorageFull):
            asyncio.run(blobs.write("class_a", bytes([number]) * (1 << 20)))
    assert {name: asyncio.run(blobs.read("class_a", name))[0] for name in kept} == kept
    assert len([path for path in (small / "data" / "blobs").rglob("*") if path.is_file()]) == len(kept)
    other.unlink()
    name = asyncio.run(blobs.write("class_a", bytes([10]) * (1 << 20)))
    assert asyncio.run(blobs.whole("class_a", name))
    assert lost == []
