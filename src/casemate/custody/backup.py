"""What a backup is made of: numbered links of a chain, each of which names the one before by its digest. Pure.

    0 base   the records' file as it lay when the chain began
    n wal    frames of the write-ahead log, in the order in which they were committed
    n files  other files of the region's folder, as many as fit one link
    n point  the end of an increment: how many commits there are, and which files are no longer there

A link is one sealed file; its title is the first thing sealed in it, and says which link it is. So what is missing,
swapped, doubled or older than what was said is told by its number (`backup_verdict`), and what is to be brought back is
worked out from titles alone (`backup_plan`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

__all__ = [
    "FORMAT",
    "LINK_BYTES",
    "LINK_MEMBERS",
    "UNSIGNED",
    "Base",
    "Commit",
    "Face",
    "Head",
    "LinkKind",
    "Member",
    "Point",
    "Span",
    "Stamp",
    "Table",
    "Title",
    "changed",
    "inventory",
    "packs",
]

FORMAT = "casemate backup v2"
UNSIGNED = "casemate backup v1"  # before links were signed
LINK_BYTES = 16 << 20
LINK_MEMBERS = 4096
LinkKind = Literal["base", "wal", "files", "point"]


class Face(msgspec.Struct, frozen=True):
    """What anybody who holds a chain may read: what it is, and how it is to be handled. Bound into every link.

    `signer`: the public key by which the chain says that it is signed, in hexadecimal. It vouches for nothing.
    """

    format: str
    chain: str
    label: str
    marking: str
    signer: str = ""


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """A commit ends with this frame of the log; when, in microseconds."""

    frame: int
    at: int


class Base(msgspec.Struct, frozen=True):
    """The records' file. A state with fewer than `least` commits cannot be brought back from it."""

    size: int
    least: int


class Span(msgspec.Struct, frozen=True):
    """Frames `first` to `last` of the log that begins with `header`; `before` commits of the chain precede them."""

    header: bytes
    first: int
    last: int
    page: int
    before: int
    commits: tuple[Commit, ...]

    @property
    def upto(self) -> int:
        """How many commits of the chain there are with these."""
        return self.before + len(self.commits)


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A file of the region's folder, by its path beneath it."""

    path: str
    size: int
    mode: int


class Table(msgspec.Struct, frozen=True, array_like=True):
    """All rows of a table, counted and digested."""

    rows: int
    digest: str


class Point(msgspec.Struct, frozen=True):
    """The state that an increment has reached. `tables`: what the records held then, where a drill asked for it.

    `note`: where records are kept elsewhere, what their own server calls its state.
    """

    commit: int
    gone: tuple[str, ...] = ()
    tables: dict[str, Table] = {}
    note: str = ""


class Title(msgspec.Struct, frozen=True):
    """Which link this is: the one after that whose digest is `previous` ("" for none). One of the rest is given."""

    number: int
    previous: str
    at: int
    base: Base | None = None
    wal: Span | None = None
    files: tuple[Member, ...] = ()
    point: Point | None = None

    @property
    def kind(self) -> LinkKind:
        if self.base is not None:
            return "base"
        if self.wal is not None:
            return "wal"
        return "point" if self.point is not None else "files"


class Head(msgspec.Struct, frozen=True):
    """The last link of a chain, to be kept elsewhere: a chain that ends before it is not whole.

    `signer`: SHA-384 of the region's public signing key, in hexadecimal.
    """

    chain: str
    number: int
    digest: str
    commit: int
    at: int
    signer: str = ""


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """By what a file is known to be the one that was kept already."""

    size: int
    mtime: int
    inode: int


def changed(known: dict[str, Stamp], there: dict[str, Stamp]) -> tuple[list[str], tuple[str, ...]]:
    """The paths that are new or another, and those that are no longer there."""
    return (
        sorted(path for path, stamp in there.items() if known.get(path) != stamp),
        tuple(sorted(path for path in known if path not in there)),
    )


def packs(members: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
    """The files of one link after the other: a file that is larger than a link has one of its own."""
    pack: list[Member] = []
    size = 0
    for member in members:
        if pack and (size + member.size > LINK_BYTES or len(pack) >= LINK_MEMBERS):
            yield tuple(pack)
            pack, size = [], 0
        pack.append(member)
        size += member.size
    if pack:
        yield tuple(pack)


def inventory(titles: Iterable[Title]) -> dict[str, tuple[int, int]]:
    """Every path that is there after these links: the number of the link that holds its newest form, and its place."""
    found: dict[str, tuple[int, int]] = {}
    for title in titles:
        for place, member in enumerate(title.files):
            found[member.path] = (title.number, place)
        for path in title.point.gone if title.point is not None else ():
            found.pop(path, None)
    return found
