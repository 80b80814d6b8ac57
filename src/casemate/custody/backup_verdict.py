"""Whether a chain of links is whole, and if not, where it stops being so. Pure.

A link that opens says its own number and the digest of the one before, so nothing can be left out, put in another's
place, doubled or taken from another chain without being told. A link that opens and that the region has not signed is
none: whoever knows its public keys could have written it. Links cut off at the end are seen against a `Head` that
was kept elsewhere; without one a chain that does not end with a point is told as unfinished.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from casemate.custody.backup import Head, Title

__all__ = ["Fault", "Link", "Verdict", "What", "judge"]

What = Literal["damaged", "foreign", "missing", "swapped", "doubled", "gap", "cut", "another", "tampered"]


@dataclass(frozen=True, slots=True)
class Link:
    """A file of a chain's folder as it was found. `title` is None where it could not be opened, or was not whole.

    `signed`: by the region's own key.
    """

    name: str
    digest: str
    title: Title | None
    foreign: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which link: its number where that is known, and its file where there is one."""

    what: What
    number: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`links`: the whole ones from the beginning up to the first fault. `points`: the numbers of points among them."""

    links: tuple[Link, ...]
    faults: tuple[Fault, ...]

    @property
    def whole(self) -> bool:
        return not self.faults

    @property
    def tampered(self) -> bool:
        """Whether something there is not the region's own."""
        return any(fault.what == "tampered" for fault in self.faults)

    @property
    def titles(self) -> tuple[Title, ...]:
        return tuple([link.title for link in self.links if link.title is not None])

    @property
    def points(self) -> tuple[int, ...]:
        return tuple([title.number for title in self.titles if title.point is not None])

    @property
    def unfinished(self) -> int:
        """How many links lie behind the last point."""
        return len(self.links) - 1 - max(self.points, default=-1)

    def upto(self, number: int) -> Verdict:
        """The same chain as if it had ended with that link."""
        return Verdict(self.links[: number + 1], ())


def judge(found: Iterable[Link], head: Head | None = None) -> Verdict:
    """The verdict over every file of a chain's folder."""
    faults: list[Fault] = []
    numbered: dict[int, Link] = {}
    for link in sorted(found, key=lambda link: link.name):
        if link.title is None:
            faults.append(Fault("foreign" if link.foreign else "damaged", name=link.name))
        elif not link.signed:
            faults.append(Fault("tampered", link.title.number, link.name))
        elif link.title.number in numbered:
            faults.append(Fault("doubled", link.title.number, link.name))
        else:
            numbered[link.title.number] = link
    last = max([*numbered, head.number if head is not None else -1])
    whole: list[Link] = []
    broken = bool([fault for fault in faults if fault.what == "doubled"])
    for number in range(last + 1):
        fault = _wrong(number, numbered, head)
        if fault is not None:
            faults.append(fault)
            broken = True
        elif not broken:
            whole.append(numbered[number])
    if last < 0:
        faults.append(Fault("missing", 0))
    return Verdict(tuple(whole), tuple(faults))


def _wrong(number: int, numbered: dict[int, Link], head: Head | None) -> Fault | None:
    """What is wrong with a link, seen from the one before it."""
    link, before = numbered.get(number), numbered.get(number - 1)
    if link is None:
        beyond = number > max(numbered, default=-1)
        return Fault("cut" if beyond else "missing", number)
    assert link.title is not None
    if head is not None and number == head.number and link.digest != head.digest:
        return Fault("another", number, link.name)
    if number == 0:
        return None if link.title.base is not None and not link.title.previous else Fault("swapped", 0, link.name)
    if before is not None and link.title.previous != before.digest:
        return Fault("swapped", number, link.name)
    return Fault("gap", number, link.name) if _gap(number, numbered) else None


def _gap(number: int, numbered: dict[int, Link]) -> bool:
    """Whether frames or commits are missing between a span and the last one before it."""
    title = numbered[number].title
    assert title is not None
    if title.wal is None:
        return False
    span = title.wal
    for earlier in range(number - 1, -1, -1):
        link = numbered.get(earlier)
        if link is None or link.title is None:
            return False  # that one is told as missing
        if link.title.wal is not None:
            last = link.title.wal
            after = last.last + 1 if last.header == span.header else 1
            return span.first != after or span.before != last.upto
    return span.first != 1 or span.before != 0
