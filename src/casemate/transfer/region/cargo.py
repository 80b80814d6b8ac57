"""What travels: each room says how one of its objects is packed, and how one that came is put where its loop finds it.

A port: the rooms are strangers to each other, so wiring gives one of these for every kind of thing. Whoever implements
it gives changes and commits nothing: all that came in one bundle lands in one commit, or none of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from casemate.access import Enrol, Flow
from casemate.objects import Change, Ref

__all__ = ["Alarming", "Arrived", "Cargo", "Carried", "Content", "Gathered", "Landed", "Shown", "Through"]


async def _nothing() -> None:
    return


class Alarming(Exception):
    """What came contradicts what was seen before: its bundle is put aside by this rule, and that is an alarm."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Content:
    """A file of an object: its path in it, and its bytes, or where they lie on this machine."""

    path: str
    data: bytes = field(default=b"", repr=False)
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """An object as it is packed. `title` is for the record, and never on the outside of a bundle."""

    ref: Ref
    title: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as a guard looks at it: its path in the object, and the name by which people know what it is.

    `remade`: what the guard makes of it is what lands; else it lands as it came.
    """

    path: str
    name: str
    remade: bool = True


class Carried(Protocol):
    """The files of an object, on whichever side."""

    @property
    def name(self) -> str: ...

    @property
    def files(self) -> Mapping[str, int]:
        """Sizes by path."""
        ...

    async def read(self, path: str) -> bytes:
        """All of a file. Raises TooLarge for one that is no small one."""
        ...

    async def head(self, path: str, most: int) -> bytes:
        """The first bytes of a file of any size."""
        ...


class Arrived(Carried, Protocol):
    """An object of a bundle that was accepted: its files, in bytes that were compared with their digests."""

    @property
    def digest(self) -> str: ...

    @property
    def formats(self) -> Mapping[str, str]:
        """What a guard here has made anew, by path, and in which format."""
        ...

    def pieces(self, path: str) -> AsyncIterator[bytes]:
        """A file of any size, piece by piece; its digest is compared before the last one is given."""
        ...

    async def copy(self, path: str, into: Path) -> None:
        """A file of any size, onto the disk."""
        ...


@dataclass(frozen=True, slots=True)
class Landed:
    """What the one commit changes for an object, and where it then lies. `after` runs once it is durable, `undo`
    where it never will be. `enrolled`: what it changes of what admission believes.

    `mark`: by what it is seen later whether it is still the same that lies there.
    """

    ref: Ref
    changes: Sequence[Change]
    mark: str = ""
    enrolled: Sequence[Enrol] = ()
    after: Callable[[], Awaitable[None]] = _nothing
    undo: Callable[[], Awaitable[None]] = _nothing


@dataclass(frozen=True, slots=True)
class Through:
    """How it came: the region that sent it, and the sequence of its bundle."""

    source: str
    sequence: int


class Cargo(Protocol):
    """One kind of thing. `kind` is how people call it, `type` how a manifest does.

    `asks`: it goes and comes by those channels alone of which an officer has said so.
    """

    kind: str
    type: str
    asks: bool

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """The object of the flow's own class. Raises Absent, BadInput where it lies in another."""
        ...

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """The files that a guard looks at. Raises BadInput."""
        ...

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """Pour what came and say what is to be committed.

        Raises BadInput, Alarming.
        """
        ...

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        """Whether what came before under that id still lies in the flow's own class."""
        ...
