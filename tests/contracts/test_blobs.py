"""What every Blobs promises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.engines.files_frames import FRAME
from casemate.errors import Absent, BadInput, Unavailable
from casemate.store import Blobs
from tests.contracts.stores import BLOBS, blobs_of

NAME = "ab" * 48


@pytest.fixture(params=BLOBS)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Blobs]:
    with blobs_of(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000])
def test_what_is_written_is_read_back(blobs: Blobs, data: bytes) -> None:
    name = asyncio.run(blobs.write("class_a", data))
    assert asyncio.run(blobs.read("class_a", name)) == data
    assert asyncio.run(blobs.exists("class_a", name))


@pytest.mark.parametrize("size", [0, 1, FRAME, FRAME + 1, 2 * FRAME + 3])
def test_it_comes_in_bounded_pieces_and_whole_into_memory_that_somebody_gives(blobs: Blobs, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    name = asyncio.run(blobs.write("class_a", data))
    pieces = asyncio.run(gathered(blobs, name))
    assert b"".join(pieces) == data
    assert all(len(piece) <= FRAME for piece in pieces)
    asked: list[int] = []
    memory = memoryview(bytearray(size))

    def take(size: int) -> memoryview:
        asked.append(size)
        return memory

    assert asyncio.run(blobs.read_into("class_a", name, take, "class_b")) is memory
    assert (bytes(memory), asked) == (data, [size])


async def gathered(blobs: Blobs, name: str, class_id: str = "class_a") -> list[bytes]:
    return [piece async for piece in blobs.frames(class_id, name, "class_b")]


def test_no_memory_is_asked_for_what_is_absent(blobs: Blobs) -> None:
    name = asyncio.run(blobs.write("class_a", b"data"))
    for class_id, asked in (("class_b", name), ("class_a", NAME)):
        with pytest.raises(Absent):
            asyncio.run(blobs.read_into(class_id, asked, lambda size: pytest.fail("asked for memory")))
        with pytest.raises(Absent):
            asyncio.run(gathered(blobs, asked, class_id))


def test_where_there_is_no_memory_the_caller_is_told_and_nothing_is_left_open(blobs: Blobs) -> None:
    name = asyncio.run(blobs.write("class_a", b"data"))

    def none(size: int) -> memoryview:
        raise Unavailable(what="memory")

    with pytest.raises(Unavailable, match="memory"):
        asyncio.run(blobs.read_into("class_a", name, none))
    assert asyncio.run(blobs.read("class_a", name)) == b"data"


def test_a_reader_may_stop_in_the_middle(blobs: Blobs) -> None:
    async def first() -> bytes:
        name = await blobs.write("class_a", bytes(3 * FRAME))
        reading = blobs.frames("class_a", name)
        piece = await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]
        return piece

    assert asyncio.run(first()) == bytes(FRAME)


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
