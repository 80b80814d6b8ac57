"""What begins the runs of watches: one at a time of each, over what is new at its source, or when its time has come.

    listed -> less what was taken -> at most `most` of it -> [job and cursor in one commit] -> ... -> its end -> notice

Each class has a lane of its own, and a watch runs in its owner's name at its own label: his quota counts, and what the
label does not dominate is not found. Nothing here is remembered; a process that dies between two steps loses nothing
and has nothing run twice. What must never happen: that a watch runs for an owner who may not act there any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from msgspec.structs import replace as changed

from casemate.access import Flow, Gate, Idle, Lanes
from casemate.clock import SECOND, Loop
from casemate.errors import Absent, BadInput, CasemateError, Conflict, Refused, TooLarge
from casemate.ids import fresh
from casemate.jobs import JOB, Job
from casemate.labels import AccessClass
from casemate.missions.host.cron import cron
from casemate.missions.host.host import Missions
from casemate.missions.host.outcome import result_of
from casemate.missions.host.watch import NOTICE, WATCH, Notice, Watch, condition, told
from casemate.missions.host.watches import parents_of
from casemate.objects import Change, Found, Put
from casemate.policy import Action

__all__ = ["Lying", "Spool", "Watching"]

RUN = Action("run", "mission-watch")
FILES = 4096
"""Objects at one source; where more lie, the watch says so and waits until some are gone."""
AGAIN, LONGEST = 60, 3600
"""Seconds until a run that could not begin is tried again; twice as many each time, and at most so many."""
_MARK = 16


@dataclass(frozen=True, slots=True)
class Lying:
    """Something at a source: what a job reads it by, and what is another as soon as it has changed."""

    source: str
    said: str

    @property
    def mark(self) -> bytes:
        return hashlib.sha384(f"{self.source}\0{self.said}".encode()).digest()[:_MARK]


class Spool(Protocol):
    """Where what comes in by the doors lies. Wiring joins buckets and datasets."""

    async def lying(self, flow: Flow, source: str, most: int) -> Sequence[Lying]:
        """All that the flow sees there, by name. Raises Absent; TooLarge where it is more than `most`."""
        ...

    async def clear(self, flow: Flow, lying: Lying) -> None:
        """Remove it where it lies at the flow's own label and is what was said of it; else nothing."""
        ...


@dataclass(slots=True)
class Watching:
    """The loop. `patience`: seconds that a step waits for its lanes; None waits for all of them."""

    gate: Gate
    missions: Missions
    spool: Spool
    patience: float | None = 0.5
    _lanes: Lanes = field(init=False)
    _idle: Idle = field(default_factory=lambda: Idle(WATCH))

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.gate, self.lane, self.patience)

    def loops(self) -> list[Loop]:
        return [Loop("missions.watch", 2.0, self.step)]

    async def step(self) -> int:
        """Look at every watch, each class in its own lane; how many have begun a run or ended one."""
        return await self._lanes.step()

    async def stop(self) -> None:
        await self._lanes.stop()

    async def lane(self, access: AccessClass) -> int:
        """The share of one class in a step. Nothing that happens here leaves the lane."""
        moved = 0
        try:
            flow = await self.gate.open(self.gate.service("missions", access), RUN)
            tide = await self._idle.turned(flow)
            if tide is None:
                return moved
            own = [one for one in await flow.every(WATCH) if one.ref.class_id == access.id]
        except CasemateError:
            return moved
        if not own:
            self._idle.rest(flow, tide)
        for found in own:
            try:
                moved += await (
                    self._look(access, flow, found) if found.value.job else self._begin(access, flow, found)
                )
            except CasemateError:
                continue  # somebody has just changed or removed it, or the store has no room: the next step looks again
        return moved

    async def _look(self, access: AccessClass, flow: Flow, found: Found[Watch]) -> int:
        """The end of its run: what it found, and a notice where that meets a condition, in one commit."""
        watch = found.value
        jobs = [one for one in await flow.read_each(JOB, watch.job) if one.ref.class_id == flow.access.id]
        if jobs and jobs[0].value.open == "yes":
            return 0
        figures, why = await self._found(flow, jobs[0]) if jobs else ({}, Absent.slug)
        if watch.clear and jobs and jobs[0].value.state == "SUCCEEDED":
            why = await self._clear(access, flow, watch, jobs[0]) or why
        waits = [condition(text) for text in watch.when]
        met = {one.figure: told(figures[one.figure]) for one in waits if one.met(figures, watch.seen)}
        named = {one.figure for one in waits if one.holds == "changes"}
        seen = watch.seen | {name: told(figures[name]) for name in named if figures.get(name) is not None}
        changes: list[Change] = [_put(found, job="", last=watch.job, why=why, seen=seen)]
        if met:
            id = fresh("notice", self.gate.vault.entropy, f"notice/{flow.access.id}/{found.id}")
            value = Notice(
                watch=found.id,
                name=watch.name,
                mission=watch.mission,
                job=watch.job,
                owner=watch.owner,
                at=self.gate.vault.clock.now(),
                figures=met,
                sinks=dict.fromkeys(watch.sinks, ""),
                open="yes" if watch.sinks else "no",
            )
            changes.append(Put(NOTICE, id, value, (jobs[0].ref,), expect=0))
        await flow.commit(*changes, facts={"watch": found.id, "notices": len(changes) - 1})
        return 1

    async def _clear(self, access: AccessClass, flow: Flow, watch: Watch, job: Found[Job]) -> str:
        """Remove what the run took and still lies there unchanged, in the owner's name; why that could not be."""
        try:
            spec = await self.missions.jobs.spec_of(flow, job)
            sources = {one.source for one in spec.inputs if one.name.partition(".")[0] == watch.role}
            owners = await self._flow(access, watch)
            known = _marks(watch)
            for one in await self.spool.lying(owners, watch.source, FILES):
                if one.source in sources and one.mark in known:
                    await self.spool.clear(owners, one)
        except CasemateError as error:
            return error.slug
        return ""

    async def _found(self, flow: Flow, job: Found[Job]) -> tuple[dict[str, Any], str]:
        """Its figures, and why there are none."""
        if job.value.state != "SUCCEEDED":
            return {}, job.value.state.lower()
        try:
            return (await result_of(self.missions.jobs, flow, job))["figures"], ""
        except (Absent, BadInput, TooLarge) as error:
            return {}, error.slug

    async def _begin(self, access: AccessClass, flow: Flow, found: Found[Watch]) -> int:
        watch, now = found.value, self.gate.vault.clock.now()
        if watch.paused or watch.due > now:
            return 0
        try:
            owners = await self._flow(access, watch)
            taken, sources = await self._new(owners, watch)
            if watch.source and not sources:
                if watch.cron:  # what comes later waits for the next moment
                    await flow.commit(_put(found, due=_next(watch, now)), facts={"watch": found.id})
                return 0
            inputs = {**watch.run.inputs, watch.role: sources} if sources else watch.run.inputs
            asked = changed(watch.run, inputs=inputs)
            due = _next(watch, now)
            await self.missions.run(
                owners,
                watch.digest,
                asked,
                lambda job: [_put(found, job=job, taken=taken, due=due, runs=watch.runs + 1, faults=0, why="")],
            )
        except Conflict:
            return 0  # it has just been removed
        except CasemateError as error:
            wait = min(AGAIN << min(watch.faults, 8), LONGEST)
            put = _put(found, why=error.slug, faults=watch.faults + 1, due=now + wait * SECOND)
            await flow.commit(put, facts={"watch": found.id, "why": error.slug})
        return 1

    async def _new(self, flow: Flow, watch: Watch) -> tuple[bytes, tuple[str, ...]]:
        """What has been taken of what still lies there, with what is new; and the first of that, or all that lies."""
        if not watch.source:
            return b"", ()
        lying = {one.mark: one.source for one in await self.spool.lying(flow, watch.source, FILES)}
        known = _marks(watch)
        new = [mark for mark in lying if mark not in known][: watch.most]
        if watch.whole and new:
            if len(lying) > watch.most:
                raise TooLarge(what="source", limit=watch.most)
            return b"".join(lying), tuple(lying.values())
        kept = [mark for mark in lying if mark in known]
        return b"".join((*kept, *new)), tuple(lying[mark] for mark in new)

    async def _flow(self, access: AccessClass, watch: Watch) -> Flow:
        """In the owner's name at the watch's class. Raises Refused for one who may not act there any more."""
        owner = self.gate.directory.principal(watch.owner)
        if owner is None or "user" not in owner.roles or not access.label <= owner.clearance:
            raise Refused(rule="owner", action=RUN.name)
        session = self.gate.service("missions", access)
        principal = replace(session.principal, id=watch.owner, name=watch.person)
        return await self.gate.open(replace(session, principal=principal, language=watch.language), RUN)


def _marks(watch: Watch) -> set[bytes]:
    return {watch.taken[at : at + _MARK] for at in range(0, len(watch.taken), _MARK)}


def _next(watch: Watch, now: int) -> int:
    """When the next run may begin: a schedule keeps its beat, however late this one is."""
    if watch.cron:
        return cron(watch.cron).after(now)
    every = watch.every_s * SECOND
    if watch.source or not every:
        return now + every
    return watch.due + every * ((now - watch.due) // every + 1)


def _put(found: Found[Watch], **changes: Any) -> Put:
    return Put(WATCH, found.id, changed(found.value, **changes), parents_of(found.value), expect=found.version)
