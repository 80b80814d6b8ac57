"""The face of jobs: they are asked for, looked at, called off and made again, each in one commit.

A job lies at the acting label. What it names was looked up in the visible world of whoever asked for it, and what it
reads is a parent of its row. The same key of one owner at one label gives the same job again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from casemate.access import Flow, Gate
from casemate.clock import Loop
from casemate.errors import Absent, BadInput, Conflict, MarkingError
from casemate.ids import fresh
from casemate.jobs import interactive, life, logs
from casemate.jobs.changes import parents_of
from casemate.jobs.checked import MOST, checked, ordered
from casemate.jobs.executor import Line
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import JOB, JOB_KEY, After, Input, Job, JobKey, Spec
from casemate.jobs.limits import JOB_TURN, admitted, own_limits
from casemate.jobs.pointed import at_point
from casemate.jobs.queues import Queues
from casemate.jobs.reconcile import Reconciler
from casemate.jobs.service import revised
from casemate.jobs.services import newborn, served
from casemate.jobs.sites import Sites
from casemate.jobs.wheels import fitting
from casemate.objects import Change, Found, Page, Put, Ref, Where
from casemate.policy import Action, Refuse, Target, decide

__all__ = ["Beside", "Jobs", "key_id"]

TRIES = 8
"""How often a change is tried that another one has come before."""
TURNS = 200
"""The same where an owner with a limit asks for many at the same time: one after the other has its turn."""
CANCEL = Action("cancel", "job")
Beside = Callable[[str], Sequence[Change]]
"""What else is changed in the commit of a job, by its id."""


@dataclass(slots=True)
class _Ask:
    spec: Spec
    key: str
    digest: bytes
    id: str = ""
    found: Found[Job] | None = None
    parents: tuple[Ref, ...] = ()


@dataclass(slots=True)
class Jobs:
    """What doors speak to. `sites`: the engines of this process; where there are none, jobs are kept, not run."""

    gate: Gate
    inputs: Inputs
    sites: Sites = field(default_factory=Sites)
    reconciler: Reconciler | None = None

    async def submit(self, flow: Flow, spec: Spec, key: str = "", beside: Beside | None = None) -> Found[Job]:
        """Ask for a job at the acting label. `key`: the same one with the same spec gives the same job.

        Its queue adds its priority and its floor of isolation. Raises BadInput, also where the queue takes no jobs;
        Absent for what is not visible; Refused (`job-label`, `job-nodes`, `job-network`, `job-quota`); QuotaExceeded;
        Conflict for a key of another spec.
        """
        return (await self.submit_many(flow, [(spec, key)], beside))[0]

    async def submit_many(
        self, flow: Flow, asked: Sequence[tuple[Spec, str]], beside: Beside | None = None
    ) -> list[Found[Job]]:
        """All of them or none, in one commit. `#K` in `after` names the job at place K of these. Raises as `submit`."""
        if flow.access.need or flow.access.originator:
            raise BadInput(what="A job runs at a label alone: act without authorizations and originators.")
        if not 1 <= len(asked) <= MOST:
            raise BadInput(what=f"1 to {MOST} jobs are submitted together.")
        for spec, key in asked:
            checked(spec)
            await self._label(flow, spec)
            if len(key) > 128 or not key.isprintable():
                raise BadInput(what="A key has at most 128 printable characters.")
        edges = ordered([spec for spec, _ in asked])
        asks = [_Ask(served(spec), key, _digest(spec)) for spec, key in asked]
        keyed = any(ask.key for ask in asks)
        for tried in range(TURNS):
            try:
                return await self._submitted(flow, asks, edges, beside)
            except Conflict as conflict:
                what = str(conflict.facts.get("what", ""))
                turn = what.startswith(JOB_TURN.name)  # he has asked for others meanwhile: they are counted too
                same = keyed and what.startswith(JOB_KEY.name)  # one of these keys has just been used: its job is ours
                if not turn and not (same and tried < TRIES):
                    raise
        raise Conflict(what=JOB_KEY.name)

    async def named(self, flow: Flow, id: str) -> Found[Job]:
        """The visible job of that id. Raises Absent."""
        found = await flow.read(JOB, id[:128])
        flow.use(found.ref)
        return found

    async def page(self, flow: Flow, where: Where, after: str | None = None, limit: int = 100) -> Page[Job]:
        """A stretch of the visible jobs, oldest first within a class. With ("parent", "") children are left out."""
        return await flow.scan(JOB, where, after, limit)

    async def cancel(self, flow: Flow, id: str, reason: str = "") -> None:
        """Have it end. What runs is stopped by the loop; one that has ended stays as it is.

        Raises Absent, also where it is somebody else's and the role may not; Refused (`no-write-down`).
        """
        if len(reason) > 256 or not reason.isprintable():
            raise BadInput(what="A reason has at most 256 printable characters.")
        for _ in range(TRIES):
            found = await self._own(flow, id)
            value = life.cancel(found.value, reason or "cancelled", self.gate.vault.clock.now())
            if value is None:
                return
            try:
                facts = {"job": found.id}
                put = Put(JOB, found.id, value, parents_of(flow, value), expect=found.version)
                await flow.commit(put, at=found.label, facts=facts)
                return
            except Conflict:
                continue  # it has just gone on
        raise Conflict(what=f"job {id[:128]}")

    async def retry(self, flow: Flow, id: str) -> Found[Job]:
        """Ask anew for what has ended: a new job, made from it. Raises Absent, BadInput where it has not ended."""
        found = await self._own(flow, id)
        if found.value.open == "yes":
            raise BadInput(what="A job is made again once it has ended.")
        if found.value.parent and found.value.spec is not None:
            raise BadInput(what="A replica is made again by its service.")
        spec = await self.spec_of(flow, found)
        if found.value.parent:
            spec = at_point(spec, found.value.index)
            env = {**spec.env, "AWS_BATCH_JOB_ARRAY_INDEX": str(found.value.index)}
            spec = msgspec.structs.replace(spec, env=env, array=type(spec.array)())
        after = tuple(one for one in spec.after if one.when != "aftercorr")
        ask = _Ask(msgspec.structs.replace(spec, after=after), "", b"", parents=(found.ref,))
        await self._label(flow, ask.spec)
        return (await self._submitted(flow, [ask], [[]]))[0]

    async def update(self, flow: Flow, id: str, spec: Spec) -> Found[Job]:
        """Another spec for a service that runs: one by one its replicas are replaced, new ones healthy first.

        Raises BadInput for anything but a service that runs; Absent; Refused (`job-label`, `job-quota`); QuotaExceeded
        where it is to have more replicas than its owner jobs; Conflict.
        """
        checked(spec)
        await self._label(flow, spec)
        for _ in range(TRIES):
            found = await self._own(flow, id)
            job = found.value
            if job.phase != "serving" or job.cancel or job.spec is None or job.serving is None:
                raise BadInput(what="What is not a service that runs is not changed: it is submitted anew.")
            if spec.kind != "service" or spec.queue != job.queue:
                raise BadInput(what="A service stays a service, and in its queue.")
            made = await self._made(flow, _Ask(served(spec), "", b""), [], [], {}, job.created)
            assert made.spec is not None  # it was made from one
            value = msgspec.structs.replace(
                job,
                spec=made.spec,
                name=made.name,
                serving=revised(job.serving, job.spec, made.spec),
                made_of=tuple(dict.fromkeys((*job.made_of, *made.made_of))),
            )
            turn = await admitted(flow, [made.spec], instead=job.spec)
            try:
                put = Put(JOB, found.id, value, parents_of(flow, value), expect=found.version)
                receipt = await flow.commit(put, *([turn] if turn is not None else []), facts={"job": found.id})
                return Found(found.ref, receipt.versions[0], found.label, value)
            except Conflict:
                continue  # its loop has just gone on
        raise Conflict(what=f"job {id[:128]}")

    async def spec_of(self, flow: Flow, found: Found[Job]) -> Spec:
        """What it does; a child of an array has its parent's. Raises Absent."""
        if found.value.spec is not None:
            return found.value.spec
        whole = (await self.named(flow, found.value.parent)).value.spec
        if whole is None:
            raise Absent(kind=JOB.name, id=found.value.parent)
        return whole

    async def log(self, flow: Flow, id: str, stream: str, at: int = 0, most: int = 65536) -> tuple[bytes, int, bool]:
        """Bytes of `out` or `err` from a place on, where the next begin, and whether no more come. Raises Absent."""
        if stream not in ("out", "err"):
            raise BadInput(what="A job writes to out and err.")
        return await logs.log(
            flow, self.sites, await self.named(flow, id), stream, max(at, 0), min(max(most, 1), 1 << 23)
        )

    async def line(self, flow: Flow, id: str, kind: Literal["shell", "notebook"]) -> Line:
        """A line into a job of the caller's that somebody is to work in. Raises Absent, and as `line_to` does."""
        return await interactive.line_to(flow, self.sites, await self._own(flow, id), kind)

    def may_stay(self, flow: Flow) -> bool:
        """Whether whoever has a line may still have it."""
        return interactive.may_stay(flow)

    async def artefact(self, flow: Flow, id: str, name: str) -> AsyncIterator[bytes]:
        """The bytes of what came out, piece by piece. Raises Absent."""
        found = await self.named(flow, id)
        async for piece in logs.artefact(flow, self.sites, found, name):
            yield piece

    async def top(self, flow: Flow) -> dict[str, Any]:
        """How many stand in which state and queue, and the slots there are, of the acting class alone; and what the
        caller may have there at once (`limits`, None for as much as there is)."""
        states, queues = Counter[str](), dict[str, Counter[str]]()
        for found in await flow.every(JOB, Where((("open", "yes"),))):
            if found.ref.class_id == flow.access.id and not found.value.counts:
                states[found.value.state] += 1
                queues.setdefault(found.value.queue, Counter())[found.value.state] += 1
        slots: dict[str, int] = {}
        for name, site in self.sites.every.items():
            if flow.acting.without_needs <= site.executor.ceiling.label:
                slots[name] = (await site.executor.capabilities()).slots
        sums = {name: each.total() for name, each in queues.items()}
        limits = await own_limits(flow)
        return {"states": states, "queues": sums, "standing": queues, "slots": slots, "limits": limits}

    def loops(self) -> list[Loop]:
        """The loop that takes jobs up and runs them, in the one process that has it."""
        return [] if self.reconciler is None else self.reconciler.loops()

    async def stop(self) -> None:
        """Let go of what is under way; jobs run on."""
        if self.reconciler is not None:
            await self.reconciler.stop()

    async def _own(self, flow: Flow, id: str) -> Found[Job]:
        """A job that the caller may change: his own, or any where his role may. Raises Absent."""
        found = await self.named(flow, id)
        decision = decide(flow.session, flow.acting, flow.action, Target(owner=found.value.owner))
        if isinstance(decision, Refuse):
            await flow.absent(JOB, id[:128])
        return found

    async def _label(self, flow: Flow, spec: Spec) -> None:
        """A job is written at its acting label, and no wider than its walls. Refused (`job-label`, `job-nodes`,
        `job-network`)."""
        if not self.sites.held(flow.acting, spec.resources):
            await flow.refuse(Refuse("job-nodes", {"acting": flow.acting.text}))
        if not self.sites.open(flow.acting, spec.resources):
            await flow.refuse(Refuse("job-network", {"acting": flow.acting.text}))
        if not spec.label:
            return
        try:
            asked = self.gate.vault.region.label(spec.label)
        except MarkingError as error:
            raise BadInput(what=f"label: {error.facts.get('why', 'it is no marking')}") from None
        if not flow.acting <= asked:
            await flow.refuse(Refuse("job-label", {"acting": flow.acting.text, "asked": asked.text}))
        if asked is not flow.acting:
            raise BadInput(what=f"A job lies at its acting label: act at {asked.text} to have it written there.")

    async def _submitted(
        self, flow: Flow, asks: list[_Ask], edges: list[list[int]], beside: Beside | None = None
    ) -> list[Found[Job]]:
        now, changes = self.gate.vault.clock.now(), list[Change]()
        places: list[_Ask] = []
        by_key: dict[str, _Ask] = {}
        for ask in asks:
            same = by_key.get(ask.key) if ask.key else None
            if same is not None and same.digest != ask.digest:
                raise Conflict(what=f"key {ask.key}")
            if same is not None:
                ask.id, ask.found = same.id, same.found
                continue
            if ask.key:
                by_key[ask.key] = ask
                ask.found = await self._keyed(flow, ask)
            entropy = self.gate.vault.entropy
            ask.id = ask.found.id if ask.found else fresh("job", entropy, f"job/{flow.access.id}/{flow.session.id}")
        looked: dict[str, tuple[Input, tuple[Ref, ...]]] = {}
        made: set[str] = set()
        for ask, before in zip(asks, edges, strict=True):
            if ask.found is not None or ask.id in made:
                continue
            made.add(ask.id)
            value = await self._made(flow, ask, asks, before, looked, now)
            changes.append(Put(JOB, ask.id, value, parents_of(flow, value), expect=0))
            places.append(ask)
            if ask.key:
                kept = JobKey(ask.id, ask.digest)
                changes.append(Put(JOB_KEY, key_id(flow.session.principal.id, ask.key), kept, expect=0))
        turn = await admitted(flow, [ask.spec for ask in places]) if places else None
        if turn is not None:
            changes.append(turn)
        if beside is not None:
            changes += [change for ask in places for change in beside(ask.id)]
        if changes:
            receipt = await flow.commit(*changes, facts={"jobs": len(places)})
            values = dict(zip(((c.kind.name, c.id) for c in changes), receipt.versions, strict=True))
            told = {c.id: c.value for c in changes if isinstance(c, Put) and c.kind is JOB}
            for ask in asks:
                if ask.id in told:
                    ref = Ref(JOB.name, ask.id, flow.access.id)
                    ask.found = Found(ref, values[(JOB.name, ask.id)], flow.acting, told[ask.id])
        return [ask.found for ask in asks if ask.found is not None]

    async def _keyed(self, flow: Flow, ask: _Ask) -> Found[Job] | None:
        """The job that this key has made. Raises Conflict where it was for another spec."""
        for found in await flow.read_each(JOB_KEY, key_id(flow.session.principal.id, ask.key)):
            if found.ref.class_id == flow.access.id:
                if found.value.digest != ask.digest:
                    raise Conflict(what=f"key {ask.key}")
                return await self.named(flow, found.value.job)
        return None

    async def _made(
        self,
        flow: Flow,
        ask: _Ask,
        asks: Sequence[_Ask],
        before: Sequence[int],
        looked: dict[str, tuple[Input, tuple[Ref, ...]]],
        now: int,
    ) -> Job:
        """The job's first value, which says what it was made from. Raises Absent, BadInput, Conflict."""
        spec = await Queues(self.gate).applied(flow, ask.spec, bool(ask.parents))
        parents, inputs = list[Ref](), list[Input]()
        for one in spec.inputs:
            if one.source.startswith("sweep:#"):  # it is made in this commit: nothing of it is there to be looked at
                inputs.append(msgspec.structs.replace(one, source=f"sweep:{asks[_at(one.source, spec)].id}"))
                continue
            if one.source not in looked:
                seen = await self.inputs.look(flow, msgspec.structs.replace(one, digest=""))
                looked[one.source] = (msgspec.structs.replace(one, digest=seen.digest), seen.refs)
            known, refs = looked[one.source]
            if one.digest and known.digest and one.digest != known.digest:
                raise Conflict(what=f"Input {one.name}")
            inputs.append(msgspec.structs.replace(known, name=one.name))
            parents += refs
        environment = spec.environment
        if environment:
            chosen = await self.sites.environments.look(flow, environment)
            await fitting(flow, self.sites, spec.engine, chosen)
            environment = chosen.text
            parents += chosen.refs
        after, places = [], iter(before)
        for each in spec.after:
            if each.job.startswith("#"):
                after.append(msgspec.structs.replace(each, job=asks[next(places)].id))
            else:
                await self.named(flow, each.job)
                after.append(each)
        known_after = {each.job for each in after}
        for source in dict.fromkeys(one.source for one in inputs if one.source.startswith(("job:", "sweep:"))):
            # what another job leaves is there once it has ended well, a sweep's points once all have ended
            maker = source.partition(":")[2].partition("/")[0]
            if maker not in known_after and (await self.named(flow, maker)).value.open == "yes":
                after.append(After(maker, "afterok" if source.startswith("job:") else "afterany"))
                known_after.add(maker)
        spec = msgspec.structs.replace(spec, inputs=tuple(inputs), after=tuple(after), environment=environment)
        asker = flow.session.principal
        return Job(
            owner=asker.id,
            person=asker.name,
            spec=spec,
            phase="serving" if spec.kind == "service" else "new",
            state="RUNNABLE" if spec.kind == "service" else "SUBMITTED",
            queue=spec.queue,
            name=spec.name,
            created=now,
            serving=newborn(spec),
            session=flow.session.id,
            language=flow.session.language,
            made_of=tuple((one.kind, one.id, one.class_id) for one in dict.fromkeys((*ask.parents, *parents))),
        )


def _at(source: str, spec: Spec) -> int:
    """The place of the job that `sweep:#K` names: one that it waits for. Raises BadInput."""
    place = source.removeprefix("sweep:")
    if not any(one.job == place for one in spec.after):
        raise BadInput(what="sweep:#K names a job that this one waits for.")
    return int(place[1:])


def key_id(owner: str, key: str) -> str:
    """Under what a key of an owner is kept: no key of one meets a key of another."""
    return hashlib.sha384(f"{owner}\0{key}".encode()).hexdigest()


def _digest(spec: Spec) -> bytes:
    return hashlib.sha384(msgspec.msgpack.encode(spec, order="deterministic")).digest()
