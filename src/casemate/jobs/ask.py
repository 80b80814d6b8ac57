"""What is asked for becomes a job: its label is held, what it names is looked up, and its row is made of that.

    spec -> its label -> its key's job, if there is one -> queue, inputs, environment, other jobs -> ONE commit

What a job reads is a parent of its row, found in the visible world of whoever asks. Nothing here looks at a job that is
there already, but for one that a key has made and those that are waited for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from casemate.access import Flow, Gate
from casemate.errors import BadInput, Conflict, MarkingError
from casemate.ids import fresh
from casemate.jobs.changes import parents_of
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import JOB, JOB_KEY, After, Input, Job, JobKey, Spec
from casemate.jobs.limits import admitted
from casemate.jobs.queues import Queues
from casemate.jobs.services import newborn
from casemate.jobs.sites import Sites
from casemate.jobs.wheels import fitting
from casemate.objects import Change, Found, Put, Ref
from casemate.policy import Refuse

__all__ = ["Ask", "Asking", "Beside", "Taken", "digest", "key_id", "named"]

Beside = Callable[[str], Sequence[Change]]
"""What else is changed in the commit of a job, by its id."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Children of an array that are not run (`Job.taken`), where its inputs are, in order, those of these digests."""

    children: Mapping[str, Mapping[int, int]]
    digests: tuple[str, ...]

    def over(self, inputs: Sequence[Input]) -> dict[str, dict[int, int]]:
        """What still holds of it: what was changed in the meantime is run over."""
        same = tuple(one.digest for one in inputs) == self.digests
        return {id: dict(children) for id, children in self.children.items()} if same else {}


@dataclass(slots=True)
class Ask:
    """One job of a request, on its way: `id` and `found` are known once it has a row."""

    spec: Spec
    key: str
    digest: bytes
    id: str = ""
    found: Found[Job] | None = None
    parents: tuple[Ref, ...] = ()
    taken: Taken | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Makes rows of what is asked for, with what a process has to look it up in."""

    gate: Gate
    inputs: Inputs
    sites: Sites

    async def label(self, flow: Flow, spec: Spec) -> None:
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

    async def land(
        self, flow: Flow, asks: list[Ask], edges: list[list[int]], beside: Beside | None = None
    ) -> list[Found[Job]]:
        now, changes = self.gate.vault.clock.now(), list[Change]()
        places: list[Ask] = []
        by_key: dict[str, Ask] = {}
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
            value = await self.made(flow, ask, asks, before, looked, now)
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

    async def _keyed(self, flow: Flow, ask: Ask) -> Found[Job] | None:
        """The job that this key has made. Raises Conflict where it was for another spec."""
        for found in await flow.read_each(JOB_KEY, key_id(flow.session.principal.id, ask.key)):
            if found.ref.class_id == flow.access.id:
                if found.value.digest != ask.digest:
                    raise Conflict(what=f"key {ask.key}")
                return await named(flow, found.value.job)
        return None

    async def made(
        self,
        flow: Flow,
        ask: Ask,
        asks: Sequence[Ask],
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
                await named(flow, each.job)
                after.append(each)
        known_after = {each.job for each in after}
        for source in dict.fromkeys(one.source for one in inputs if one.source.startswith(("job:", "sweep:"))):
            # what another job leaves is there once it has ended well, a sweep's points once all have ended
            maker = source.partition(":")[2].partition("/")[0]
            if maker not in known_after and (await named(flow, maker)).value.open == "yes":
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
            taken=ask.taken.over(inputs) if ask.taken is not None else {},
            session=flow.session.id,
            language=flow.session.language,
            made_of=tuple((one.kind, one.id, one.class_id) for one in dict.fromkeys((*ask.parents, *parents))),
        )


async def named(flow: Flow, id: str) -> Found[Job]:
    """The visible job of that id. Raises Absent."""
    found = await flow.read(JOB, id[:128])
    flow.use(found.ref)
    return found


def _at(source: str, spec: Spec) -> int:
    """The place of the job that `sweep:#K` names: one that it waits for. Raises BadInput."""
    place = source.removeprefix("sweep:")
    if not any(one.job == place for one in spec.after):
        raise BadInput(what="sweep:#K names a job that this one waits for.")
    return int(place[1:])


def key_id(owner: str, key: str) -> str:
    """Under what a key of an owner is kept: no key of one meets a key of another."""
    return hashlib.sha384(f"{owner}\0{key}".encode()).hexdigest()


def digest(spec: Spec) -> bytes:
    """What tells a spec from another one under the same key."""
    return hashlib.sha384(msgspec.msgpack.encode(spec, order="deterministic")).digest()
