"""The loop of services: what their replicas' folders say becomes what is begun, asked and ended, class by class.

A service is a job that runs nothing itself; its replicas are its children, ordinary jobs that `reconcile` runs. One
step reads the class's services, goes `onward`, commits, and then says to `Doors` which replicas are asked. Doors are a
cache: what stands there is made anew from the store after every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from casemate.access import Flow, Gate, Idle, Lanes
from casemate.clock import Loop
from casemate.errors import CasemateError, Conflict, Internal
from casemate.jobs import life
from casemate.jobs.changes import parents_of
from casemate.jobs.desk import own
from casemate.jobs.executor import Collected
from casemate.jobs.job import JOB, Job, Retry, Service, Serving, Spec
from casemate.jobs.service import Course, Seen, onward
from casemate.jobs.sites import Sites
from casemate.labels import AccessClass
from casemate.objects import Found, Put, Where
from casemate.policy import Action

__all__ = ["Doors", "Nowhere", "Services", "Way", "newborn", "served"]

TEND = Action("tend", "job")
EVERY = 0.5
LONG = 86_400
"""Seconds that planner and shares count with for what has no end."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a replica is: the engine that has its folder, its token, and the node's port, 0 for none.

    `node` is what its folder says, and tells at most that this machine is meant: on a cluster the folder is a user's.
    `host` is where the engine has it run.
    """

    engine: str
    token: str
    node: str
    port: int
    host: str = ""


class Doors(Protocol):
    """What brings requests to replicas finds them here, in whichever process of this machine it is."""

    async def open(self, domain: str, service: str, ways: Mapping[int, Way]) -> None:
        """These replicas, and no others, are asked from now on; none: there is no such service any more."""
        ...


class Nowhere:
    """Nobody asks."""

    async def open(self, domain: str, service: str, ways: Mapping[int, Way]) -> None:
        del domain, service, ways


class Services:
    """`patience` as of `Reconciler`. `problems` says why a class cannot go on."""

    def __init__(self, gate: Gate, sites: Sites, doors: Doors, patience: float | None = 0.5) -> None:
        self._gate, self._sites, self._doors = gate, sites, doors
        self._lanes = Lanes(gate, self.lane, patience)
        self._idle = Idle(JOB)
        self._open: dict[tuple[str, str], dict[int, Way]] = {}
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("jobs.services", EVERY, self.step)]

    async def step(self) -> int:
        """Go on with every class; how many services changed."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: replicas run on."""
        await self._lanes.stop()

    async def lane(self, access: AccessClass) -> int:
        """Every service of a class. Nothing that happens here leaves the lane."""
        try:
            moved = await self._class(access)
        except CasemateError as error:
            self.problems[access.id] = error.slug
        except Exception:  # noqa: BLE001 - a defect that this class meets: no other one feels it
            self.problems[access.id] = Internal.slug
        else:
            self.problems.pop(access.id, None)
            return moved
        return 0

    async def _class(self, access: AccessClass) -> int:
        flow = await self._gate.open(self._gate.service("jobs", access), TEND)
        tide = await self._idle.turned(flow)
        if tide is None:
            return 0
        there, moved = set[str](), 0
        async for found in own(flow, Where((("phase", "serving"),))):
            there.add(found.id)
            try:
                moved += await self._service(flow, found)
            except Conflict:
                continue  # somebody has just changed it: the next step sees how
        for domain, id in [key for key in self._open if key[0] == access.id and key[1] not in there]:
            await self._shown(domain, id, {})
        if not there:
            self._idle.rest(flow, tide)
        return moved

    async def _service(self, flow: Flow, found: Found[Job]) -> int:
        job, now = found.value, self._gate.vault.clock.now()
        spec, serving = job.spec, job.serving
        if spec is None or serving is None:
            return 0
        children = {each.value.index: each async for each in own(flow, Where((("parent", found.id), ("open", "yes"))))}
        told: dict[int, Collected] = {}
        for index, child in children.items():
            told[index] = await self._told(flow, child.value)
        seen = {index: _seen(children[index].value, told[index]) for index in children}
        for one in serving.replicas:
            if one.index not in children:
                seen[one.index] = Seen(ended=await _how(flow, f"{found.id}:{one.index}"))
        course = onward(serving, spec.service or Service(), seen, now, bool(job.cancel))
        value = _next(job, course, now)
        if value != job:
            await self._land(flow, found, value, course, children, now)
        ways = {i: way for i in course.doors if i in children and (way := _way(children[i].value, told[i])) is not None}
        await self._shown(flow.access.id, found.id, ways if value.open == "yes" else {})
        return int(value != job)

    async def _told(self, flow: Flow, child: Job) -> Collected:
        attempt = life.live(child)
        site = self._sites.site(attempt.engine) if attempt is not None else None
        if attempt is None or site is None or attempt.state != "running":
            return Collected()
        return await site.scratch.collected(flow.access.id, attempt.token)

    async def _land(
        self, flow: Flow, found: Found[Job], value: Job, course: Course, children: Mapping[int, Found[Job]], now: int
    ) -> None:
        puts = [Put(JOB, found.id, value, parents_of(flow, value), expect=found.version)]
        for index in course.begin:
            child = _child(found, index, now)
            puts.append(Put(JOB, f"{found.id}:{index}", child, parents_of(flow, child), expect=0))
        for index in course.stop:
            each = children.get(index)
            ends = life.cancel(each.value, "stopped by its service", now) if each is not None else None
            if each is not None and ends is not None:
                # what waits in the loop's hands is ended by the loop
                ends = ends if ends.open == "no" or ends.phase == "new" else replace(ends, phase="new")
                puts.append(Put(JOB, each.id, ends, parents_of(flow, ends), expect=each.version))
        await flow.commit(*puts, facts={"service": found.id, "jobs": len(puts)})

    async def _shown(self, domain: str, id: str, ways: dict[int, Way]) -> None:
        if self._open.get((domain, id)) == ways:
            return
        await self._doors.open(domain, id, ways)
        if ways:
            self._open[domain, id] = ways
        else:
            self._open.pop((domain, id), None)


def _seen(child: Job, told: Collected) -> Seen:
    attempt = life.live(child)
    runs = attempt is not None and attempt.state == "running"
    return Seen(runs=runs, healthy=runs and told.alive and told.healthy, connections=told.connections)


async def _how(flow: Flow, id: str) -> str:
    """How a child that is open no more has ended."""
    for found in await flow.read_each(JOB, id):
        if found.ref.class_id == flow.access.id:
            return found.value.reason or found.value.state
    return life.LOST


def _way(child: Job, told: Collected) -> Way | None:
    attempt = life.live(child)
    if attempt is None:
        return None
    return Way(attempt.engine, attempt.token, told.node, told.port, attempt.node.partition(",")[0])


def _next(job: Job, course: Course, now: int) -> Job:
    value = replace(job, serving=course.serving)
    if job.cancel and not course.serving.replicas:
        return life.stopped(value, now) or value
    if course.doors and value.state != "RUNNING":
        value = replace(value, state="RUNNING", started=value.started or now)
    return value


def _child(found: Found[Job], index: int, now: int) -> Job:
    """A replica: the service's own spec, that nobody waits for and that has no time to end."""
    job = found.value
    assert job.spec is not None  # `_service` has looked
    told = replace(job.spec, retry=Retry(), resources=replace(job.spec.resources, wall_s=LONG))
    return Job(
        owner=job.owner,
        person=job.person,
        spec=told,
        queue=job.queue,
        name=job.name,
        created=now,
        parent=found.id,
        index=index,
        session=job.session,
        language=job.language,
        made_of=(("job", found.id, found.ref.class_id), *job.made_of),
    )


def served(spec: Spec) -> Spec:
    """With the usual where a service says nothing of itself."""
    return replace(spec, service=Service()) if spec.kind == "service" and spec.service is None else spec


def newborn(spec: Spec) -> Serving | None:
    """How a service stands before its first replica; None for any other job."""
    return Serving() if spec.kind == "service" else None
