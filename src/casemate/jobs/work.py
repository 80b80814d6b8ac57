"""Long work that is no job, told in the words of jobs: what other rooms do in the background for somebody.

A room that has such work keeps its own rows, states and loop, and registers a `Sort` here. The row of the room is the
one truth: nothing is kept here, and no second state can differ from it. Whoever asked for the work sees it, whichever
wire he came by, and nobody else does. What a page holds, its order and its cursor are made from his own visible work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from casemate.access import Flow
from casemate.errors import BadInput, Conflict
from casemate.jobs.job import State
from casemate.labels import Label
from casemate.objects import Found
from casemate.words import say

__all__ = ["ENDED", "Head", "Page", "Sort", "Work", "Works"]

ENDED: tuple[State, ...] = ("SUCCEEDED", "FAILED", "CANCELLED")
LOOKED = 200
"""Works that one request looks into: a page may be short of its limit, and its cursor goes on."""
_CURSOR = re.compile(r"\d{1,18}/[A-Za-z0-9_:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of long work. Times are microseconds, 0 where the room keeps none or it has not come to that.

    `kind` is its sort's name; `stage` is the room's own word for where it stands, `state` the job's. `total`, `done`
    and `failed` count what it is made of: lines, files, passages; `done` includes what failed. `ends`: whether it can
    be cancelled now.
    """

    kind: str
    id: str
    name: str
    state: State
    stage: str
    label: Label
    owner: str
    person: str
    created: int
    started: int = 0
    ended: int = 0
    total: int = 0
    done: int = 0
    failed: int = 0
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What a page is ordered by, newest first: when it was asked for (microseconds), its id, and the room's row."""

    at: int
    id: str
    found: Found[Any]

    @property
    def order(self) -> tuple[int, str]:
        return -self.at, self.id


class Sort(Protocol):
    """A room's kind of long work. `name` is a word for it; every id of its works begins with `prefix`."""

    name: str
    prefix: str

    async def heads(self, flow: Flow) -> list[Head]:
        """All works of the flow's own principal in its visible world."""
        ...

    async def told(self, flow: Flow, heads: Sequence[Head]) -> list[Work]:
        """These works as they stand, in the same order."""
        ...

    async def cancel(self, flow: Flow, id: str) -> None:
        """Ask that one ends. Raises Absent, Conflict where it has ended or cannot be ended."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Some works, newest first, and where the next ones begin; "" where there are none."""

    items: tuple[Work, ...]
    after: str


class Works:
    """The sorts of a region, registered by wiring. One per process that has rooms."""

    def __init__(self, sorts: Sequence[Sort]) -> None:
        self._sorts = tuple(sorts)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sort.name for sort in self._sorts)

    async def page(self, flow: Flow, limit: int, after: str = "", kind: str = "", live: bool = False) -> Page:
        """The caller's works after a cursor; `live`: only those that have not ended. Raises BadInput."""
        self._checked(flow, after, kind)
        heads = [
            (head, sort)
            for sort in self._sorts
            if kind in ("", sort.name)
            for head in await sort.heads(flow)
            if not after or head.order > _place(after)
        ]
        heads.sort(key=lambda pair: pair[0].order)
        looked, found = 0, list[Work]()
        while looked < min(len(heads), LOOKED) and len(found) < limit:
            some = heads[looked : looked + min(limit - len(found), LOOKED - looked)]
            looked += len(some)
            found += [work for work in await _told(flow, some) if not live or work.state not in ENDED]
        last = heads[looked - 1][0] if 0 < looked < len(heads) else None
        return Page(tuple(found), f"{last.at}/{last.id}" if last is not None else "")

    async def one(self, flow: Flow, id: str) -> Work:
        """One of the caller's. Somebody else's is as absent as one that never was."""
        near = [sort for sort in self._sorts if id.startswith(sort.prefix)]
        found = [(head, sort) for sort in near for head in await sort.heads(flow) if head.id == id]
        if not found:
            await flow.absent(None, id[:200])
        [work] = await _told(flow, found)
        return work

    async def cancel(self, flow: Flow, id: str) -> Work:
        """Ask that it ends, and what is told of it then. Raises Absent, Conflict."""
        work = await self.one(flow, id)
        if not work.ends:
            slug = "jobs.work.ended" if work.state in ENDED else "jobs.work.endless"
            raise Conflict(what=say(slug, flow.session.language))
        sort = next(sort for sort in self._sorts if sort.name == work.kind)
        await sort.cancel(flow, id)
        return await self.one(flow, id)

    def _checked(self, flow: Flow, after: str, kind: str) -> None:
        language = flow.session.language
        if kind and kind not in self.kinds:
            raise BadInput(what=say("jobs.work.kind", language, kinds=", ".join(self.kinds)))
        if after and not _CURSOR.fullmatch(after):
            raise BadInput(what=say("jobs.door.after", language))


def _place(after: str) -> tuple[int, str]:
    at, _, id = after.partition("/")
    return -int(at), id


async def _told(flow: Flow, heads: Sequence[tuple[Head, Sort]]) -> list[Work]:
    """These works in their order; each sort is asked once, for all of its own."""
    known: dict[str, Work] = {}
    for sort in {id(sort): sort for _, sort in heads}.values():
        own = [head for head, its in heads if its is sort]
        known |= {head.id: work for head, work in zip(own, await sort.told(flow, own), strict=True)}
    return [known[head.id] for head, _ in heads]
