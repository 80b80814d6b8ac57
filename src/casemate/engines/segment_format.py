"""The bytes of a journal segment: written here, read here, and nowhere else. docs/bytes/segment.md tells them.

    segment   magic (8) | id (16) | crc32 of those 24 (4) | group ...
    group     magic (4) | length of its records (4) | its own offset (8) | crc32 of those 16 and the id (4) | record ...
    record    length (4) | crc32 of the item (4) | item, MessagePack

Numbers are little-endian and unsigned. A group is written only once everything before it is on the disk. So whatever
lies before a group's head was promised to somebody, and damage there is damage; what cannot be read behind the last
head was promised to nobody. What must never happen: that the first is taken for the second.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

import msgspec

from casemate.errors import Damaged
from casemate.store import ClassRow, EntryRow

__all__ = [
    "GROUP",
    "HEAD",
    "Group",
    "Known",
    "Said",
    "begins_later",
    "enclose",
    "head",
    "read_group",
    "read_head",
    "record",
]

Trouble = Literal["short", "bad"]

_MAGIC = b"CMSEG\x00\x01\n"
_GROUP_MAGIC = b"\xc5GR\n"
_HEAD = struct.Struct("<8s16s")
_GROUP = struct.Struct("<4sIQ")
_RECORD = struct.Struct("<II")
_CRC = struct.Struct("<I")
HEAD = _HEAD.size + _CRC.size
GROUP = _GROUP.size + _CRC.size
_STRIDE = 1 << 20


class Said(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """An entry, and the label domain that it was taken for."""

    domain: str
    log: str
    id: str
    leaf: bytes
    sealed: bytes
    content: bytes = b""
    expires: int = 0

    def row(self) -> EntryRow:
        return EntryRow(self.log, self.id, self.leaf, self.sealed, self.content, self.expires)


class Known(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """An access class, before the first entry of its log in a segment."""

    id: str
    sealed: bytes

    def row(self) -> ClassRow:
        return ClassRow(self.id, self.sealed)


@dataclass(frozen=True, slots=True)
class Group:
    """What one sync made durable; `end` is the offset behind it."""

    end: int
    classes: list[ClassRow]
    entries: list[EntryRow]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Said | Known).decode


def head(id: bytes) -> bytes:
    """The beginning of a segment; `id` is 16 random bytes."""
    told = _HEAD.pack(_MAGIC, id)
    return told + _CRC.pack(crc32(told))


def record(item: Said | Known) -> bytes:
    """One item as it stands in a group."""
    data = _encode(item)
    return _RECORD.pack(len(data), crc32(data)) + data


def enclose(id: bytes, offset: int, records: Iterable[bytes]) -> bytes:
    """A group that is to stand at that offset."""
    body = b"".join(records)
    told = _GROUP.pack(_GROUP_MAGIC, len(body), offset)
    return told + _CRC.pack(crc32(id, crc32(told))) + body


def read_head(descriptor: int) -> bytes | None:
    """The id of a segment; None where no whole head is there, and so nothing else that was promised.

    Raises Damaged where something follows a head that is not what was written.
    """
    told = os.pread(descriptor, HEAD + 1, 0)
    if len(told) >= HEAD:
        magic, id = _HEAD.unpack_from(told)
        if magic == _MAGIC and crc32(told[: _HEAD.size]) == _CRC.unpack_from(told, _HEAD.size)[0]:
            return bytes(id)
    if len(told) > HEAD:
        raise Damaged(what="journal segment")
    return None


def read_group(descriptor: int, id: bytes, offset: int) -> Group | Trouble:
    """The group at an offset; "short" where the file ends before it does, "bad" where it is not what was written."""
    told = os.pread(descriptor, GROUP, offset)
    if len(told) < GROUP:
        return "short"
    size = _sized(told, id, offset)
    if size is None:
        return "bad"
    body = os.pread(descriptor, size, offset + GROUP)
    if len(body) < size:
        return "short"
    return _opened(memoryview(body), offset + GROUP + size)


def _sized(told: bytes, id: bytes, offset: int) -> int | None:
    """How long the records of a group are; None where this is no head of a group at that place."""
    magic, size, own = _GROUP.unpack_from(told)
    right = crc32(id, crc32(told[: _GROUP.size]))
    whole = magic == _GROUP_MAGIC and own == offset and right == _CRC.unpack_from(told, _GROUP.size)[0]
    return int(size) if whole else None


def _opened(body: memoryview, end: int) -> Group | Trouble:
    classes: list[ClassRow] = []
    entries: list[EntryRow] = []
    at = 0
    while at < len(body):
        if at + _RECORD.size > len(body):
            return "bad"
        size, right = _RECORD.unpack_from(body, at)
        at += _RECORD.size
        data = body[at : at + size]
        if len(data) < size or crc32(data) != right:
            return "bad"
        try:
            item = _decode(data)
        except msgspec.DecodeError:
            return "bad"
        if isinstance(item, Known):
            classes.append(item.row())
        else:
            entries.append(item.row())
        at += size
    return Group(end, classes, entries)


def begins_later(descriptor: int, id: bytes, offset: int) -> bool:
    """Whether the head of a group stands anywhere behind an offset: then everything before it was on the disk."""
    at = offset + 1
    while True:
        stretch = os.pread(descriptor, _STRIDE, at)
        place = stretch.find(_GROUP_MAGIC)
        while place >= 0:
            told = os.pread(descriptor, GROUP, at + place)
            if len(told) == GROUP and _sized(told, id, at + place) is not None:
                return True
            place = stretch.find(_GROUP_MAGIC, place + 1)
        if len(stretch) < _STRIDE:
            return False
        at += _STRIDE - len(_GROUP_MAGIC) + 1
