"""The bytes of a segment: what was written is read, and nothing else is taken for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from casemate.engines.segment_format import (
    GROUP,
    HEAD,
    Group,
    Known,
    Said,
    begins_later,
    enclose,
    head,
    read_group,
    read_head,
    record,
)
from casemate.errors import Damaged
from casemate.store import ClassRow
from tests.contracts.stores import entry

ID = b"sixteen bytes it"


def said(name: str) -> bytes:
    row = entry(name, content=b"said")
    return record(Said("class_a", row.log, row.id, row.leaf, row.sealed, row.content, row.expires))


def segment(*groups: list[bytes]) -> bytes:
    data = head(ID)
    for records in groups:
        data += enclose(ID, len(data), records)
    return data


ONE = segment([record(Known("class_a", b"label")), said("ent_1")])
TWO = ONE + enclose(ID, len(ONE), [said("ent_2"), said("ent_3")])


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[bytes], int]:
    def write(data: bytes) -> int:
        (tmp_path / "x.seg").write_bytes(data)
        return os.open(tmp_path / "x.seg", os.O_RDONLY)

    return write


def test_what_was_written_is_read(opened: Callable[[bytes], int]) -> None:
    file = opened(TWO)
    assert read_head(file) == ID
    first = read_group(file, ID, HEAD)
    assert isinstance(first, Group)
    assert first == Group(len(ONE), [ClassRow("class_a", b"label")], [entry("ent_1", content=b"said")])
    second = read_group(file, ID, first.end)
    assert isinstance(second, Group)
    assert [row.id for row in second.entries] == ["ent_2", "ent_3"]
    assert read_group(file, ID, second.end) == "short"


@pytest.mark.parametrize("length", range(HEAD))
def test_a_head_that_is_not_whole_is_the_head_of_nothing(opened: Callable[[bytes], int], length: int) -> None:
    assert read_head(opened(ONE[:length])) is None


@pytest.mark.parametrize("place", range(HEAD))
def test_a_damaged_head_is_damage_where_something_follows(opened: Callable[[bytes], int], place: int) -> None:
    data = bytearray(ONE)
    data[place] ^= 1
    with pytest.raises(Damaged):
        read_head(opened(bytes(data)))
    assert read_head(opened(bytes(data[:HEAD]))) is None


def test_wherever_it_is_cut_whole_groups_are_read_and_no_more(opened: Callable[[bytes], int]) -> None:
    for length in range(HEAD, len(TWO)):
        found = read_group(opened(TWO[:length]), ID, HEAD)
        assert isinstance(found, Group) == (length >= len(ONE))
        if length > len(ONE):
            assert read_group(opened(TWO[:length]), ID, len(ONE)) == "short"


def test_whichever_bit_is_wrong_the_group_is_not_read(opened: Callable[[bytes], int]) -> None:
    for place in range(HEAD, len(ONE)):
        data = bytearray(TWO)
        data[place] ^= 4
        file = opened(bytes(data))
        assert not isinstance(read_group(file, ID, HEAD), Group)
        assert begins_later(file, ID, HEAD)


def test_a_group_stands_at_its_own_place_in_its_own_segment(opened: Callable[[bytes], int]) -> None:
    moved = ONE + enclose(ID, len(ONE) + 1, [said("ent_2")])
    assert read_group(opened(moved), ID, len(ONE)) == "bad"
    other = ONE + enclose(b"another segments", len(ONE), [said("ent_2")])
    assert read_group(opened(other), ID, len(ONE)) == "bad"
    assert not begins_later(opened(other), ID, HEAD)


@pytest.mark.parametrize("body", [b"short", b"\x05\0\0\0" + crc32(b"\xc1none").to_bytes(4, "little") + b"\xc1none"])
def test_records_that_are_none_are_not_read(opened: Callable[[bytes], int], body: bytes) -> None:
    assert read_group(opened(head(ID) + enclose(ID, HEAD, [body])), ID, HEAD) == "bad"


def test_a_record_longer_than_its_group_is_not_read(opened: Callable[[bytes], int]) -> None:
    body = (1 << 20).to_bytes(4, "little") + bytes(4) + b"x"
    assert read_group(opened(head(ID) + enclose(ID, HEAD, [body])), ID, HEAD) == "bad"


def test_a_head_far_behind_is_found_and_what_only_looks_like_one_is_not(opened: Callable[[bytes], int]) -> None:
    noise = b"\xc5GR\n" * 10 + bytes(3 << 20)
    assert not begins_later(opened(ONE + noise), ID, len(ONE))
    place = len(ONE + noise)
    assert begins_later(opened(ONE + noise + enclose(ID, place, [said("ent_2")])), ID, len(ONE))
    for shift in range(-GROUP, GROUP):  # also across the stretches in which it is looked for
        place = len(ONE) + 1 + (1 << 20) + shift
        data = ONE + bytes(place - len(ONE)) + enclose(ID, place, [said("ent_2")])
        assert begins_later(opened(data), ID, len(ONE))
