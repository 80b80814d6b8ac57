"""Uploads that nobody has ended: after a week they are let go of, and with them the parts that have none any more."""

from __future__ import annotations

from casemate.access import Gate, Lanes
from casemate.buckets.kinds import PART, UPLOAD
from casemate.clock import SECOND, Loop
from casemate.errors import CasemateError
from casemate.labels import AccessClass
from casemate.objects import Change, Delete
from casemate.policy import Action

__all__ = ["Stale"]

TEND = Action("tend", "bucket")
WEEK = 7 * 24 * 3600 * SECOND
HOUR = 3600 * SECOND
TOGETHER = 500


class Stale:
    """One step looks at every class, each by its own service session."""

    def __init__(self, gate: Gate, patience: float | None = None) -> None:
        self._gate = gate
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("buckets.stale", 600.0, self._lanes.step)]

    async def stop(self) -> None:
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        try:
            done = await self._let_go(access)
        except CasemateError as error:
            self.problems[access.id] = error.slug
            return 0
        self.problems.pop(access.id, None)
        return done

    async def _let_go(self, access: AccessClass) -> int:
        flow = await self._gate.open(self._gate.service("buckets", access), TEND)
        now = self._gate.vault.clock.now()
        uploads = {each.id: each for each in await flow.every(UPLOAD) if each.ref.class_id == access.id}
        old = [each for each in uploads.values() if each.value.at < now - WEEK]
        gone: list[Change] = [Delete(UPLOAD, each.id, expect=each.version) for each in old]
        kept = uploads.keys() - {each.id for each in old}
        parts = [each for each in await flow.every(PART) if each.ref.class_id == access.id]
        gone += [
            Delete(PART, each.id, expect=each.version)
            for each in parts
            if each.value.upload not in kept and each.value.at < now - HOUR
        ]
        for start in range(0, len(gone), TOGETHER):
            some = gone[start : start + TOGETHER]
            await flow.commit(*some, facts={"stale": len(some)})
        return len(gone)
