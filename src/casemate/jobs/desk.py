"""What the loop knows of one access class: a cache of what the store says, built anew whenever it is in doubt.

Nothing here is the truth. What waits is kept small (no spec, no label), what runs is kept whole, and every change that
is made on these grounds names the version that it was made from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TypeVar, cast

from casemate.access import Flow, Tide
from casemate.accounts import QUOTA
from casemate.clock import SECOND
from casemate.jobs import life
from casemate.jobs.job import JOB, After, Job, Resources, Spec
from casemate.jobs.limits import Rules
from casemate.jobs.plan import Running, Waiting
from casemate.jobs.queues import JOB_QUEUE
from casemate.jobs.shares import JOB_USE, USE, Use, decayed, taken
from casemate.objects import Found, Where

__all__ = ["Desk", "Live", "may_act", "own"]

T = TypeVar("T", str, Resources)
PAGE = 500
ALIKE = 4096


@dataclass(slots=True)
class Live:
    """An attempt that may still count. Moments are of the process' own clock, in seconds: no jump of the region's
    moves them.

    `native`: what the engine called it, also before that is durable. `seen`: since when it is known here. `looked`:
    when its folder was last looked at. `doubted`: since when it looks lost. `stopped`: since when it is asked to end.
    `fault`: why it cannot begin at all.
    """

    found: Found[Job]
    native: str
    seen: float
    looked: float = 0.0
    doubted: float = 0.0
    stopped: float = 0.0
    fault: str = ""
    tried: int = 0
    busy: bool = False


class _Alike:
    """One value for all that are equal: what a hundred thousand jobs have in common is in memory once."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}

    def one(self, value: T) -> T:
        if len(self._known) >= ALIKE:
            self._known.clear()
        return cast("T", self._known.setdefault(value, value))


@dataclass(slots=True)
class Desk:
    """By id: what waits for room (of each engine), what waits for others, what runs, and the arrays that are open."""

    class_id: str
    waiting: dict[str, dict[str, Waiting]] = field(default_factory=dict)
    fresh: dict[str, Found[Job]] = field(default_factory=dict)
    pending: dict[str, tuple[After, ...]] = field(default_factory=dict)
    unchecked: dict[str, None] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    live: dict[str, Live] = field(default_factory=dict)
    arrays: dict[str, Found[Job]] = field(default_factory=dict)
    unfanned: dict[str, None] = field(default_factory=dict)
    ending: dict[str, None] = field(default_factory=dict)
    use: Found[Use] | None = None
    rules: tuple[Tide, Rules] | None = None
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    grown: bool = True
    alike: _Alike = field(default_factory=_Alike)

    async def load(self, flow: Flow, now: float) -> None:
        """Everything that is open in the class, from the store."""
        found_use = [one for one in await flow.read_each(JOB_USE, USE) if one.ref.class_id == flow.access.id]
        self.use = found_use[0] if found_use else None
        children: list[Found[Job]] = []
        async for found in own(flow, Where((("open", "yes"),))):
            if found.value.parent:
                children.append(found)
            elif found.value.phase != "new" or life.live(found.value) is not None or found.value.counts:
                self.put(found, now)
        for found in children:
            if found.value.phase != "new" or life.live(found.value) is not None:
                self.put(found, now)

    def spec(self, job: Job) -> Spec | None:
        """What it does; a child of an array does what its array says. None where that is not to be seen."""
        if job.spec is not None or job.parent not in self.arrays:
            return job.spec
        return self.arrays[job.parent].value.spec

    def put(self, found: Found[Job], now: float) -> None:
        """What the store says of a job, put where it belongs."""
        job, id = found.value, found.id
        attempt = life.live(job)
        if attempt is not None:
            held = self.live.get(id)
            native = held.native if held is not None else attempt.native
            self.drop(id)
            if held is not None and held.found.value.attempts[-1].token == attempt.token:
                held.found, held.native = found, native or attempt.native
                self.live[id] = held
            else:
                self.live[id] = Live(found, attempt.native, now)
            self._due(id, job)
            return
        self.drop(id)
        if job.open == "no":
            self.arrays.pop(id, None)
            self.ending.pop(id, None)
            return
        spec = self.spec(job)
        if spec is None or job.phase == "serving":
            return  # its array is not to be seen: frozen, or damaged; of a service the replicas alone run
        self._due(id, job)
        if spec.array.size and not job.parent:
            self._array(found, spec)
        elif job.state == "PENDING":
            self._wait(id, _corresponding(job, spec) if job.parent else spec.after)
        else:
            self.waiting.setdefault(spec.engine, {})[id] = _waiting(id, job, spec, self.alike)
            self.grown = True

    def _array(self, found: Found[Job], spec: Spec) -> None:
        job, id = found.value, found.id
        self.arrays[id] = found
        if job.cancel:
            self.ending[id] = None
        elif not job.counts and (before := tuple(one for one in spec.after if one.when != "aftercorr")):
            self._wait(id, before)
        elif sum(job.counts.values()) < spec.array.size:
            self.unfanned[id] = None

    def _wait(self, id: str, after: tuple[After, ...]) -> None:
        self.pending[id] = after
        self.unchecked[id] = None

    def _due(self, id: str, job: Job) -> None:
        spec = self.spec(job)
        if spec is not None and spec.deadline_s and not job.counts:
            self.deadlines[id] = job.created + spec.deadline_s * SECOND
        if spec is not None and spec.checkpoint.path and job.attempts:
            self.kept[id] = tuple(one.token for one in job.attempts)

    def drop(self, id: str) -> None:
        """It is nowhere; an array stays known for its children."""
        for line in self.waiting.values():
            line.pop(id, None)
        for held in (self.pending, self.unchecked, self.deadlines, self.live, self.unfanned, self.fresh, self.kept):
            held.pop(id, None)

    def children(self, id: str) -> Iterator[str]:
        """Those of an array's children that are open and known here."""
        for line in self.waiting.values():
            yield from [one.id for one in line.values() if one.group == id]
        yield from [one for one in self.pending if one.startswith(f"{id}:")]
        yield from [one for one in self.live if one.startswith(f"{id}:")]

    def used(self, now: int) -> dict[str, float]:
        """CPU seconds by owner: what has ended, decayed, and what runs, with all that it was given."""
        found = decayed(self.use.value, now) if self.use is not None else {}
        for held in self.live.values():
            job = held.found.value
            spec = self.spec(job)
            if spec is not None:
                found[job.owner] = found.get(job.owner, 0.0) + taken(spec, spec.resources.wall_s)
        return found

    async def ruled(self, flow: Flow) -> Rules:
        """What queues and quotas say now. Raises Damaged."""
        tide = await flow.tide(JOB_QUEUE, QUOTA)
        if self.rules is None or self.rules[0] != tide:
            self.rules = (tide, await Rules.read(flow))
        return self.rules[1]

    def running(self, engine: str | None, first: str) -> list[Running]:
        """What the planner is told of what holds room on an engine; None: on all of them."""
        found: list[Running] = []
        for id, held in self.live.items():
            job = held.found.value
            attempt, spec = job.attempts[-1], self.spec(job)
            if spec is None or held.busy:
                continue
            if engine is not None and (attempt.engine or first) != (engine or first):
                continue
            asked = spec.resources
            ends = attempt.begun + asked.wall_s * SECOND
            on, cpus = tuple(attempt.node.split(",")), asked.cpus * asked.tasks
            found.append(
                Running(
                    id=id,
                    owner=job.owner,
                    on=on,
                    ends=ends,
                    priority=spec.priority,
                    cpus=cpus,
                    memory_mb=asked.memory_mb,
                    gpus=asked.gpus,
                    preemptible=spec.preemptible and not attempt.reason,
                    group=job.parent,
                    queue=job.queue,
                )
            )
        return found


def _waiting(id: str, job: Job, spec: Spec, alike: _Alike) -> Waiting:
    asked = alike.one(spec.resources)
    return Waiting(
        id=id,
        owner=alike.one(job.owner),
        order=job.created,
        priority=spec.priority,
        nodes=asked.nodes,
        cpus=asked.cpus * asked.tasks,
        memory_mb=asked.memory_mb,
        gpus=asked.gpus,
        gpu_type=asked.gpu_type,
        wall_s=asked.wall_s,
        preemptible=spec.preemptible,
        group=alike.one(job.parent),
        parallel=spec.array.parallel,
        queue=alike.one(job.queue),
    )


def _corresponding(job: Job, spec: Spec) -> tuple[After, ...]:
    """A child waits for the child of the same index; in a sequential array for the one before it too."""
    found = [After(f"{one.job}:{job.index}", "afterok") for one in spec.after if one.when == "aftercorr"]
    if spec.array.sequential and job.index:
        found.append(After(f"{job.parent}:{job.index - 1}", "afterok"))
    return tuple(found)


async def own(flow: Flow, where: Where, most: int = 1 << 30) -> AsyncIterator[Found[Job]]:
    """The jobs of the flow's own class, page by page; what is visible below stands in other pages."""
    after: str | None = f"{flow.access.id}/"
    while after is not None and after.startswith(f"{flow.access.id}/") and most > 0:
        page = await flow.scan(JOB, where, after, min(PAGE, most))
        for found in page.items:
            if found.ref.class_id != flow.access.id:
                return
            most -= 1
            yield found
        after = page.after


def may_act(flow: Flow, owner: str) -> bool:
    """Whether the principal of that id may still run something at this flow's label."""
    found = flow.gate.directory.principal(owner)
    return found is not None and "user" in found.roles and flow.acting <= found.clearance
