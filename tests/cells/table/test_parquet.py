"""A Parquet file as its specification has it: read back by a reader of the test's own, and once by another's."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casemate.cells.table.rows import Cell, Column
from casemate.reports.parquet import MAGIC, parquet

KINDS = {0: "bool", 2: "int", 5: "float", 6: "text"}
SAMPLE: list[Column] = [
    ("index", "int", [0, 1, -(1 << 63), (1 << 63) - 1]),
    ("rate", "float", [0.5, None, math.inf, -0.0]),
    ("fine", "bool", [True, None, False, True]),
    ("said", "text", ["", "é\n,\"'", None, "z" * 200]),
    ("none", "text", [None] * 4),
    *((f"more.{at}", "int", [at, None, None, at]) for at in range(12)),
]
# Read by pyarrow 26.0.1: the same names, types, cells and pairs (ParquetFile.read, .schema_arrow.metadata)
DIGEST = "9b9fa22df5b06e8cf763420d73bcf9f5047fe77eecbd33bfc5f8062ba1c933be"


class Thrift:
    """The compact protocol: structs as {field: value}, lists, numbers and bytes."""

    def __init__(self, raw: bytes, at: int = 0) -> None:
        self.raw, self.at = raw, at

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.raw[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def number(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind: int) -> Any:
        if kind in (5, 6):
            return self.number()
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.raw[self.at - size : self.at]
        if kind == 9:
            head = self.raw[self.at]
            self.at += 1
            size = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15) for _ in range(size)]
        assert kind == 12
        return self.struct()

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        last = 0
        while byte := self.raw[self.at]:
            self.at += 1
            assert byte >> 4, "a field's number is never written in full here"
            last += byte >> 4
            found[last] = self.value(byte & 15)
        self.at += 1
        return found


def read(raw: bytes) -> tuple[list[Column], dict[str, str]]:
    """Columns and pairs of a file of this writer's kind."""
    assert raw[:4] == raw[-4:] == MAGIC
    [size] = struct.unpack("<I", raw[-8:-4])
    thrift = Thrift(raw, len(raw) - 8 - size)
    footer = thrift.struct()
    assert thrift.at == len(raw) - 8
    [group] = footer[4]
    root, *leaves = footer[2]
    assert root[5] == len(leaves) == len(group[1])
    assert footer[3] == group[3]
    found: list[Column] = []
    for leaf, chunk in zip(leaves, group[1], strict=True):
        about = chunk[3]
        assert (about[1], about[3], about[4], about[5]) == (leaf[1], [leaf[4]], 0, footer[3])
        assert chunk[2] == about[9]
        page = Thrift(raw, about[9])
        head = page.struct()
        assert (head[1], head[2], head[5]) == (0, head[3], {1: footer[3], 2: 0, 3: 3, 4: 3})
        assert page.at + head[2] == about[9] + about[7] == about[9] + about[6]
        kind = KINDS[leaf[1]]
        assert (leaf.get(6), leaf.get(10)) == ((0, {1: {}}) if kind == "text" else (None, None))
        found.append((leaf[4].decode(), kind, _cells(kind, raw[page.at : page.at + head[2]], footer[3])))
    return found, {pair[1].decode(): pair[2].decode() for pair in footer[5]}


def _cells(kind: str, raw: bytes, many: int) -> list[Cell]:
    [size] = struct.unpack("<I", raw[:4])
    runs, there = Thrift(raw, 4), list[bool]()
    while runs.at < 4 + size:
        length = runs.varint()
        assert not length & 1, "a run, not packed bits"
        there += [raw[runs.at] == 1] * (length >> 1)
        runs.at += 1
    assert len(there) == many
    at, left = runs.at, sum(there)
    cells: list[Cell] = []
    if kind == "bool":
        cells = [bool(raw[at + one // 8] >> one % 8 & 1) for one in range(left)]
        at += (left + 7) // 8
    elif kind == "text":
        for _ in range(left):
            [length] = struct.unpack_from("<I", raw, at)
            cells.append(raw[at + 4 : at + 4 + length].decode())
            at += 4 + length
    else:
        cells = list(struct.unpack_from(f"<{left}{'q' if kind == 'int' else 'd'}", raw, at))
        at += 8 * left
    assert at == len(raw)
    values = iter(cells)
    return [next(values) if one else None for one in there]


def test_the_sample_is_the_one_that_another_reader_has_read() -> None:
    raw = parquet(SAMPLE, [("casemate.marking", "SECRET//NOFORN"), ("é", "")])
    assert read(raw) == (SAMPLE, {"casemate.marking": "SECRET//NOFORN", "é": ""})
    assert hashlib.sha256(raw).hexdigest() == DIGEST


_CELLS = {
    "bool": st.booleans(),
    "int": st.integers(-(1 << 63), (1 << 63) - 1),
    "float": st.floats(allow_nan=False),
    "text": st.text(),
}


@given(st.data(), st.integers(1, 40), st.lists(st.sampled_from(sorted(_CELLS)), min_size=1, max_size=20))
def test_what_is_written_is_read(data: st.DataObject, many: int, kinds: list[str]) -> None:
    columns: list[Column] = [
        (f"{at}/{kind}", kind, data.draw(st.lists(st.none() | _CELLS[kind], min_size=many, max_size=many)))
        for at, kind in enumerate(kinds)
    ]
    assert read(parquet(columns, []))[0] == columns


def test_a_number_that_is_none_stays_none() -> None:
    [(_, _, cells)], _ = read(parquet([("x", "float", [math.nan, None])], []))
    assert isinstance(cells[0], float)
    assert math.isnan(cells[0])
    assert cells[1] is None
