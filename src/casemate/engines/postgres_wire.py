"""Values as PostgreSQL sends and takes them in binary: arrays built in one piece, and single values read back.

    array   int32 dimensions (0 or 1) | int32 has nulls | int32 oid | int32 size | int32 first index | elements
    element int32 length | bytes                                       (src/backend/utils/adt/arrayfuncs.c, array_recv)

Raises struct.error, ValueError or TypeError for what no column takes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["BYTEA", "BYTEAS", "INT8", "INT8S", "TEXT", "TEXTS", "blobs", "count", "integer", "numbers", "text", "texts"]

BYTEA, INT8, TEXT = 17, 20, 25
BYTEAS, INT8S, TEXTS = 1001, 1016, 1009
_HEAD = struct.Struct("!iiIii")
_SIZE = struct.Struct("!i").pack
_EMPTY = {oid: struct.pack("!iiI", 0, 0, oid) for oid in (BYTEA, INT8, TEXT)}
_LONG = struct.Struct("!q")
_EIGHT = _SIZE(8)


def _array(oid: int, values: Sequence[bytes]) -> bytes:
    if not values:
        return _EMPTY[oid]
    parts = [_HEAD.pack(1, 0, oid, len(values), 1)]
    for value in values:
        parts.append(_SIZE(len(value)))
        parts.append(value)
    return b"".join(parts)


def texts(values: Sequence[str]) -> bytes:
    """text[]. Raises ValueError for a character that PostgreSQL's text has no place for."""
    raw = [value.encode() for value in values]
    if b"\0" in b"".join(raw):
        raise ValueError("text with a NUL")
    return _array(TEXT, raw)


def blobs(values: Sequence[bytes]) -> bytes:
    """bytea[]"""
    return _array(BYTEA, values)


def numbers(values: Sequence[int]) -> bytes:
    """int8[]"""
    if not values:
        return _EMPTY[INT8]
    pack = _LONG.pack
    return _HEAD.pack(1, 0, INT8, len(values), 1) + b"".join([_EIGHT + pack(value) for value in values])


def count(value: int) -> bytes:
    """int8"""
    return _LONG.pack(value)


def text(raw: bytes) -> str:
    """A column of type text."""
    return raw.decode()


def integer(raw: bytes) -> int:
    """A column of type int2, int4 or int8."""
    return int.from_bytes(raw, "big", signed=True)
