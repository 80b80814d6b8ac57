"""The loop of jobs: what the store says and what the engines do are brought together, class by class.

One step of a class:

    take up what is new -> what waits for others -> deadlines -> arrays fanned out -> what runs -> who begins
        -> ONE commit -> folders go, attempts are launched; the engines' ids come with the next step's commit

It holds no truth: after a kill at any point the next start finds each attempt by its token. A class has a lane of its
own, so that what is done above keeps nothing below waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from casemate.access import Flow, Gate, Lanes, Tide
from casemate.clock import Loop
from casemate.errors import CasemateError, Conflict, Internal
from casemate.jobs import life
from casemate.jobs.attend import Attend, Over
from casemate.jobs.changes import Changes
from casemate.jobs.desk import Desk, own
from casemate.jobs.dispatch import Dispatch, Launch
from casemate.jobs.fan import born
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import JOB, Job, State
from casemate.jobs.kept import JOB_PLACE
from casemate.jobs.sites import Sites
from casemate.jobs.unpack import keeping
from casemate.labels import AccessClass
from casemate.objects import Found, Where
from casemate.policy import Action

__all__ = ["TEND", "Reconciler"]

TEND = Action("tend", "job")
EVERY = 0.1
TAKE = 1000
"""New jobs, children and dependencies of one step."""
PAUSE = 0.01
PLAN = 1.0
"""Seconds after which what waits is planned again though nothing seems to have changed."""
SWEEP = 3600.0


def _on(point: str) -> None:
    """Nobody waits at this point."""
    del point


class Reconciler:
    """`patience`: seconds that a step waits for its lanes; None waits for all. `passed`: told of each point of a
    submission, `monotonic`: the process' own clock; both are for tests. `problems` says why a class cannot go on."""

    def __init__(
        self,
        gate: Gate,
        inputs: Inputs,
        sites: Sites,
        patience: float | None = 0.5,
        passed: Callable[[str], None] = _on,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate, self._inputs, self._sites = gate, inputs, sites
        self._passed, self._monotonic = passed, monotonic
        self._lanes = Lanes(gate, self.lane, patience)
        self._turns: dict[str, _Turns] = {}
        self._quick = patience is not None
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("jobs.reconcile", EVERY, self.step)]

    async def step(self) -> int:
        """Go on with every class; how many jobs were moved."""
        if self._sites.nodes is not None:
            await self._sites.nodes.look()
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: jobs run on, and are found again."""
        await self._lanes.stop()
        for turns in self._turns.values():
            await turns.stop()

    async def lane(self, access: AccessClass) -> int:
        """A class: steps while they move something, and a moment longer. Nothing that happens here leaves the lane."""
        turns = self._turns.get(access.id)
        if turns is None:
            turns = self._turns[access.id] = _Turns(self._gate, self._inputs, self._sites, access, self._quick)
        moved = 0
        try:
            while True:
                step = await turns.step(self._passed, self._monotonic)
                moved += step
                if turns.failed:
                    self.problems[access.id] = turns.failed
                else:
                    self.problems.pop(access.id, None)
                if not self._quick or (not step and (not turns.live or self._monotonic() > turns.lively)):
                    return moved
                if not step:
                    await asyncio.sleep(PAUSE)
                else:  # what has just begun may have ended in a moment; what runs for long is looked at as often as all
                    turns.lively = self._monotonic() + EVERY
        except Conflict:
            turns.forget()  # somebody else has changed something here: all of it is read again
        except CasemateError as error:
            self.problems[access.id] = error.slug
            turns.forget()
        except Exception:  # noqa: BLE001 - a defect that this class meets: no other one feels it
            self.problems[access.id] = Internal.slug
            turns.forget()
        return moved


class _Turns:
    """One class, step after step."""

    def __init__(self, gate: Gate, inputs: Inputs, sites: Sites, access: AccessClass, quick: bool) -> None:
        self._gate, self._inputs, self._sites, self._access = gate, inputs, sites, access
        self._quick = quick
        self._clearing: set[asyncio.Task[None]] = set()
        self.lively = float("-inf")
        self.forget()

    async def stop(self) -> None:
        """What is not cleared away now is swept at the next start."""
        for task in self._clearing:
            task.cancel()
        await asyncio.gather(*self._clearing, return_exceptions=True)

    def forget(self) -> None:
        self._desk: Desk | None = None
        self._tide: Tide | None = None
        self._planned = self._swept = self._looked = float("-inf")
        self._dirty = True
        self.failed = ""

    @property
    def live(self) -> bool:
        return self._desk is not None and bool(self._desk.live)

    async def step(self, passed: Callable[[str], None], monotonic: Callable[[], float]) -> int:
        flow = await self._gate.open(self._gate.service("jobs", self._access), TEND)
        now, at = self._gate.vault.clock.now(), monotonic()
        tide = await flow.tide(JOB)
        desk = self._desk
        if desk is None:
            desk = self._desk = Desk(self._access.id)
            if self._sites.nodes is not None:
                await self._sites.nodes.claim(flow)
            await desk.load(flow, at)
        if at - self._swept > SWEEP:
            self._swept = at
            await self._sweep(flow, desk, monotonic)
        turned = tide != self._tide
        due = [id for id, moment in desk.deadlines.items() if moment <= now]
        late = at - self._planned > PLAN and any(desk.waiting.values())
        if not (turned or desk.live or due or self._dirty or late):
            return 0
        self._tide = tide
        changes = Changes(flow, desk.arrays, now, desk.use)
        parts = _Round(flow, desk, changes, now, at)
        if turned:
            await parts.take_up()
            desk.unchecked.update(dict.fromkeys(desk.pending))
        await parts.depend()
        await parts.expire(due)
        await parts.close()
        await parts.fan()
        attend = Attend(flow, desk, self._sites, changes, at, now)
        if at - self._looked >= min(2.0, len(desk.live) / 1000):
            self._looked = at
            await attend.step()
        dispatch = Dispatch(self._gate, flow, desk, self._sites, self._inputs, passed)
        launches: list[Launch] = []
        for over in attend.over:
            desk.live[over.id].busy = True
        if late or desk.grown or attend.over:
            self._planned, desk.grown = at, False  # set again where there was more than one step takes
            launches = await dispatch.choose(changes, now)
        parts.keep()
        landed = {found.id: found for found in await changes.land()}
        for found in landed.values():
            desk.put(found, at)
        desk.use = changes.use
        for id in changes.missed:
            await parts.reread(id)
        self._dirty = bool(landed) or bool(desk.unchecked or desk.unfanned or desk.ending)
        if landed:
            passed("durable")
        launches += [one for id in attend.again if (one := await dispatch.resume(id)) is not None]
        whole = {one.id: desk.live[one.id].found for one in launches if one.id in desk.live}
        await dispatch.launch(launches, whole)
        await self._clear([one for one in attend.over if one.id in landed and not one.placed])
        self.failed = attend.failed or dispatch.failed
        return len(landed) + len(launches)

    async def _clear(self, over: list[Over]) -> None:
        """What has been sealed, or fenced, lies about no longer. Nothing that begins waits for that."""

        async def remove(one: Over) -> None:
            with suppress(CasemateError):  # what cannot be removed now is swept later
                await one.site.scratch.remove(self._access.id, one.token)

        async def clear() -> None:
            await asyncio.gather(*map(remove, over))

        if not self._quick:
            await clear()
        elif over:
            task = asyncio.create_task(clear())
            self._clearing.add(task)
            task.add_done_callback(self._cleared)

    def _cleared(self, task: asyncio.Task[None]) -> None:
        self._clearing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failed = Internal.slug  # it lies there until the next sweep

    async def _sweep(self, flow: Flow, desk: Desk, monotonic: Callable[[], float]) -> None:
        """Folders of attempts that count no more; one in which somebody still works is left alone."""
        live = {held.found.value.attempts[-1].token for held in desk.live.values()}
        live.update(token for tokens in desk.kept.values() for token in tokens)
        specs = [desk.spec(held.found.value) for held in desk.live.values()]
        texts = [spec.environment for spec in specs if spec is not None and spec.environment]
        live |= await keeping(flow, self._sites.environments, texts, monotonic())
        for site in self._sites.every.values():
            for token in await site.scratch.known(flow.access.id):
                if token in live or await flow.read_each(JOB_PLACE, token):
                    continue
                if not (await site.scratch.collected(flow.access.id, token)).alive:
                    await site.scratch.remove(flow.access.id, token)


class _Round:
    """The parts of a step that ask no engine."""

    def __init__(self, flow: Flow, desk: Desk, changes: Changes, now: int, at: float) -> None:
        self._flow, self._desk, self._changes, self._now, self._at = flow, desk, changes, now, at

    async def take_up(self) -> None:
        """What is new, and what is to end though it runs."""
        async for found in own(self._flow, Where((("phase", "new"),)), TAKE):
            job, id = found.value, found.id
            if life.live(job) is not None:
                self._desk.put(found, self._at)
                self._changes.put(found, life.taken(job))
            elif job.spec is not None and job.spec.array.size:
                self._array(found, job)
            elif job.cancel:
                self._desk.drop(id)
                self._changes.put(found, life.failed(job, "", self._now))
            else:
                self._taken(found, job, bool(job.spec and job.spec.after))

    def _array(self, found: Found[Job], job: Job) -> None:
        if job.cancel:
            self._desk.drop(found.id)
            self._desk.arrays[found.id] = found
            self._desk.ending[found.id] = None
            return
        if any(one.when != "aftercorr" for one in job.spec.after) if job.spec else False:
            self._changes.put(found, life.queued(job, waits=True))
        self._desk.put(found, self._at)

    def _taken(self, found: Found[Job], job: Job, waits: bool) -> None:
        value = life.queued(job, waits)
        if value is not None:
            self._desk.put(Found(found.ref, found.version, found.label, value), self._at)
            self._desk.fresh[found.id] = found
            if waits:
                self._changes.put(found, value)

    def keep(self) -> None:
        """What was taken up and has not begun at once waits from now on."""
        for found in self._desk.fresh.values():
            if self._changes.value(found) is found.value:
                self._changes.put(found, life.queued(found.value, waits=False))
        self._desk.fresh.clear()

    async def depend(self) -> None:
        """What waits for others, once something has changed: a stretch of them in each step."""
        states: dict[str, State | None] = {}
        for id in list(self._desk.unchecked)[:TAKE]:
            self._desk.unchecked.pop(id, None)
            after = self._desk.pending.get(id, ())
            for one in after:
                if one.job not in states:
                    found = await self._flow.read_each(JOB, one.job)
                    states[one.job] = found[0].value.state if found else None
            verdict = life.depend(after, [states[one.job] for one in after])
            if verdict == "wait":
                continue
            found_own = self._desk.fresh.get(id) or await self._read(id)
            self._desk.pending.pop(id, None)
            if found_own is None:
                continue
            job = self._changes.value(found_own)
            if verdict == "never":
                self._desk.drop(id)
                self._changes.put(found_own, life.failed(job, life.DEPENDENCY, self._now))
            elif job.spec is not None and job.spec.array.size:
                self._desk.unfanned[id] = None
            else:
                self._taken(found_own, job, waits=False)
                self._changes.put(found_own, life.queued(job, waits=False))

    async def expire(self, due: list[str]) -> None:
        """Deadlines: what waits has failed, what runs is ended."""
        for id in due:
            self._desk.deadlines.pop(id, None)
            held = self._desk.live.get(id)
            if held is not None:
                token = held.found.value.attempts[-1].token
                self._changes.put(held.found, life.mark(self._changes.value(held.found), token, life.DEADLINE))
                continue
            found = self._desk.fresh.get(id) or await self._read(id)
            self._desk.drop(id)
            if found is not None:
                self._changes.put(found, life.failed(self._changes.value(found), life.DEADLINE, self._now))

    async def close(self) -> None:
        """Arrays that are to end: child by child, then the whole."""
        for id in list(self._desk.ending):
            array = self._desk.arrays[id]
            left = list(self._desk.children(id))[:TAKE]
            for child in left:
                held = self._desk.live.get(child)
                found = held.found if held is not None else await self._read(child)
                if found is None:
                    self._desk.drop(child)
                    continue
                value = self._changes.value(found)
                if value.cancel:
                    continue
                if held is not None:
                    asked = life.cancel(value, array.value.cancel, self._now)
                    self._changes.put(found, life.taken(asked) if asked is not None else None)
                else:
                    self._desk.drop(child)
                    ended = life.cancel(value, array.value.cancel, self._now)
                    self._changes.put(found, life.failed(ended, "", self._now) if ended is not None else None)
            if not left:
                self._desk.ending.pop(id, None)
                self._changes.put(array, life.rolled(self._changes.value(array), (), self._now))

    async def fan(self) -> None:
        """Children of arrays, a stretch of them in each step."""
        for id in list(self._desk.unfanned):
            array = self._desk.arrays[id]
            job = self._changes.value(array)
            spec, made = job.spec, sum(job.counts.values())
            if spec is None:
                continue
            many = min(TAKE // 2, spec.array.size - made)
            waits = spec.array.sequential or any(one.when == "aftercorr" for one in spec.after)
            state: State = "PENDING" if waits else "RUNNABLE"
            value = life.fanned(job, many, state)
            if value is None:
                self._desk.unfanned.pop(id, None)
                continue
            children = [await born(self._flow, array, index, state, self._now) for index in range(made, made + many)]
            for index, child in enumerate(children, made):
                self._changes.born(f"{id}:{index}", child)
            over: list[tuple[State, State]] = [(state, child.state) for child in children if child.state != state]
            self._changes.put(array, life.rolled(value, over, self._now) if over else value)

    async def reread(self, id: str) -> None:
        """As it is now: somebody else has changed it."""
        found = await self._read(id)
        self._desk.drop(id)
        if found is None:
            return
        if found.value.phase != "new" or life.live(found.value) is not None or found.value.counts:
            self._desk.put(found, self._at)

    async def _read(self, id: str) -> Found[Job] | None:
        for found in await self._flow.read_each(JOB, id):
            if found.ref.class_id == self._flow.access.id:
                return found
        return None
