"""Who begins: what the planner chose is asked once more for everything that may have changed, and given a token.

choose   plan; owner's clearance, floor of isolation, accreditation and inputs as they are now; intent
launch   after the intents are durable: folder, order, engine; what fails here is looked for later by its token
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from casemate.access import Flow, Gate
from casemate.errors import CasemateError, EngineFailed, StorageFull
from casemate.jobs import life
from casemate.jobs.changes import Changes
from casemate.jobs.checkpoint import CHECKPOINT, Uncarried
from casemate.jobs.desk import Desk, may_act
from casemate.jobs.executor import Capabilities
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import JOB, Job, Spec
from casemate.jobs.plan import Assignment, Node, Running, Waiting, plan
from casemate.jobs.sites import Level, Site, Sites
from casemate.jobs.stage import FAULTS, Ready, ready, stage
from casemate.objects import Found

__all__ = ["Dispatch", "Launch"]

WIDE = 16
ROUND = 256
"""Attempts that begin in one step."""


@dataclass(frozen=True, slots=True)
class Launch:
    """An attempt whose intent is in the changes."""

    id: str
    token: str
    ready: Ready


class Dispatch:
    """One step of a class. `passed` is told which of the three points of a submission was reached (for tests)."""

    def __init__(
        self, gate: Gate, flow: Flow, desk: Desk, sites: Sites, inputs: Inputs, passed: Callable[[str], None]
    ) -> None:
        self._gate, self._flow, self._desk = gate, flow, desk
        self._sites, self._inputs, self._passed = sites, inputs, passed
        self._owners: dict[str, bool] = {}
        self.failed = ""

    async def choose(self, changes: Changes, now: int) -> list[Launch]:
        """Intents for what may begin; what may not any more has failed."""
        found: list[Launch] = []
        rules, used = await self._desk.ruled(self._flow), self._desk.used(now)
        everywhere = self._desk.running(None, self._sites.first)
        for name, line in self._desk.waiting.items():
            if not line:
                continue
            site = self._sites.site(name)
            if site is None:
                continue  # nobody has joined an engine of that name: it waits for one
            try:
                told = await site.executor.capabilities()
            except EngineFailed as error:
                self.failed = error.slug
                continue
            nodes = site.nodes(self._flow.access.id, told)
            running = _placed(self._desk.running(name, self._sites.first), nodes)
            limits = rules.limits(self._names(line.values()), _of(self._flow.access.id, nodes), running, everywhere)
            made = plan(self._flow.access.id, list(line.values()), running, nodes, limits, used, now)
            everywhere += [_begun(line[start.id], start) for start in made.starts]
            self._desk.grown |= len(made.starts) > ROUND
            for start in made.starts[:ROUND]:
                launch = await self._begin(changes, site, told, start, now)
                if launch is not None:
                    found.append(launch)
            for id in made.preempt:
                held = self._desk.live.get(id)
                if held is not None:
                    token = held.found.value.attempts[-1].token
                    changes.put(held.found, life.mark(changes.value(held.found), token, life.PREEMPTED))
        return found

    async def _begin(
        self, changes: Changes, site: Site, told: Capabilities, start: Assignment, now: int
    ) -> Launch | None:
        found = self._desk.fresh.get(start.id) or await _own(self._flow, start.id)
        if found is None or found.value.open == "no":
            self._desk.drop(start.id)
            return None
        job = changes.value(found)
        spec = self._desk.spec(job)
        if spec is None:
            return None
        level = self._level(spec, told)
        if not self._owner(job):
            changes.put(found, life.failed(job, life.OWNER, now))
        elif level not in told.levels:
            changes.put(found, life.failed(job, "ISOLATION", now))
        elif not self._sites.held(self._flow.acting, spec.resources):
            changes.put(found, life.failed(job, "NODES", now))
        elif not self._sites.open(self._flow.acting, spec.resources):
            changes.put(found, life.failed(job, "NETWORK", now))
        else:
            try:
                seen = await ready(self._flow, self._inputs, self._sites.environments, site, spec, level)
            except (EngineFailed, StorageFull) as error:  # of its environment: it waits on
                self.failed = error.slug
                return None
            if isinstance(seen, str):
                changes.put(found, life.failed(job, seen, now))
            if not isinstance(seen, Ready):
                return None  # or its environment is being unpacked: it waits on
            job = _made_of(job, seen)
            drawn = self._gate.vault.entropy.draw(f"job-attempt/{self._flow.access.id}").hex()
            if changes.put(found, life.begin(job, drawn, site.executor.name, ",".join(start.on), now)):
                return Launch(start.id, drawn, seen)
        return None

    def _names(self, waiting: Iterable[Waiting]) -> dict[str, str]:
        """The names of those who wait, by id; of whoever is no principal any more nothing begins."""
        names: dict[str, str] = {}
        for id in {job.owner for job in waiting}:
            owner = self._gate.directory.principal(id)
            if owner is not None:
                names[id] = owner.name
        return names

    def _level(self, spec: Spec, told: Capabilities) -> Level:
        """An image takes the machine's place, a service or a notebook has a network of its own: L1 has neither."""
        seen = spec.interactive is not None and spec.interactive.kind == "notebook"
        walled = spec.environment.startswith("image:") or spec.kind == "service" or seen
        asked = max(spec.floor, "L2") if walled else spec.floor
        return self._sites.level(self._flow.acting, asked, told.levels)

    def _owner(self, job: Job) -> bool:
        """Whether whoever asked for it may still act at its label."""
        known = self._owners.get(job.owner)
        if known is None:
            known = may_act(self._flow, job.owner)
            self._owners[job.owner] = known
        return known

    async def resume(self, id: str) -> Launch | None:
        """An attempt that nobody knows of, ready to be submitted once more under its token."""
        held = self._desk.live[id]
        job = held.found.value
        attempt, spec = job.attempts[-1], self._desk.spec(job)
        site = self._sites.site(attempt.engine)
        if spec is None or site is None:
            return None
        told = await site.executor.capabilities()
        level = self._level(spec, told)
        seen = await ready(self._flow, self._inputs, self._sites.environments, site, spec, level)
        if isinstance(seen, str):
            held.fault = seen
        if not isinstance(seen, Ready):
            return None
        return Launch(id, attempt.token, seen)

    async def launch(self, launches: list[Launch], landed: Mapping[str, Found[Job]]) -> None:
        """Folder, order, engine, each attempt by itself."""
        turn = asyncio.Semaphore(WIDE)

        async def one(each: Launch) -> None:
            async with turn:
                await self._one(each, landed[each.id].value)

        async with asyncio.TaskGroup() as tasks:
            for each in launches:
                if each.id in landed and each.id in self._desk.live:
                    tasks.create_task(one(each))

    async def _one(self, each: Launch, job: Job) -> None:
        held, attempt = self._desk.live[each.id], job.attempts[-1]
        if attempt.token != each.token:
            return
        try:
            order = await stage(self._flow, self._inputs, each.ready, each.id, job, attempt)
        except FAULTS:
            held.fault = "INPUT"
            return
        except Uncarried:
            held.fault = CHECKPOINT
            return
        except CasemateError as error:
            self.failed = error.slug  # a full disk: it is looked for, and tried again
            return
        self._passed("staged")
        try:
            held.native = await each.ready.site.executor.submit(order)
        except EngineFailed as error:
            self.failed = error.slug
            return
        self._passed("submitted")


def _of(domain: str, nodes: Iterable[Node]) -> list[Node]:
    """The nodes that a share of a class is of."""
    return [node for node in nodes if node.domain in (domain, "")]


def _placed(running: list[Running], nodes: Sequence[Node]) -> list[Running]:
    """Where an engine is one node to the planner, all that runs there is on it, whatever machine the engine names."""
    return [replace(one, on=(nodes[0].name,)) for one in running] if len(nodes) == 1 else running


def _begun(job: Waiting, start: Assignment) -> Running:
    """As it counts on other engines of this step."""
    return Running(job.id, job.owner, start.on, 0, cpus=job.cpus, gpus=job.gpus, queue=job.queue)


def _made_of(job: Job, found: Ready) -> Job:
    """With what it reads and was not there to be named when it was asked for: the children of a sweep."""
    sweeps = [looked for looked in found.looked if looked.input.source.startswith("sweep:")]
    more = ((ref.kind, ref.id, ref.class_id) for looked in sweeps for ref in looked.refs)
    known = dict.fromkeys((*job.made_of, *more))
    return msgspec.structs.replace(job, made_of=tuple(known)) if len(known) > len(job.made_of) else job


async def _own(flow: Flow, id: str) -> Found[Job] | None:
    for found in await flow.read_each(JOB, id):
        if found.ref.class_id == flow.access.id:
            return found
    return None
