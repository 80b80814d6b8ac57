"""The tar file inside: members in their one order and spelling. A header is read for what it says, then written again
by the rule and held against what was read, so that nothing can stand in a header that is not described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from casemate_verify.face import Face, padded
from casemate_verify.faults import Misread
from casemate_verify.frames import Content

__all__ = ["KINDS", "Member", "lying", "walk"]

BLOCK = 512
MOST = 32_000
_PAX = re.compile(rb"(?:[0-9]{1,4} path=([^\n\x00]{1,1024})\n)?(?:[0-9]{1,4} size=([0-9]{1,15})\n)?")
_OCTAL = re.compile(rb"[0-7]{11}\x00")

# kind, its names in order, the largest size
KINDS = (
    ("oci", re.compile(r"oci-layout"), 4 << 10),
    ("index", re.compile(r"index\.json"), 8 << 20),
    ("release", re.compile(r"release\.dsse\.json"), 16 << 20),
    ("metadata", re.compile(r"metadata/(?:[1-9][0-9]{0,3}\.root|snapshot|targets|timestamp)\.json"), 512 << 10),
    ("blob", re.compile(r"blobs/sha512/[0-9a-f]{128}"), 1 << 44),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: which of the KINDS it is, its path, its size in bytes."""

    kind: str
    path: str
    size: int


def _need(holds: bool, why: str) -> None:
    if not holds:
        raise Misread("inside", why)


def walk(content: Content, face: Face) -> Iterator[Member]:
    """Each member; who walks takes all bytes of one before he asks for the next. Misread `inside`."""
    last, count = (-1, ""), 0
    while (member := _header(content)) is not None:
        count += 1
        _need(count <= MOST, "too many members")
        kind = _kind(member[0])
        _need((kind, member[0]) > last, "members out of order")
        last = (kind, member[0])
        name, _, most = KINDS[kind]
        _need(member[1] <= most, f"{name}: too large")
        yield Member(name, *member)
        _need(not content.take(-member[1] % BLOCK).strip(b"\x00"), "something between members")
    _need(not content.take(BLOCK).strip(b"\x00"), "no second block of zeros")
    _need(padded(max(content.at, 1 << 20)) == face.size, "padded to another size")
    _need(content.blank(), "something behind the end")


def lying(member: Member, data: bytes) -> bytes:
    """A member with its header and what fills it up, as it lies in the file."""
    return _written(member.path.encode(), member.size) + data + b"\x00" * (-len(data) % BLOCK)


def _kind(path: str) -> int:
    for place, (_, names, _most) in enumerate(KINDS):
        if names.fullmatch(path):
            return place
    raise Misread("inside", "a member of another name")


def _header(content: Content) -> tuple[str, int] | None:
    """Path and size of the next member; None at the end."""
    raw = content.take(BLOCK)
    if not raw.strip(b"\x00"):
        return None
    path, size = b"", b""
    if raw[156:157] == b"x":
        length = _octal(raw)
        _need(length <= 4 * BLOCK, "too long a header")
        records = content.take(-(-length // BLOCK) * BLOCK)
        found = _PAX.fullmatch(records[:length])
        _need(found is not None, "an unknown header")
        assert found is not None  # it was asked for in the line above
        path, size = found.group(1) or b"", found.group(2) or b""
        last = content.take(BLOCK)
        raw += records + last
    else:
        last = raw
    path = path or last[:100].rstrip(b"\x00")
    _need(path.isascii() and b"\x00" not in path, "a member of another name")
    told = int(size) if size else _octal(last)
    _need(raw == _written(path, told), "a header in another spelling")
    return path.decode("ascii"), told


def _octal(block: bytes) -> int:
    field = block[124:136]
    _need(_OCTAL.fullmatch(field) is not None, "a size in another spelling")
    return int(field[:11], 8)


def _written(path: bytes, size: int) -> bytes:
    """The header of a member as the description has it."""
    records = _record(b"path", path) if len(path) > 100 else b""
    if size >= 8**11:
        records += _record(b"size", str(size).encode())
    head = b""
    if records:
        head = _block(b"././@PaxHeader", 0, len(records), b"x") + records + b"\x00" * (-len(records) % BLOCK)
    return head + _block(path[:100], 0o644, size if size < 8**11 else 0, b"0")


def _record(name: bytes, value: bytes) -> bytes:
    """`LENGTH NAME=VALUE` and a line feed, where the length counts itself."""
    bare = len(name) + len(value) + 3
    length = bare + len(str(bare))
    length = bare + len(str(length))
    return str(length).encode() + b" " + name + b"=" + value + b"\n"


def _block(name: bytes, mode: int, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(100, b"\x00"),
        b"%07o\x00" % mode,
        b"0000000\x00" * 2,  # uid and gid
        b"%011o\x00" % size,
        b"00000000000\x00",  # mtime
        b" " * 8,
        kind.ljust(101, b"\x00"),
        b"ustar\x0000",
    )
    block = b"".join(fields).ljust(BLOCK, b"\x00")
    return block[:148] + b"%06o\x00 " % sum(block) + block[156:]
