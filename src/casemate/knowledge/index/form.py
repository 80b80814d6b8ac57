"""The bytes of a shard (format 2), and every check that stands between bytes and arrays.

    "CMSH" | CRC-32 of all that follows, u32 | length of the head, u32 | head: MessagePack of `Head` | zeros to 8
    then raw little-endian arrays in the order of `Arrays`, each with zeros to 8 | words | texts

    "CMSV" | CRC-32 of all that follows, u32 | rows, u32 | dimensions, u32 | int8, row by row

Vectors are bytes of their own, so that each part can be read when it is wanted; the head holds their checksum, so that
no other vectors pass for them. Where no passage has a vector there are none: b"".

The checksums find accidents; who may have written the bytes is the seal's business, not this file's. No array is made
before its size has been compared with what is there, and no check walks terms or passages one by one.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.errors import Damaged
from casemate.knowledge.index.filed import Filed

__all__ = ["DIMENSIONS", "VERSION", "Arrays", "Head", "narrow", "norms", "pack", "row_type", "unpack"]

VERSION = 2
# 1040 * 127 * 127 < 2**24: every partial sum of a product of int8 vectors is an exact float32.
DIMENSIONS = 1040
_MAGIC, _VECTORS = b"CMSH", b"CMSV"
_FRONT = struct.Struct("<4sII")
_PLANE = struct.Struct("<4sIII")
_CHECKED = 8  # bytes before what a checksum covers
_WIDTHS = {1: "<u1", 2: "<u2", 4: "<u4"}
_encoder = msgspec.msgpack.Encoder(order="deterministic")


class Head(msgspec.Struct, frozen=True):
    """What the arrays do not say, and counts from which their sizes follow; those with defaults `pack` fills in.

    `plane` is the checksum of the vectors' bytes, 0 where there are none.
    """

    embedder: str
    filed: tuple[Filed, ...]
    count: int = 0
    keys: int = 0
    cells: int = 0
    spread: int = 0
    id_width: int = 1
    times_width: int = 1
    words: int = 0
    texts: int = 0
    width: int = 0
    plane: int = 0
    version: int = VERSION


class Arrays(NamedTuple):
    """`starts[t]:starts[t+1]` are the places of the term `keys[t]` in `rows` (ascending) and `counts`.

    `ids`, `lengths` (in terms) and `owners` (which of the head's `filed`) are by row; `bounds[r]:bounds[r+1]` is row
    r's passage in the texts. `spread` says how many passages hold each of the words.
    """

    ids: NDArray[Any]
    keys: NDArray[Any]
    starts: NDArray[Any]
    rows: NDArray[Any]
    counts: NDArray[Any]
    lengths: NDArray[Any]
    owners: NDArray[Any]
    bounds: NDArray[Any]
    spread: NDArray[Any]


def narrow(most: int) -> str:
    """The narrowest type that holds 0 to `most`."""
    return "<u1" if most < 1 << 8 else "<u2" if most < 1 << 16 else "<u4"


def row_type(count: int) -> str:
    """What numbers so many rows: two bytes at least."""
    return narrow(max(count - 1, 1 << 8))


def pack(
    head: Head, arrays: Arrays, words: bytes | memoryview, texts: bytes | memoryview, vectors: NDArray[Any]
) -> tuple[bytes, bytes]:
    """One shard's bytes: the index, and the vectors."""
    plane = _plane(vectors)
    full = msgspec.structs.replace(
        head,
        count=len(arrays.ids),
        keys=len(arrays.keys),
        cells=len(arrays.rows),
        spread=len(arrays.spread),
        id_width=arrays.ids.dtype.itemsize,
        times_width=arrays.counts.dtype.itemsize,
        words=len(words),
        texts=len(texts),
        width=vectors.shape[1],
        plane=zlib.crc32(plane),
    )
    front = _encoder.encode(full)
    parts = [_padded(front, _FRONT.size)]
    parts += [_padded(_raw(array, kind)) for array, kind in zip(arrays, _types(full), strict=True)]
    body = b"".join([*parts, words, texts])
    return _FRONT.pack(_MAGIC, zlib.crc32(body, len(front)), len(front)) + body, plane


def unpack(
    index: bytes | memoryview, plane: bytes | memoryview
) -> tuple[Head, Arrays, memoryview, memoryview, NDArray[np.int8]]:
    """The head, the arrays, words, texts and vectors, checked. Raises Damaged."""
    head, at = _head(index)
    arrays = []
    shapes = (head.count, head.keys, head.keys + 1, head.cells, head.cells, head.count, head.count, head.count + 1)
    for kind, items in zip(_types(head), (*shapes, head.spread), strict=True):
        at += -at % 8
        dtype = np.dtype(kind)
        if items < 0 or at + items * dtype.itemsize > len(index):
            _damaged("its length")
        arrays.append(np.frombuffer(index, dtype=dtype, count=items, offset=at))
        at += items * dtype.itemsize
    at += -at % 8
    if head.words < 0 or head.texts < 0 or at + head.words + head.texts != len(index):
        _damaged("its length")
    view = memoryview(index)
    words, texts = view[at : at + head.words], view[at + head.words :]
    found = Arrays(*arrays)
    _sound(head, found, words)
    return head, found, words, texts, _vectors(head, plane)


def norms(vectors: NDArray[np.int8]) -> NDArray[np.uint32]:
    """The squared length of each row, an exact integer below 2**24; the rows are widened a stretch at a time."""
    squared = np.zeros(len(vectors), dtype=np.uint32)
    for start in range(0, len(vectors), 512):
        part = vectors[start : start + 512].astype(np.float32)
        squared[start : start + 512] = np.einsum("ij,ij->i", part, part)
    return squared


def _head(index: bytes | memoryview) -> tuple[Head, int]:
    if len(index) < _FRONT.size:
        _damaged("its beginning")
    magic, check, size = _FRONT.unpack_from(index)
    view = memoryview(index)
    if magic != _MAGIC or zlib.crc32(view[_FRONT.size :], size) != check:
        _damaged("its checksum")
    try:
        head = msgspec.msgpack.decode(view[_FRONT.size : _FRONT.size + size], type=Head)
    except (msgspec.DecodeError, RecursionError):
        _damaged("its head")
    sizes = 0 <= head.width <= DIMENSIONS and 1 <= head.id_width <= 256 and head.times_width in _WIDTHS
    if head.version != VERSION or not sizes or not 0 <= head.count < 1 << 32:
        _damaged("its version or bounds")
    return head, _FRONT.size + size


def _vectors(head: Head, plane: bytes | memoryview) -> NDArray[np.int8]:
    """The matrix (count, width), which is the one that the head means."""
    if zlib.crc32(plane) != head.plane or bool(head.width) != bool(plane):
        _damaged("its vectors")
    if not plane:
        return np.zeros((head.count, 0), dtype=np.int8)
    size = head.count * head.width
    if len(plane) != _PLANE.size + size:
        _damaged("its vectors")
    magic, check, count, width = _PLANE.unpack_from(plane)
    if magic != _VECTORS or (count, width) != (head.count, head.width):
        _damaged("its vectors")
    if zlib.crc32(memoryview(plane)[_CHECKED:]) != check:
        _damaged("its vectors")
    found = np.frombuffer(plane, dtype=np.int8, offset=_PLANE.size).reshape(head.count, head.width)
    if size and int(found.min()) == -128:
        _damaged("its vectors")
    return found


def _plane(vectors: NDArray[Any]) -> bytes:
    count, width = vectors.shape
    if not width:
        return b""
    body = struct.pack("<II", count, width) + np.ascontiguousarray(vectors, dtype=np.int8).tobytes()
    return struct.pack("<4sI", _VECTORS, zlib.crc32(body)) + body


def _sound(head: Head, arrays: Arrays, words: memoryview) -> None:
    """What every reader of a shard relies on."""
    ids, keys, starts, rows, counts, lengths, owners, bounds, spread = arrays
    documents = [each.document for each in head.filed]
    fine = (
        bool(np.all(keys[:-1] < keys[1:]))
        and bool(np.all(ids[:-1] < ids[1:]))
        and _climbs(starts, head.cells, strict=True)
        and _climbs(bounds, head.texts, strict=False)
        and (head.cells == 0 or int(rows.max()) < head.count)
        and bool(np.all(counts > 0))
        and documents == sorted(set(documents))
        and (head.count == 0 or int(owners.max()) < len(documents))
        and bool(np.bincount(owners, minlength=len(documents)).all())
        and bool(np.all(spread > 0))
        and len(spread) == (bytes(words).count(b"\n") + 1 if words else 0)
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


def _types(head: Head) -> tuple[str, ...]:
    """How each of the arrays lies in the bytes."""
    row, many = row_type(head.count), narrow(max(head.count, 1 << 8))
    return (f"S{head.id_width}", "<u8", "<u4", row, _WIDTHS[head.times_width], "<u4", "<u4", "<u8", many)


def _raw(array: NDArray[Any], kind: str) -> bytes:
    return np.ascontiguousarray(array, dtype=kind).tobytes()


def _padded(raw: bytes, before: int = 0) -> bytes:
    return raw + bytes(-(before + len(raw)) % 8)


def _damaged(what: str) -> NoReturn:
    raise Damaged(what=f"a search index: {what}")
