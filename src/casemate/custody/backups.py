"""Backups of a running region: who asks for them, when they come by themselves, and what is recorded of them.

A backup holds the whole region, so how much is in it says how much was done at every label. It is spoken of at the
region's ceiling alone, and its own entries lie there. What makes one is behind a port that wiring gives.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from casemate.access import Flow, Gate
from casemate.clock import SECOND, Loop
from casemate.custody.backup import Head
from casemate.errors import CasemateError, Damaged, NoBackups, Refused
from casemate.policy import Action

__all__ = ["Backing", "Backups", "Drilled", "State"]

DAY = 86_400 * SECOND
LATE = 3600 * SECOND  # a region that starts later than this after the hour waits for the next one
RUN, DRILL = Action("run", "backup"), Action("drill", "backup")


class Drilled(msgspec.Struct, frozen=True):
    """A chain was brought back beside the region, and what came of it was compared. `differs`: what was not equal."""

    commit: int
    at: int
    seconds: float
    rows: int
    blobs: int
    logs: int
    differs: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return not self.differs


class State(msgspec.Struct, frozen=True):
    """What the region remembers of its backups since it was started. `trouble`: why the last one did not come."""

    folder: str
    head: Head | None = None
    drilled: Drilled | None = None
    trouble: str = ""


class Backing(Protocol):
    """What makes backups where the records are written."""

    folder: str

    async def run(self, tables: bool = False) -> Head:
        """An increment. Raises StorageFull, Unavailable, Damaged."""
        ...

    async def drill(self, head: Head) -> Drilled:
        """Bring that state back beside the region, compare it, and leave nothing of it."""
        ...

    async def head(self) -> Head | None:
        """The last link that was written."""
        ...


class Backups:
    """`minutes` between increments; `drill_at`: minutes after midnight (UTC), None for never."""

    def __init__(self, gate: Gate, backing: Backing | None, minutes: int, drill_at: int | None) -> None:
        self._gate = gate
        self._backing = backing
        self._minutes = minutes
        self._drill_at = drill_at
        self._drilled: Drilled | None = None
        self._planned = 0
        self._trouble = ""

    def loops(self) -> list[Loop]:
        """An increment again and again, and a drill each night; none where there is no folder."""
        if self._backing is None:
            return []
        found = [Loop("backup.run", self._minutes * 60.0, self._increment)]
        return found if self._drill_at is None else [*found, Loop("backup.drill", 60.0, self._nightly)]

    async def state(self, flow: Flow) -> State:
        """Raises Refused (`at-ceiling`)."""
        self._whole(flow)
        if self._backing is None:
            return State("")
        return State(self._backing.folder, await self._backing.head(), self._drilled, self._trouble)

    async def run(self, flow: Flow) -> Head:
        """An increment for whoever asks. Raises Refused (`at-ceiling`), NoBackups where no folder is set."""
        return await self._run(flow)

    async def drill(self, flow: Flow) -> Drilled:
        """An increment, and a drill of it. Raises as `run`."""
        head = await self._run(flow, tables=True)
        drilled = self._drilled = await self._given().drill(head)
        await flow.commit(facts=_told(drilled))
        return drilled

    async def _run(self, flow: Flow, tables: bool = False) -> Head:
        self._whole(flow)
        backing = self._given()
        try:
            head = await backing.run(tables)
        except CasemateError as error:
            self._trouble = error.slug
            raise
        self._trouble = ""
        await flow.commit(facts={"chain": head.chain, "link": head.number, "digest": head.digest, "upto": head.commit})
        return head

    async def _increment(self) -> int:
        try:
            await self._run(await self._service(RUN))
        except CasemateError:
            return 0  # it is told by `state`, and tried again
        return 1

    async def _nightly(self) -> int:
        """Whether there was a drill: one for each night."""
        now, minutes = self._gate.vault.clock.now(), self._drill_at or 0
        planned = now - now % DAY + minutes * 60 * SECOND
        if not 0 <= now - planned <= LATE or self._planned == planned:
            return 0
        self._planned = planned
        try:
            drilled = await self.drill(await self._service(DRILL))
        except CasemateError as error:
            self._trouble = error.slug
            return 0
        if not drilled.equal:
            self._trouble = Damaged.slug
        return 1

    async def _service(self, action: Action) -> Flow:
        whole = self._gate.classes.of(self._gate.vault.region.ceiling)
        return await self._gate.open(self._gate.service("custody", whole), action)

    def _given(self) -> Backing:
        if self._backing is None:
            raise NoBackups
        return self._backing

    def _whole(self, flow: Flow) -> None:
        """Only who sees everything is told how much there is."""
        ceiling = self._gate.vault.region.ceiling
        if not ceiling <= flow.acting:
            raise Refused(rule="at-ceiling", acting=flow.acting.text, ceiling=ceiling.text)


def _told(drilled: Drilled) -> dict[str, Any]:
    return {"drilled": "equal" if drilled.equal else "differs", "upto": drilled.commit, "rows": drilled.rows}
