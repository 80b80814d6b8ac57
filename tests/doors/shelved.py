"""A shelf for tests of the wires: it keeps what it was asked, and finds what a test has put on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from casemate.access import Flow
from casemate.errors import UnknownKnowledge
from casemate.models.shelf import BaseSeen, FileSeen, HitSeen, Search, Searched

__all__ = ["Shelved", "hit"]


def hit(number: int = 0, **more: Any) -> HitSeen:
    """A passage that was found."""
    told: dict[str, Any] = {
        "document": f"doc_{number}",
        "file": "",
        "passage": f"psg_{number}",
        "base": "harbour",
        "title": "Notice été",
        "name": "",
        "heading": "",
        "text": f"The ferry sails at {number}.",
        "page": 0,
        "score": 1 / (number + 1),
        "attributes": {},
        "label": "low",
        "mark": "(U)",
    }
    return HitSeen(**(told | more))


@dataclass
class Shelved:
    """Implements `models.shelf.Shelf` as far as it is searched. A base of which nothing was said is unknown."""

    hits: list[HitSeen] = field(default_factory=list)
    named: tuple[str, ...] = ("harbour", "all")
    asked: list[Search] = field(default_factory=list)

    async def search(self, flow: Flow, search: Search) -> Searched:
        del flow
        self.asked.append(search)
        for name in search.bases:
            if name not in self.named:
                raise UnknownKnowledge(name=name)
        return Searched(tuple(self.hits[: search.k]))

    async def make(self, *_: Any) -> BaseSeen:
        raise AssertionError("nobody makes a base here")

    async def bases(self, flow: Flow) -> list[BaseSeen]:
        del flow
        return []

    async def files(self, *_: Any) -> list[FileSeen]:
        return []

    async def known(self, *_: Any) -> list[FileSeen]:
        return []

    async def content(self, *_: Any) -> list[str]:
        return []

    async def remove(self, *_: Any) -> None:
        return None

    async def file(self, *_: Any) -> FileSeen:
        raise AssertionError("nobody asks for a file here")

    change = base = make
    attach = describe = file
    detach = remove
