"""The changes of one step of the loop, in one commit: each job from the version that it was made from.

Where somebody else has changed a job in between, its change is given up and the others stand. The counts of an array
are changed in the same commit as its children, so that they are never anything but their sum.
"""

from __future__ import annotations

from collections.abc import Mapping

from casemate.access import Flow
from casemate.errors import Conflict
from casemate.jobs import life
from casemate.jobs.job import JOB, Job, State
from casemate.jobs.shares import JOB_USE, USE, Use, charged
from casemate.objects import Found, Put, Ref

__all__ = ["Changes", "parents_of"]

TRIES = 6


class Changes:
    """Collects, then lands. `arrays`: the open ones, as they were last seen; `use`: what owners have used of late."""

    def __init__(self, flow: Flow, arrays: Mapping[str, Found[Job]], now: int, use: Found[Use] | None = None) -> None:
        self._flow = flow
        self.use = use
        self._charges: dict[str, tuple[str, float]] = {}
        self._now = now
        self._arrays = dict(arrays)
        self._was: dict[str, Found[Job]] = {}
        self._next: dict[str, Job] = {}
        self._born: dict[str, Job] = {}
        self._more: dict[str, Put] = {}
        self.missed: list[str] = []

    def value(self, found: Found[Job]) -> Job:
        """What the job is after the changes so far."""
        return self._next.get(found.id, found.value)

    def put(self, found: Found[Job], value: Job | None) -> bool:
        """The job's next value; None where `life` allows no such step."""
        if value is None:
            return False
        self._was.setdefault(found.id, found)
        self._next[found.id] = value
        return True

    def born(self, id: str, value: Job) -> None:
        """A child of an array, that has not been there before."""
        self._born[id] = value

    def beside(self, id: str, put: Put) -> None:
        """What is kept with a job's change, and only with it."""
        self._more[id] = put

    def charge(self, id: str, owner: str, seconds: float) -> None:
        """CPU seconds that count against an owner, with a job's change and only with it."""
        self._charges[id] = (owner, seconds)

    def __len__(self) -> int:
        return len(self._next) + len(self._born)

    async def land(self) -> list[Found[Job]]:
        """One commit; what stands in the store now. `missed`: whose change was given up. Raises Conflict."""
        for _ in range(TRIES):
            puts = self._puts()
            if not puts:
                return []
            try:
                receipt = await self._flow.commit(*puts, facts={"jobs": len(puts)})
            except Conflict:
                if not await self._others():
                    raise
                continue
            access = self._flow.access
            for put, version in zip(puts, receipt.versions, strict=True):
                if put.kind is JOB_USE:
                    self.use = Found(Ref(JOB_USE.name, put.id, access.id), version, self._flow.acting, put.value)
            return [
                Found(Ref(JOB.name, put.id, access.id), version, self._flow.acting, put.value)
                for put, version in zip(puts, receipt.versions, strict=True)
                if put.kind is JOB
            ]
        raise Conflict(what=JOB.name)

    def _puts(self) -> list[Put]:
        moved: dict[str, list[tuple[State, State]]] = {}
        for id, job in self._next.items():
            before = self._was[id].value
            if job.parent and before.state != job.state:
                moved.setdefault(job.parent, []).append((before.state, job.state))
        values = dict(self._next)
        was = dict(self._was)
        for parent, steps in moved.items():
            if parent in self._arrays:
                was.setdefault(parent, self._arrays[parent])
                values[parent] = life.rolled(values.get(parent, was[parent].value), steps, self._now)
        puts = [
            Put(JOB, id, value, parents_of(self._flow, value), expect=was[id].version) for id, value in values.items()
        ]
        puts += [Put(JOB, id, value, parents_of(self._flow, value), expect=0) for id, value in self._born.items()]
        if puts and self._charges:
            was_use = self.use.value if self.use is not None else Use()
            version = self.use.version if self.use is not None else 0
            puts.append(Put(JOB_USE, USE, charged(was_use, self._charges.values(), self._now), expect=version))
        return puts + list(self._more.values())

    async def _others(self) -> bool:
        """Give up what another has changed; an array is taken as it is now. Whether anything was."""
        found = False
        for id in {*self._next, *self._arrays}:
            at = self._was.get(id) or self._arrays[id]
            now = await _own(self._flow, id)
            if now is not None and now.version == at.version:
                continue
            found = True
            if id in self._next:
                self.missed.append(id)
                self._next.pop(id, None)
                self._was.pop(id, None)
                self._more.pop(id, None)
                self._charges.pop(id, None)
                self._born = {child: job for child, job in self._born.items() if job.parent != id}
            if id in self._arrays and now is not None:
                self._arrays[id] = now
                self.missed.append(id)
            elif id in self._arrays:
                del self._arrays[id]
        return found


def parents_of(flow: Flow, job: Job) -> tuple[Ref, ...]:
    """What it was made from, as parents of its row. What lay in a class that is no more is nobody's parent."""
    if not job.made_of:
        return ()
    visible = {access.id for access in flow.classes()}
    return tuple(Ref(*each) for each in job.made_of if each[2] in visible)


async def _own(flow: Flow, id: str) -> Found[Job] | None:
    """The job of that id in the flow's own class."""
    for found in await flow.read_each(JOB, id):
        if found.ref.class_id == flow.access.id:
            return found
    return None
