"""A table as a Parquet file: one group of rows, plain, not compressed. Pure.

Source: https://github.com/apache/parquet-format (README, Thrift definition, Encodings) and Thrift's compact protocol.
Columns are bool, int (64 bits), float (64 bits) and text (UTF-8); each of them may lack cells. What never comes out is
a file that says one number of cells and has another: the writer counts what it has written.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["Column", "parquet"]

# the file is lent to a sandbox by itself, and so imports nothing of the house
Cell = bool | int | float | str | None
Column = tuple[str, str, list[Cell]]
"""Name, type (bool, int, float or text) and cells."""

MAGIC = b"PAR1"
_TYPES = {"bool": 0, "int": 2, "float": 5, "text": 6}  # BOOLEAN, INT64, DOUBLE, BYTE_ARRAY
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12  # Thrift's compact types
_PLAIN, _RLE, _OPTIONAL, _UTF8 = 0, 3, 1, 0


def parquet(columns: Sequence[Column], told: Sequence[tuple[str, str]]) -> bytes:
    """The whole file. `told`: key and value pairs that stand in its footer."""
    many = len(columns[0][2])
    out, chunks, size = bytearray(MAGIC), list[bytes](), 0
    for name, kind, cells in columns:
        at, page = len(out), _page(kind, cells)
        header = _fields(
            (1, _I32, _zigzag(0)),  # a data page
            (2, _I32, _zigzag(len(page))),
            (3, _I32, _zigzag(len(page))),
            (5, _STRUCT, _fields(*((n, _I32, _zigzag(v)) for n, v in ((1, many), (2, _PLAIN), (3, _RLE), (4, _RLE))))),
        )
        out += header + page
        length = len(header) + len(page)
        size += length
        about = _fields(
            (1, _I32, _zigzag(_TYPES[kind])),
            (2, _LIST, _list(_I32, [_zigzag(_PLAIN), _zigzag(_RLE)])),
            (3, _LIST, _list(_BINARY, [_text(name)])),
            (4, _I32, _zigzag(0)),  # not compressed
            (5, _I64, _zigzag(many)),
            (6, _I64, _zigzag(length)),
            (7, _I64, _zigzag(length)),
            (9, _I64, _zigzag(at)),
        )
        chunks.append(_fields((2, _I64, _zigzag(at)), (3, _STRUCT, about)))
    group = _fields((1, _LIST, _list(_STRUCT, chunks)), (2, _I64, _zigzag(size)), (3, _I64, _zigzag(many)))
    root = _fields((4, _BINARY, _text("schema")), (5, _I32, _zigzag(len(columns))))
    schema = [root, *(_element(name, kind) for name, kind, _ in columns)]
    pairs = [_fields((1, _BINARY, _text(key)), (2, _BINARY, _text(value))) for key, value in told]
    footer = _fields(
        (1, _I32, _zigzag(1)),
        (2, _LIST, _list(_STRUCT, schema)),
        (3, _I64, _zigzag(many)),
        (4, _LIST, _list(_STRUCT, [group])),
        (5, _LIST, _list(_STRUCT, pairs)),
        (6, _BINARY, _text("casemate")),
    )
    return bytes(out) + footer + struct.pack("<I", len(footer)) + MAGIC


def _element(name: str, kind: str) -> bytes:
    fields = [(1, _I32, _zigzag(_TYPES[kind])), (3, _I32, _zigzag(_OPTIONAL)), (4, _BINARY, _text(name))]
    if kind == "text":  # as older readers know it, and as newer ones do: LogicalType.STRING
        fields += [(6, _I32, _zigzag(_UTF8)), (10, _STRUCT, _fields((1, _STRUCT, _fields())))]
    return _fields(*fields)


def _page(kind: str, cells: Sequence[Cell]) -> bytes:
    """Which cells are there (runs of one bit, behind their length), then those that are."""
    runs, at = bytearray(), 0
    while at < len(cells):
        there, end = cells[at] is not None, at
        while end < len(cells) and (cells[end] is not None) is there:
            end += 1
        runs += _varint((end - at) << 1) + (b"\1" if there else b"\0")
        at = end
    return struct.pack("<I", len(runs)) + bytes(runs) + _plain(kind, [cell for cell in cells if cell is not None])


def _plain(kind: str, there: list[Cell]) -> bytes:
    if kind == "bool":
        bits = bytearray((len(there) + 7) // 8)
        for at, cell in enumerate(there):
            bits[at // 8] |= bool(cell) << at % 8
        return bytes(bits)
    if kind in ("int", "float"):
        return struct.pack(f"<{len(there)}{'q' if kind == 'int' else 'd'}", *there)
    raw = [str(cell).encode() for cell in there]
    return b"".join(struct.pack("<I", len(one)) + one for one in raw)


def _fields(*fields: tuple[int, int, bytes]) -> bytes:
    """A struct: each field says how far its number is from the last one's."""
    out, last = bytearray(), 0
    for number, kind, value in fields:
        out += bytes([(number - last) << 4 | kind]) + value
        last = number
    return bytes(out) + b"\0"


def _list(kind: int, values: Sequence[bytes]) -> bytes:
    short = len(values) < 15
    head = bytes([len(values) << 4 | kind]) if short else bytes([0xF0 | kind]) + _varint(len(values))
    return head + b"".join(values)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _varint(len(raw)) + raw


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
