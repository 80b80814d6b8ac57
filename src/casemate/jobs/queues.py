"""Queues and job definitions: names under which jobs are asked for, each at the label of whoever made it.

A name is what the acting label sees of it: the highest visible one. A queue above neither stands in the way of one of
that name below, nor is known there; so the number of a definition's revision counts visible revisions alone, and two
labels may both have `train:3`. `default` is always there, whoever made none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from casemate.access import Flow, Gate
from casemate.errors import Absent, Ambiguous, BadInput, Conflict
from casemate.jobs.checked import checked
from casemate.jobs.job import JOB, Spec
from casemate.objects import Delete, Found, Kind, Put, Ref, Where

__all__ = ["DEFAULT", "JOB_DEFINITION", "JOB_QUEUE", "Definition", "Queue", "Queues", "filled", "standing"]

DEFAULT = "default"
LONGEST = 64 << 10  # bytes of what a definition says
TRIES = 8
MOST = 1000
WEIGHT = 1_000_000
_REF = re.compile(r"Ref::([A-Za-z0-9_.-]+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
Level = Literal["", "L1", "L2", "L3"]
T = TypeVar("T")


class Queue(msgspec.Struct, frozen=True):
    """`priority` is added to that of its jobs. `floor`: the least isolation of what it takes; "" as the job has it.

    `max_share`: percent of an engine's CPUs and GPUs that its jobs hold at once at one label, rounded up. `shares`:
    what principals, by name, are entitled to in it against each other; 1 where nothing is said, 0 for after all others.
    """

    name: str
    priority: int = 0
    enabled: bool = True
    floor: Level = ""
    tags: dict[str, str] = {}
    made_by: str = ""
    at: int = 0
    max_share: int = 100
    shares: dict[str, float] = {}


class Definition(msgspec.Struct, frozen=True):
    """What jobs are made from. `spec` may hold `Ref::NAME`, to be replaced by parameters; `said`: as it was registered.

    One that is no longer `active` makes no jobs, and its number is not given again.
    """

    name: str
    revision: int
    spec: Spec
    said: bytes
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    active: bool = True
    made_by: str = ""
    at: int = 0


JOB_QUEUE = Kind("job_queue", Queue)
JOB_DEFINITION = Kind("job_definition", Definition, indexed=("name",))


@dataclass(frozen=True, slots=True)
class Queues:
    """What doors speak to."""

    gate: Gate

    async def make(self, flow: Flow, queue: Queue) -> Found[Queue]:
        """A new queue at the acting label. Raises BadInput, Conflict where one of that name is visible."""
        _named(queue.name)
        _sound(queue)
        own = Ref(JOB_QUEUE.name, queue.name, flow.access.id)
        if await flow.read_each(JOB_QUEUE, queue.name) or own in flow.barred(JOB_QUEUE) or queue.name == DEFAULT:
            raise Conflict(what=f"Queue {queue.name}")
        value = replace(queue, made_by=flow.session.principal.name, at=self.gate.vault.clock.now())
        await flow.commit(Put(JOB_QUEUE, queue.name, value, expect=0), facts={"queue": queue.name})
        return await self.queue(flow, queue.name)

    async def queues(self, flow: Flow) -> list[Found[Queue]]:
        """The visible queues by name, `default` first."""
        made = sorted(await flow.every(JOB_QUEUE), key=lambda found: (found.id, found.label.text))
        return [self._default(flow), *made]

    async def queue(self, flow: Flow, name: str) -> Found[Queue]:
        """The highest visible one of that name. Raises Absent; Ambiguous where two are incomparable."""
        if name == DEFAULT:
            return self._default(flow)
        found = await flow.read_each(JOB_QUEUE, name[:128])
        if not found:
            await flow.absent(JOB_QUEUE, name[:128])
        return _highest(name, found)

    async def change(self, flow: Flow, name: str, **changes: Any) -> Found[Queue]:
        """Change anything but the name of one that lies at the acting label. Raises Absent, BadInput."""
        found = await self._own(flow, JOB_QUEUE, name)
        value = replace(found.value, **changes)
        _sound(value)
        await flow.commit(Put(JOB_QUEUE, name, value, expect=found.version), facts={"queue": name})
        return await self.queue(flow, name)

    async def drop(self, flow: Flow, name: str) -> None:
        """Forget one that is shut and whose visible jobs have ended. Raises Absent, Conflict."""
        found = await self._own(flow, JOB_QUEUE, name)
        if found.value.enabled:
            raise Conflict(what=f"Queue {name}")
        if (await flow.scan(JOB, Where((("queue", name), ("open", "yes"))), None, 1)).items:
            raise Conflict(what=f"Queue {name}")
        await flow.commit(Delete(JOB_QUEUE, name, found.version), facts={"queue": name})

    async def applied(self, flow: Flow, spec: Spec, again: bool = False) -> Spec:
        """A job as its queue has it. `again`: it is made from one whose priority has its queue's in it.

        Raises Absent, Ambiguous, BadInput where the queue takes none.
        """
        if spec.queue == DEFAULT:
            return spec
        queue = (await self.queue(flow, spec.queue)).value
        if not queue.enabled:
            raise BadInput(what=f"Queue {queue.name} takes no jobs now.")
        priority = spec.priority if again else max(-1000, min(1000, spec.priority + queue.priority))
        return replace(spec, priority=priority, floor=max(spec.floor, queue.floor))

    async def register(self, flow: Flow, definition: Definition) -> Found[Definition]:
        """The next revision, at the acting label. Raises BadInput, Conflict."""
        _named(definition.name)
        checked(definition.spec if definition.spec.command else replace(definition.spec, command=("-",)))
        if len(definition.said) > LONGEST or len(definition.parameters) > 200:
            raise BadInput(what=f"A job definition has at most {LONGEST} bytes and 200 parameters.")
        for _ in range(TRIES):
            revision = 1 + await self._last(flow, definition.name)
            now, person = self.gate.vault.clock.now(), flow.session.principal.name
            value = replace(definition, revision=revision, active=True, made_by=person, at=now)
            id = f"{value.name}:{revision}"
            try:
                await flow.commit(Put(JOB_DEFINITION, id, value, expect=0), facts={"definition": id})
            except Conflict:
                continue  # another has just registered this one
            return _highest(id, await flow.read_each(JOB_DEFINITION, id))
        raise Conflict(what=definition.name)

    async def definition(self, flow: Flow, name: str) -> Found[Definition]:
        """`NAME:REVISION`, or the newest active one of `NAME`. Raises Absent, Ambiguous."""
        if ":" in name:
            found = await flow.read_each(JOB_DEFINITION, name[:140])
        else:
            made = [one for one in await self.definitions(flow, name[:128]) if one.value.active]
            newest = max((one.value.revision for one in made), default=0)
            found = [one for one in made if one.value.revision == newest]
        if not found:
            await flow.absent(JOB_DEFINITION, name[:140])
        return _highest(name, found)

    async def drawn(self, flow: Flow, name: str, parameters: Mapping[str, str]) -> Spec:
        """What a job of a definition does, with these parameters. Raises Absent, Ambiguous, BadInput."""
        found = await self.definition(flow, name)
        if not found.value.active:
            raise BadInput(what=f"{found.id} makes no more jobs.")
        return filled(found.value.spec, {**found.value.parameters, **parameters})

    async def definitions(self, flow: Flow, name: str = "") -> list[Found[Definition]]:
        """The visible revisions, by name, the newest first."""
        where = Where((("name", name),)) if name else None
        found = await flow.every(JOB_DEFINITION, where)
        return sorted(found, key=lambda one: (one.value.name, -one.value.revision, one.label.text))

    async def deregister(self, flow: Flow, name: str) -> None:
        """It makes no more jobs. Of one that lies at the acting label. Raises Absent."""
        found = await self._own(flow, JOB_DEFINITION, name)
        if found.value.active:
            value = replace(found.value, active=False)
            await flow.commit(Put(JOB_DEFINITION, found.id, value, expect=found.version), facts={"definition": name})

    async def tag(self, flow: Flow, name: str, tags: dict[str, str], gone: Sequence[str] = ()) -> None:
        """Other tags of a definition that lies at the acting label. Raises Absent, BadInput."""
        found = await self._own(flow, JOB_DEFINITION, name)
        kept = {key: text for key, text in {**found.value.tags, **tags}.items() if key not in gone}
        value = replace(found.value, tags=_tagged(kept))
        await flow.commit(Put(JOB_DEFINITION, found.id, value, expect=found.version), facts={"definition": name})

    async def _own(self, flow: Flow, kind: Kind[T], name: str) -> Found[T]:
        """One that lies exactly at the acting label: what is seen from above is not changed from there."""
        for found in await flow.read_each(kind, name[:140]):
            if found.ref.class_id == flow.access.id:
                return found
        raise await _never(flow, kind, name)

    async def _last(self, flow: Flow, name: str) -> int:
        """The highest revision of the visible world; one that is frozen keeps its number."""
        ids = [found.id for found in await flow.every(JOB_DEFINITION, Where((("name", name),)))]
        ids += [ref.id for ref in flow.barred(JOB_DEFINITION) if ref.id.rpartition(":")[0] == name]
        return max((int(id.rpartition(":")[2]) for id in ids), default=0)

    def _default(self, flow: Flow) -> Found[Queue]:
        floor = self.gate.vault.region.floor
        return Found(Ref(JOB_QUEUE.name, DEFAULT, flow.access.id), 0, floor, Queue(DEFAULT))


async def _never(flow: Flow, kind: Kind[Any], name: str) -> Absent:
    await flow.absent(kind, name[:140])


def _highest(name: str, found: Sequence[Found[T]]) -> Found[T]:
    """The one that dominates the others. Raises Ambiguous."""
    top = _tops(found)
    if len(top) > 1 or not top:
        raise Ambiguous(key=name[:140], labels="; ".join(sorted(one.label.text for one in found)))
    return top[0]


def filled(spec: Spec, parameters: Mapping[str, str]) -> Spec:
    """`Ref::NAME` in the words of the command replaced, once; a name without a parameter stays as it is."""
    return replace(spec, command=tuple(_REF.sub(lambda m: parameters.get(m[1], m[0]), word) for word in spec.command))


def standing(found: Sequence[Found[Queue]]) -> dict[str, Queue]:
    """By name, the one that counts; where none is above the others, the one that gives least."""
    names: dict[str, list[Found[Queue]]] = {}
    for one in found:
        names.setdefault(one.id, []).append(one)
    return {name: min(_tops(each), key=lambda one: (one.value.max_share, one.id)).value for name, each in names.items()}


def _tops(found: Sequence[Found[T]]) -> list[Found[T]]:
    """Those that no other one dominates."""
    return [one for one in found if not any(one.label <= other.label and one is not other for other in found)]


def _named(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(what="A name has 1 to 128 letters, digits, '-' and '_'.")


def _sound(queue: Queue) -> None:
    if not -1000 <= queue.priority <= 1000:
        raise BadInput(what="A queue's priority is -1000 to 1000.")
    if not 1 <= queue.max_share <= 100:
        raise BadInput(what="A queue's largest share is 1 to 100 percent.")
    if len(queue.shares) > MOST or any(len(name) > 128 or not 0 <= of <= WEIGHT for name, of in queue.shares.items()):
        raise BadInput(what=f"A queue has at most {MOST} shares, each of a principal's name, and 0 to {WEIGHT}.")
    _tagged(queue.tags)


def _tagged(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > 50 or any(len(key) > 128 or len(text) > 256 for key, text in tags.items()):
        raise BadInput(what="There are at most 50 tags, of at most 128 and 256 characters.")
    return tags
