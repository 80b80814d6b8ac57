"""Looking after what runs: one question to each engine, then to the folders of those of whom it says something new.

no native id   looked for by token; found: adopted; not found for ten seconds: submitted again, same token
running        its folder is looked at now and then; a lease that has run out twice in a row is lost
ended, gone    its record counts; no record but a live lease: it runs on; nobody has claimed it: as without an id
to be ended    stopped through engine and folder; fenced where nobody has claimed it, or where it does not end
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from casemate.access import Flow
from casemate.errors import CasemateError, EngineFailed, StorageFull
from casemate.jobs import life
from casemate.jobs.changes import Changes
from casemate.jobs.checkpoint import settled
from casemate.jobs.desk import Desk, Live, may_act
from casemate.jobs.executor import Collected, Polled
from casemate.jobs.job import Artefact, Job, Retry, Spec
from casemate.jobs.kept import JOB_PLACE, Placed
from casemate.jobs.seal import Unsealed, seal, streams
from casemate.jobs.shares import taken
from casemate.jobs.sites import Site, Sites
from casemate.objects import Put

__all__ = ["AGAIN", "Attend", "Over"]

AGAIN = 10.0
"""Seconds for which an engine may not know yet what it has acknowledged (Slurm saves its state every five)."""
LOOK = 5.0
"""Seconds between two looks at the folder of what an engine says is running."""
GRACE = 10.0
STUCK = 60.0
"""Seconds after the grace for which what was stopped may go on."""
WIDE = 8
GONE = Polled("gone")


@dataclass(slots=True)
class Over:
    """An attempt that has ended in these changes: its folder goes once they stand, unless something was left in it that
    is still needed: an output, or a checkpoint for the next attempt."""

    id: str
    site: Site
    token: str
    placed: bool = False


class Attend:
    """One step over the live attempts of a class. `again`: those that are to be submitted once more."""

    def __init__(self, flow: Flow, desk: Desk, sites: Sites, changes: Changes, at: float, now: int) -> None:
        self._flow, self._desk, self._sites, self._changes = flow, desk, sites, changes
        self._at, self._now = at, now
        self.over: list[Over] = []
        self.again: list[str] = []
        self.failed = ""

    async def step(self) -> None:
        self._revoked()
        engines: dict[str, dict[str, Live]] = {}
        for id, held in self._desk.live.items():
            if not held.busy:
                engines.setdefault(held.found.value.attempts[-1].engine, {})[id] = held
        for name, group in engines.items():
            site = self._sites.site(name)
            if site is None:
                continue  # its engine is not joined any more: it waits for it
            try:
                await self._engine(site, group)
            except EngineFailed as error:
                self.failed = error.slug

    def _revoked(self) -> None:
        """What runs for somebody who may not act here any more is asked to end."""
        may: dict[str, bool] = {}
        for held in self._desk.live.values():
            job = self._changes.value(held.found)
            if job.owner not in may:
                may[job.owner] = may_act(self._flow, job.owner)
            if not may[job.owner]:
                self._changes.put(held.found, life.cancel(job, life.OWNER, self._now))

    async def _engine(self, site: Site, group: Mapping[str, Live]) -> None:
        natives = [held.native for held in group.values() if held.native]
        told = await site.executor.poll(self._flow.access.id, natives) if natives else {}
        turn = asyncio.Semaphore(WIDE)

        async def one(id: str, held: Live) -> None:
            async with turn:
                await self._one(site, id, held, told.get(held.native, GONE) if held.native else None)

        async with asyncio.TaskGroup() as tasks:
            for id, held in group.items():
                tasks.create_task(_quiet(one(id, held), self))

    async def _one(self, site: Site, id: str, held: Live, polled: Polled | None) -> None:
        found = held.found
        token = found.value.attempts[-1].token
        if held.fault:
            await self._lose(site, id, held, Retry(), held.fault)
            return
        reason = life.asked_to_end(self._changes.value(found))
        if reason and not held.stopped:
            await self._stop(site, held, token, reason)
        if polled is not None and polled.token not in ("", token):
            held.native, polled = "", None  # the engine has given this id to another
        if polled is None:
            await self._look_for(site, id, held, token)
            return
        if found.value.attempts[-1].state == "intent":
            self._changes.put(found, life.given(self._changes.value(found), token, held.native))
        if polled.state == "waiting":
            return
        if polled.state == "running" and self._at - held.looked < LOOK and not held.stopped and not held.doubted:
            if found.value.attempts[-1].state != "running":
                self._started(held, token, polled.node)
            return
        await self._folder(site, id, held, token, polled)

    def _started(self, held: Live, token: str, node: str, at: int = 0) -> None:
        value = self._changes.value(held.found)
        value = life.given(value, token, held.native) or value
        self._changes.put(held.found, life.started(value, token, at or self._now, node))

    async def _folder(self, site: Site, id: str, held: Live, token: str, polled: Polled) -> None:
        told = polled.told or await site.scratch.collected(self._flow.access.id, token)
        held.looked = self._at
        if told.recorded:
            await self._end(site, id, held, token, told)
        elif told.alive:
            held.doubted = 0.0
            if held.found.value.attempts[-1].state != "running":
                self._started(held, token, polled.node or told.node)
            if held.stopped and self._at - held.stopped > GRACE + STUCK:
                await self._lose(site, id, held, None, life.LOST)
        elif told.claimed:
            await self._doubt(site, id, held)
        elif polled.state == "running":
            if self._at - held.seen > STUCK:
                await self._doubt(site, id, held)
        elif held.stopped:
            await self._lose(site, id, held, None, life.LOST)
        elif self._at - held.seen >= AGAIN:
            self._resubmit(id, held)

    async def _doubt(self, site: Site, id: str, held: Live) -> None:
        """A record may just have been written: what looks lost is looked at once more."""
        if not held.doubted:
            held.doubted = self._at
            return
        await self._lose(site, id, held, None, life.LOST)

    async def _look_for(self, site: Site, id: str, held: Live, token: str) -> None:
        domain = self._flow.access.id
        natives = list(await site.executor.find(domain, token))
        if natives:
            held.native = natives[0]
            for native in natives[1:]:  # the folder lets one of them run; the others have nothing to do
                await site.executor.cancel(domain, native, 0)
            self._changes.put(held.found, life.given(self._changes.value(held.found), token, held.native))
            return
        told = await site.scratch.collected(domain, token)
        if told.claimed:
            await self._folder(site, id, held, token, GONE)
        elif held.stopped:
            await self._lose(site, id, held, None, life.LOST)
        elif self._at - held.seen >= AGAIN:
            self._resubmit(id, held)

    def _resubmit(self, id: str, held: Live) -> None:
        held.seen, held.tried, held.native = self._at, held.tried + 1, ""
        self.again.append(id)

    async def _stop(self, site: Site, held: Live, token: str, reason: str) -> None:
        domain = self._flow.access.id
        held.stopped = self._at
        if (await site.scratch.collected(domain, token)).claimed:
            await site.scratch.stop(domain, token, reason)
        if held.native:
            await site.executor.cancel(domain, held.native, GRACE)

    def _spec(self, job: Job) -> Spec:
        spec = self._desk.spec(job)
        return spec if spec is not None else Spec(("",))

    async def _end(self, site: Site, id: str, held: Live, token: str, told: Collected) -> None:
        domain, scratch = self._flow.access.id, site.scratch
        spec = self._spec(held.found.value)
        good = told.exit == 0 and not told.signal and not told.reason
        logs = await streams(self._flow, scratch, domain, token, told.printed)
        artefacts: tuple[Artefact, ...] = ()
        try:
            artefacts = await seal(self._flow, scratch, domain, token, spec) if good or spec.outputs else ()
        except Unsealed as error:
            if good:
                told = replace(told, reason=f"output {error.args[0]}")
        value = self._changes.value(held.found)
        value = life.given(value, token, held.native) or value
        ended = life.ended(value, token, told, spec.retry, self._now, artefacts, logs, life.usage(told, spec.resources))
        if self._changes.put(held.found, ended):
            over = Over(id, site, token, await settled(scratch, domain, self._changes.value(held.found), token, spec))
            if any(one.place for one in artefacts) and ended is not None and ended.open == "no":
                over.placed = True
                self._changes.beside(id, Put(JOB_PLACE, token, Placed(id), expect=0))
            self._changes.charge(id, held.found.value.owner, taken(spec, told.usage.wall_us / 1e6))
            self.over.append(over)

    async def _lose(self, site: Site, id: str, held: Live, retry: Retry | None, reason: str) -> None:
        """Fenced first: from here on nothing that bears the token begins or counts."""
        token = held.found.value.attempts[-1].token
        domain = self._flow.access.id
        told = await site.scratch.collected(domain, token)
        if told.recorded:
            await self._end(site, id, held, token, told)
            return
        if held.native:
            with suppress(EngineFailed):  # what it can still reach is ended; what it cannot is fenced
                await site.executor.cancel(domain, held.native, 0)
        try:
            await site.scratch.fence(domain, token)
        except StorageFull:  # nobody claims a folder that is not there either, and perhaps it is what fills the disk
            await site.scratch.remove(domain, token)
        spec = self._spec(held.found.value)
        value = self._changes.value(held.found)
        if self._changes.put(held.found, life.lost(value, token, retry or spec.retry, self._now, reason)):
            begun = held.found.value.attempts[-1].started
            self._changes.charge(id, held.found.value.owner, taken(spec, (self._now - begun) / 1e6 if begun else 0.0))
            left = await settled(site.scratch, domain, self._changes.value(held.found), token, spec)
            self.over.append(Over(id, site, token, left))


async def _quiet(work: Awaitable[None], attend: Attend) -> None:
    """What one attempt meets (an engine that is silent, no room for its outputs) keeps no other waiting."""
    try:
        await work
    except CasemateError as error:
        attend.failed = error.slug
