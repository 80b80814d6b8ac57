"""The tar file inside a bundle: one spelling of it, written and read block by block (docs/bytes/bundle.md).

A header is read by writing the one that would have to stand there and comparing: nothing of it is interpreted that is
not exactly what we write. So there are no links, no devices, no owners, no times and no second way to say a name.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.errors import Damaged

__all__ = [
    "BLOCK",
    "MOST_MEMBERS",
    "Headers",
    "Member",
    "end_of",
    "filling",
    "header_of",
    "is_member",
    "tar_size",
    "wanted",
]

BLOCK = 512
MOST_MEMBERS = 32_000
_MOST_SIZE = 1 << 44
_RECORD = re.compile(rb"(\d{1,3}) (path|size)=([^\n]{1,200})\n")
_SIZE = slice(124, 136)
_ROOT = re.compile(r"metadata/([1-9][0-9]{0,3})\.root\.json")
_BLOB = re.compile(r"blobs/sha512/[0-9a-f]{128}")
_FIRST = ("oci-layout", "index.json", "release.dsse.json")
_ROLES = ("metadata/snapshot.json", "metadata/targets.json", "metadata/timestamp.json")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the layout: its path and its size in bytes."""

    path: str
    size: int


def is_member(path: str) -> bool:
    """Whether a bundle can hold a file of that path."""
    return path in _FIRST or path in _ROLES or bool(_ROOT.fullmatch(path)) or bool(_BLOB.fullmatch(path))


def placed(path: str) -> tuple[int, str]:
    """Where a member stands among the others."""
    if path in _FIRST:
        return _FIRST.index(path), ""
    return (3 if path.startswith("metadata/") else 4), path


def header_of(member: Member) -> bytes:
    """All that stands before its content."""
    info = tarfile.TarInfo(member.path)
    info.size = member.size
    return info.tobuf(tarfile.PAX_FORMAT)


def filling(size: int) -> int:
    """The zeros behind content of that size."""
    return -size % BLOCK


def end_of() -> bytes:
    """The end of a tar file."""
    return bytes(2 * BLOCK)


def tar_size(members: Sequence[Member]) -> int:
    """The size in bytes of the whole tar file."""
    each = (len(header_of(one)) + one.size + filling(one.size) for one in members)
    return sum(each) + 2 * BLOCK


class Headers:
    """Reads headers one after another, and refuses members that stand where they should not."""

    __slots__ = ("_before", "_count")

    def __init__(self) -> None:
        self._before: tuple[int, str] = (-1, "")
        self._count = 0

    def read(self, raw: bytes) -> Member | None:
        """The member of that header. Raises Damaged; `wanted` says how many bytes a header has."""
        if not any(raw):
            if self._before[0] < 3:
                raise Damaged(what="bundle tar")  # one of those that must be there is not
            return None
        member = _member(raw)
        place = placed(member.path)
        self._count += 1
        if header_of(member) != raw or not is_member(member.path) or self._count > MOST_MEMBERS:
            raise Damaged(what="bundle tar")
        if place <= self._before or (self._before[0] < 2 and place[0] != self._before[0] + 1):
            raise Damaged(what="bundle tar")
        self._before = place
        return member


def wanted(block: bytes) -> int:
    """How many bytes the header has whose first block this is: two blocks of zeros are the end."""
    return 3 * BLOCK if block[156:157] == b"x" else BLOCK if any(block) else 2 * BLOCK


def _member(raw: bytes) -> Member:
    """What a header says, before it is compared with the one that says so. Raises Damaged."""
    said: dict[bytes, bytes] = {}
    if len(raw) > BLOCK:
        size = _number(raw[_SIZE])
        said = {name: value for _, name, value in _RECORD.findall(raw[BLOCK : BLOCK + min(size, BLOCK)])}
    last = raw[-BLOCK:]
    try:
        path = said.get(b"path", last[:100].rstrip(b"\0")).decode("ascii")
        size = int(said[b"size"]) if b"size" in said else _number(last[_SIZE])
    except ValueError:
        raise Damaged(what="bundle tar") from None
    if not path or not 0 <= size <= _MOST_SIZE:
        raise Damaged(what="bundle tar")
    return Member(path, size)


def _number(field: bytes) -> int:
    if not re.fullmatch(rb"[0-7]{11}\0", field):
        raise Damaged(what="bundle tar")
    return int(field[:11], 8)
