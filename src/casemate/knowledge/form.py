"""The bytes of a shard (format 1), and every check that stands between bytes and arrays.

    "CMSH" | CRC-32 of all that follows, u32 | length of the head, u32 | head: MessagePack of `Head` | zeros to 8
    ids, starts, rows, counts, lengths, vectors, bounds: raw little-endian arrays, each with zeros to 8 | texts

The checksum finds accidents; who may have written the bytes is the seal's business, not this file's. No array is made
before its size has been compared with what is there.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.errors import Damaged

__all__ = ["DIMENSIONS", "VERSION", "Head", "norms", "pack", "unpack"]

VERSION = 1
# 1040 * 127 * 127 < 2**24: every partial sum of a product of int8 vectors is an exact float32.
DIMENSIONS = 1040
_MAGIC = b"CMSH"
_FRONT = struct.Struct("<4sII")
_TYPES = ("", "<u4", "<u4", "<u4", "<u4", "<i1", "<u8")


class Head(msgspec.Struct, frozen=True):
    """Counts from which every array's size follows. `id_width` and `cells` are filled in by `pack`."""

    count: int
    width: int
    terms: list[str]
    id_width: int = 1
    cells: int = 0
    texts: int = 0
    version: int = VERSION


def pack(head: Head, arrays: tuple[NDArray[Any], ...], texts: bytes | memoryview) -> bytes:
    """One shard's bytes."""
    full = msgspec.structs.replace(head, id_width=arrays[0].dtype.itemsize, cells=len(arrays[2]), texts=len(texts))
    front = msgspec.msgpack.encode(full)
    body = b"".join([_padded(front, _FRONT.size), *(_padded(_raw(array, kind)) for array, kind in _kinds(arrays))])
    body += texts
    check = zlib.crc32(body, len(front))
    return _FRONT.pack(_MAGIC, check, len(front)) + body


def unpack(raw: bytes) -> tuple[Head, list[NDArray[Any]], memoryview]:
    """The head, the seven arrays and the texts, checked. Raises Damaged."""
    if len(raw) < _FRONT.size:
        _damaged("its beginning")
    magic, check, size = _FRONT.unpack_from(raw)
    if magic != _MAGIC or zlib.crc32(memoryview(raw)[_FRONT.size :], size) != check:
        _damaged("its checksum")
    view = memoryview(raw)
    try:
        head = msgspec.msgpack.decode(view[_FRONT.size : _FRONT.size + size], type=Head)
    except msgspec.DecodeError:
        _damaged("its head")
    if head.version != VERSION or not 0 <= head.width <= DIMENSIONS or not 1 <= head.id_width <= 256:
        _damaged("its version or bounds")
    shapes = (head.count, len(head.terms) + 1, head.cells, head.cells, head.count, head.count * head.width)
    at = _FRONT.size + size
    arrays: list[NDArray[Any]] = []
    for kind, items in zip(_TYPES, (*shapes, head.count + 1), strict=True):
        at += -at % 8
        dtype = np.dtype(kind or f"S{head.id_width}")
        if items < 0 or at + items * dtype.itemsize > len(raw):
            _damaged("its length")
        arrays.append(np.frombuffer(raw, dtype=dtype, count=items, offset=at))
        at += items * dtype.itemsize
    at += -at % 8
    if at + head.texts != len(raw):
        _damaged("its length")
    arrays[5] = arrays[5].reshape(head.count, head.width)
    _sound(head, arrays)
    return head, arrays, view[at:]


def norms(vectors: NDArray[np.int8]) -> NDArray[np.int64]:
    """The squared length of each row, an exact integer; the rows are widened a stretch at a time."""
    squared = np.zeros(len(vectors), dtype=np.int64)
    for start in range(0, len(vectors), 4096):
        part = vectors[start : start + 4096].astype(np.int32)
        squared[start : start + 4096] = np.einsum("ij,ij->i", part, part)
    return squared


def _sound(head: Head, arrays: list[NDArray[Any]]) -> None:
    """What every reader of a shard relies on."""
    ids, starts, rows, counts, lengths, vectors, bounds = arrays
    fine = (
        all(low < high for low, high in zip(head.terms, head.terms[1:], strict=False))
        and bool(np.all(ids[:-1] < ids[1:]))
        and _climbs(starts, head.cells, strict=True)
        and _climbs(bounds, head.texts, strict=False)
        and (head.cells == 0 or int(rows.max()) < head.count)
        and bool(np.all(counts > 0))
        and not bool(np.any(vectors == -128))
    )
    if not fine:
        _damaged("its order")
    gaps = rows[1:] > rows[:-1]
    gaps[starts[1:-1].astype(np.int64) - 1] = True
    held = np.bincount(rows, weights=counts, minlength=head.count)
    if not gaps.all() or not np.array_equal(held, lengths):
        _damaged("its postings")


def _climbs(marks: NDArray[Any], last: int, strict: bool) -> bool:
    steps = np.diff(marks.astype(np.int64))
    return int(marks[0]) == 0 and int(marks[-1]) == last and bool(np.all(steps > 0 if strict else steps >= 0))


def _kinds(arrays: tuple[NDArray[Any], ...]) -> list[tuple[NDArray[Any], str]]:
    return list(zip(arrays, _TYPES, strict=True))


def _raw(array: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(array, dtype=kind or array.dtype).tobytes()


def _padded(raw: bytes, before: int = 0) -> bytes:
    return raw + bytes(-(before + len(raw)) % 8)


def _damaged(what: str) -> NoReturn:
    raise Damaged(what=f"a search index: {what}")
