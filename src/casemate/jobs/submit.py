"""The face of jobs: they are asked for, looked at, called off and made again, each in one commit.

A job lies at the acting label. What it names was looked up in the visible world of whoever asked for it, and what it
reads is a parent of its row. The same key of one owner at one label gives the same job again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from casemate.access import Flow, Gate
from casemate.clock import Loop
from casemate.errors import Absent, BadInput, Conflict
from casemate.jobs import interactive, life, logs
from casemate.jobs.ask import Ask, Asking, Beside, Taken, digest, named
from casemate.jobs.changes import parents_of
from casemate.jobs.checked import MOST, checked, ordered
from casemate.jobs.executor import Line
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import JOB, JOB_KEY, Job, Spec
from casemate.jobs.limits import JOB_TURN, admitted, own_limits
from casemate.jobs.pointed import at_point
from casemate.jobs.reconcile import Reconciler
from casemate.jobs.service import revised
from casemate.jobs.services import served
from casemate.jobs.sites import Sites
from casemate.objects import Found, Page, Put, Where
from casemate.policy import Action, Refuse, Target, decide

__all__ = ["Jobs"]

TRIES = 8
"""How often a change is tried that another one has come before."""
TURNS = 200
"""The same where an owner with a limit asks for many at the same time: one after the other has its turn."""
CANCEL = Action("cancel", "job")


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
        self, flow: Flow, asked: Sequence[tuple[Spec, str]], beside: Beside | None = None, taken: Taken | None = None
    ) -> list[Found[Job]]:
        """All of them or none, in one commit. `#K` in `after` names the job at place K of these. Raises as `submit`.

        `taken`: which children of the first, an array, are not run. No caller may have that from a request.
        """
        if flow.access.need or flow.access.originator:
            raise BadInput(what="A job runs at a label alone: act without authorizations and originators.")
        if not 1 <= len(asked) <= MOST:
            raise BadInput(what=f"1 to {MOST} jobs are submitted together.")
        for spec, key in asked:
            checked(spec)
            await self._asking.label(flow, spec)
            if len(key) > 128 or not key.isprintable():
                raise BadInput(what="A key has at most 128 printable characters.")
        edges = ordered([spec for spec, _ in asked])
        asks = [Ask(served(spec), key, digest(spec)) for spec, key in asked]
        asks[0].taken = taken
        keyed = any(ask.key for ask in asks)
        for tried in range(TURNS):
            try:
                return await self._asking.land(flow, asks, edges, beside)
            except Conflict as conflict:
                what = str(conflict.facts.get("what", ""))
                turn = what.startswith(JOB_TURN.name)  # he has asked for others meanwhile: they are counted too
                same = keyed and what.startswith(JOB_KEY.name)  # one of these keys has just been used: its job is ours
                if not turn and not (same and tried < TRIES):
                    raise
        raise Conflict(what=JOB_KEY.name)

    async def named(self, flow: Flow, id: str) -> Found[Job]:
        """The visible job of that id. Raises Absent."""
        return await named(flow, id)

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
        ask = Ask(msgspec.structs.replace(spec, after=after), "", b"", parents=(found.ref,))
        await self._asking.label(flow, ask.spec)
        return (await self._asking.land(flow, [ask], [[]]))[0]

    async def update(self, flow: Flow, id: str, spec: Spec) -> Found[Job]:
        """Another spec for a service that runs: one by one its replicas are replaced, new ones healthy first.

        Raises BadInput for anything but a service that runs; Absent; Refused (`job-label`, `job-quota`); QuotaExceeded
        where it is to have more replicas than its owner jobs; Conflict.
        """
        checked(spec)
        await self._asking.label(flow, spec)
        for _ in range(TRIES):
            found = await self._own(flow, id)
            job = found.value
            if job.phase != "serving" or job.cancel or job.spec is None or job.serving is None:
                raise BadInput(what="What is not a service that runs is not changed: it is submitted anew.")
            if spec.kind != "service" or spec.queue != job.queue:
                raise BadInput(what="A service stays a service, and in its queue.")
            made = await self._asking.made(flow, Ask(served(spec), "", b""), [], [], {}, job.created)
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

    @property
    def _asking(self) -> Asking:
        return Asking(self.gate, self.inputs, self.sites)
