"""What every Blobs promises."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate.engines.files import FileBlobs
from casemate.engines.unsafe_sealer import UnsafeDevelopmentSealer
from casemate.errors import Absent, BadInput
from casemate.store import Blobs

NAME = "ab" * 48


@pytest.fixture(params=["files"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return FileBlobs(tmp_path / "data" / "blobs", UnsafeDevelopmentSealer(tmp_path / "keys"))


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000])
def test_what_is_written_is_read_back(blobs: Blobs, data: bytes) -> None:
    name = asyncio.run(blobs.write("class_a", data))
    assert asyncio.run(blobs.read("class_a", name)) == data
    assert asyncio.run(blobs.exists("class_a", name))


def test_the_same_data_has_one_name_in_a_class_and_another_in_the_next(blobs: Blobs) -> None:
    first, again, other, elsewhere = (
        asyncio.run(blobs.write(class_id, data))
        for class_id, data in (("a", b"data"), ("a", b"data"), ("a", b"date"), ("b", b"data"))
    )
    assert first == again
    assert len({first, other, elsewhere}) == 3


def test_a_blob_is_absent_from_every_class_but_its_own(blobs: Blobs) -> None:
    name = asyncio.run(blobs.write("class_a", b"data"))
    assert not asyncio.run(blobs.exists("class_b", name))
    for class_id, asked in (("class_b", name), ("class_a", NAME)):
        with pytest.raises(Absent):
            asyncio.run(blobs.read(class_id, asked))


def test_a_deleted_blob_is_absent_and_deleting_it_again_is_no_error(blobs: Blobs) -> None:
    name = asyncio.run(blobs.write("class_a", b"data"))
    for _ in range(2):
        asyncio.run(blobs.delete("class_a", name))
        assert not asyncio.run(blobs.exists("class_a", name))
    asyncio.run(blobs.delete("class_b", NAME))
    assert asyncio.run(blobs.write("class_a", b"data")) == name
    assert asyncio.run(blobs.read("class_a", name)) == b"data"


@pytest.mark.parametrize("class_id", ["", "..", "a/b", "A", "a" * 65, "a\n"])
def test_a_class_that_is_no_name_is_bad_input(blobs: Blobs, class_id: str) -> None:
    with pytest.raises(BadInput):
        asyncio.run(blobs.write(class_id, b"data"))


@pytest.mark.parametrize("name", ["", "..", "../" * 32, NAME.upper(), NAME[:-1], NAME + "\n", "/" * 96])
def test_a_name_that_is_none_of_ours_is_bad_input(blobs: Blobs, name: str) -> None:
    for attempt in (blobs.read, blobs.exists, blobs.delete):
        with pytest.raises(BadInput):
            asyncio.run(attempt("class_a", name))
