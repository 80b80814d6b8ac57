"""Entries in a file, as C2SP lays them out: each behind its length in two bytes, so none has more than 65,535.

    length (2) | check (8) | length (2) | size of the id (1) | id | sealed entry

C2SP says nothing of what is inside. The check is the first 8 bytes of the SHA-384 over what follows it, and the length
stands twice, so that whoever has no keys still tells a file that was cut from one that was changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from casemate.crypto import digest
from casemate.errors import Damaged, TooLarge

__all__ = ["ENTRY_BOUND", "bundle", "bundle_state", "entries_of", "packed", "unpacked"]

ENTRY_BOUND = 0xFFFF
_CHECK, _LENGTH = 8, 2
_FRONT = _CHECK + _LENGTH


def packed(id: str, sealed: bytes) -> bytes:
    """A sealed entry as it lies in a file. Raises TooLarge."""
    name = id.encode()
    size = _FRONT + 1 + len(name) + len(sealed)
    if size > ENTRY_BOUND or len(name) > 255:
        raise TooLarge(what="ledger entry", limit=ENTRY_BOUND)
    rest = size.to_bytes(_LENGTH, "big") + bytes([len(name)]) + name + sealed
    return digest(rest)[:_CHECK] + rest


def unpacked(data: bytes) -> tuple[str, bytes]:
    """The id and the sealed entry. Raises Damaged."""
    if not _sound(data):
        raise Damaged(what="entry bundle")
    stop = _FRONT + 1 + data[_FRONT]
    try:
        return data[_FRONT + 1 : stop].decode(), data[stop:]
    except UnicodeDecodeError:
        raise Damaged(what="entry bundle") from None


def _sound(data: bytes) -> bool:
    return len(data) > _FRONT and digest(data[_CHECK:])[:_CHECK] == data[:_CHECK]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries in a file. Raises TooLarge."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > ENTRY_BOUND:
            raise TooLarge(what="ledger entry", limit=ENTRY_BOUND)
        parts += (len(entry).to_bytes(_LENGTH, "big"), entry)
    return b"".join(parts)


def entries_of(data: bytes) -> list[bytes]:
    """The entries in a file. Raises Damaged where it ends within one."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        stop = at + _LENGTH + int.from_bytes(data[at : at + _LENGTH], "big")
        if stop > len(data):
            raise Damaged(what="entry bundle")
        found.append(data[at + _LENGTH : stop])
        at = stop
    return found


def bundle_state(data: bytes, width: int) -> Literal["ok", "cut", "changed"]:
    """Whether a file holds `width` sound entries, the beginning of them, or something else."""
    at = count = 0
    while at < len(data):
        if count == width:
            return "changed"
        length = data[at : at + _LENGTH]
        rest = data[at + _LENGTH :]
        size = int.from_bytes(length, "big")
        if len(length) < _LENGTH or len(rest) < min(size, _FRONT):
            return "cut"
        if size <= _FRONT or rest[_CHECK:_FRONT] != length:
            return "changed"
        if len(rest) < size:
            return "cut"
        if not _sound(rest[:size]):
            return "changed"
        at, count = at + _LENGTH + size, count + 1
    return "ok" if count == width else "cut"
