"""What the wires ask of the knowledge side: bases, the files in them, and searches; told in plain values.

A data process holds no knowledge: it asks over the relay, with the flow sealed. Everything that is told is of the
flow's visible world, and what the bases and files bear is their own label.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from casemate.access import Flow
from casemate.models.filter import Attribute, Compare, Every, Filter, Some

__all__ = [
    "Attribute",
    "BaseSeen",
    "Compare",
    "Every",
    "FileSeen",
    "Filter",
    "HitSeen",
    "NewBase",
    "Search",
    "Searched",
    "Shelf",
    "Some",
]


class NewBase(msgspec.Struct, frozen=True):
    """A base to be made, or what is to change of one (None: stays). `name` "" lets the region draw an id (`vs_...`).

    `expires_after`: seconds without use after which its files are let go; 0 never. `granularity`: portion, document.
    """

    name: str = ""
    title: str | None = None
    embedder: str | None = None
    granularity: str | None = None
    metadata: dict[str, str] | None = None
    expires_after: int | None = None


class BaseSeen(msgspec.Struct, frozen=True):
    """A base of the visible world. Times in microseconds; counts are of what is visible."""

    name: str
    title: str
    embedder: str
    granularity: str
    metadata: dict[str, str]
    expires_after: int
    by: str
    at: int
    used: int
    documents: int
    waiting: int
    quarantined: int
    bytes: int
    label: str


class FileSeen(msgspec.Struct, frozen=True):
    """A file in a base. `id` is the file's (`file-...`) or, of what was added otherwise, the document's.

    `state`: waiting, ready, quarantined or unmarked; where it is quarantined, `slug` names the reason and `reason` is
    its sentence.
    """

    id: str
    base: str
    document: str
    name: str
    state: str
    reason: str
    attributes: dict[str, Attribute]
    at: int
    bytes: int
    label: str
    slug: str = ""


class Search(msgspec.Struct, frozen=True):
    """`queries`: each is asked; a passage found by several counts by its best. `bases`: names, or all.

    `method`: how passages are ranked. `least`: fused scores below it are left out (0..1, of the best possible).
    """

    queries: tuple[str, ...]
    bases: tuple[str, ...]
    k: int = 10
    filter: Filter | None = None
    method: Literal["hybrid", "text", "dense"] = "hybrid"
    least: float = 0.0


class HitSeen(msgspec.Struct, frozen=True):
    """A passage that was found. `score` 0..1: the share of the best possible fused score."""

    document: str
    file: str
    passage: str
    base: str
    title: str
    name: str
    heading: str
    text: str
    page: int
    score: float
    attributes: dict[str, Attribute]
    label: str
    mark: str


class Searched(msgspec.Struct, frozen=True):
    """Hits, best first."""

    hits: tuple[HitSeen, ...]


class Shelf(Protocol):
    """Bases and searches of one flow's visible world. Raises UnknownKnowledge for what is not visible or never was."""

    async def make(self, flow: Flow, new: NewBase) -> BaseSeen: ...

    async def change(self, flow: Flow, name: str, new: NewBase) -> BaseSeen: ...

    async def bases(self, flow: Flow) -> list[BaseSeen]: ...

    async def base(self, flow: Flow, name: str) -> BaseSeen: ...

    async def remove(self, flow: Flow, name: str) -> None:
        """The base and what lies in it exactly at the acting label or above, if the caller brought it."""
        ...

    async def attach(self, flow: Flow, base: str, file: str, attributes: dict[str, Attribute]) -> FileSeen:
        """Bring a file of the caller's (`models.files`) into a base; it is read in the background."""
        ...

    async def files(self, flow: Flow, base: str) -> list[FileSeen]: ...

    async def file(self, flow: Flow, base: str, id: str) -> FileSeen: ...

    async def describe(self, flow: Flow, base: str, id: str, attributes: dict[str, Attribute]) -> FileSeen:
        """Other attributes for a file in a base."""
        ...

    async def known(self, flow: Flow, documents: tuple[str, ...]) -> list[FileSeen]:
        """The files that these documents came in, as far as they are visible, in that order: what citations name."""
        ...

    async def content(self, flow: Flow, base: str, id: str) -> list[str]:
        """The visible passages of a file in a base, in their order."""
        ...

    async def detach(self, flow: Flow, base: str, id: str) -> None: ...

    async def search(self, flow: Flow, search: Search) -> Searched: ...
