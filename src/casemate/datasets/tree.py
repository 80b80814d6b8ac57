"""What is recorded of a tree of files, and how it is told from another. Pure.

A path is bytes, as the file system has it: a name may hold a line's end, or be no text at all. What is shown of it is
text without a control character.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol

import msgspec

__all__ = ["PART", "Item", "Trees", "Walked", "Why", "differs", "packed", "shown", "unpacked"]

PART = 2048  # files in one part of a manifest
Why = Literal["gone", "kind", "replaced", "size", "time", "content", "moving"]


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A regular file: its path beneath the tree, size, time of its last change (ns), inode; b"" while undigested."""

    path: bytes
    size: int
    mtime: int
    inode: int
    digest: bytes = b""


class Walked(msgspec.Struct, frozen=True):
    """The files of a tree in order of their paths. `links`: symbolic links that were left out."""

    items: tuple[Item, ...]
    links: int


class Trees(Protocol):
    """Reads trees where they lie, beneath roots that the settings name. Work is done in threads of the domain's own."""

    async def walk(self, root: str, under: str, most: int, domain: str) -> Walked:
        """Every regular file. Raises BadInput for a special file or more than `most`; Absent where nothing is there."""
        ...

    async def looked_at(self, root: str, under: str, items: Sequence[Item], domain: str) -> list[tuple[Item, Why]]:
        """Those that are not as they were recorded, by what the file system tells without reading them."""
        ...

    async def digest(self, root: str, under: str, item: Item, domain: str) -> bytes | Why:
        """SHA-384 of a file that is as it was recorded, before and after; else why not."""
        ...

    def read(self, root: str, under: str, item: Item, domain: str) -> AsyncIterator[bytes | Why]:
        """Its bytes in pieces; where it is not as recorded, why, and nothing after that."""
        ...


def differs(item: Item, size: int, mtime: int, inode: int) -> Why | None:
    """Whether what lies there is another file than the one recorded."""
    if size != item.size:
        return "size"
    if mtime != item.mtime:
        return "time"
    return "replaced" if inode != item.inode else None


def packed(items: Sequence[Item]) -> bytes:
    """A part of a manifest."""
    return msgspec.msgpack.encode(items)


def unpacked(raw: bytes) -> list[Item]:
    """The inverse. Raises msgspec's own."""
    return msgspec.msgpack.decode(raw, type=list[Item])


def shown(path: bytes) -> str:
    """A path as people read it: what is no printable text stands in escapes."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
