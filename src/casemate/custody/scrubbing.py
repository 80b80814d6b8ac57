"""The scrub as a loop: a stretch of every class at a time, each in a lane of its own, and a run a day."""

from __future__ import annotations

from casemate.access import Gate, Lanes
from casemate.clock import SECOND, Loop
from casemate.custody.scrub import Scrub
from casemate.errors import CasemateError
from casemate.labels import AccessClass
from casemate.policy import Action

__all__ = ["Scrubbing"]

SCRUB = Action("scrub", "store")
EVERY = 30.0
RUN = 24 * 3600 * SECOND


class Scrubbing:
    """Where each class stands in its run; after a start every run begins anew."""

    def __init__(self, gate: Gate, scrub: Scrub, patience: float | None = None) -> None:
        self._gate = gate
        self._scrub = scrub
        self._after: dict[str, str] = {}
        self._ended: dict[str, int] = {}
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("custody.scrub", EVERY, self._lanes.step)]

    async def stop(self) -> None:
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        now, id = self._gate.vault.clock.now(), access.id
        if id not in self._after and 0 <= now - self._ended.get(id, -RUN) < RUN:
            return 0
        try:
            flow = await self._gate.open(self._gate.service("custody", access), SCRUB)
            found = await self._scrub.stretch(flow, self._after.get(id, ""))
        except CasemateError as error:
            self.problems[id] = error.slug
            return 0
        self.problems.pop(id, None)
        if found.after:
            self._after[id] = found.after
        else:
            self._after.pop(id, None)
            self._ended[id] = now
        return found.looked
