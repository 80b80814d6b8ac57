"""Which label a node of a cluster holds, on record: what has run one label's jobs runs no other's until it is clean.

The settings give a node to a label; nobody moves one while the region runs. The label's own lane records, at that
label, that the node is held before anything is placed on it. After the settings give it to another, nothing runs there
for as long as the record stands. An operator who acts at the label that it held says what was done to it, and
from the next start on the node is the other label's. What holds is looked at once, at the start: so the other label
learns nothing of what runs above, but that its node was given to it and cleaned.

It must never take a node's word, or anybody's below, for that it is clean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from casemate.access import Flow, Gate
from casemate.errors import BadInput, CasemateError, Conflict
from casemate.jobs import life
from casemate.jobs.desk import own
from casemate.jobs.executor import Capabilities
from casemate.jobs.plan import Node
from casemate.labels import Label
from casemate.objects import Found, Kind, Put, Where
from casemate.policy import Action

__all__ = ["JOB_NODE", "NEEDED", "JobNode", "Listed", "Nodes", "Seen", "Step", "What", "node_id"]

What = Literal["gpu-memory", "scratch", "reboot"]
NEEDED: frozenset[What] = frozenset({"gpu-memory", "scratch"})
"""What has to be done to a node before another label has it. One that has no GPU has that said of it."""
LONGEST = 1024
_TEND = Action("tend", "job")


class Step(msgspec.Struct, frozen=True):
    """Something that was done to a node: `evidence` says how, in the words of whoever did it."""

    what: What
    evidence: str
    person: str
    at: int


class JobNode(msgspec.Struct, frozen=True):
    """A node, at the label that it holds or has held since. `steps`: what was done to it since then."""

    name: str
    engine: str
    state: Literal["held", "clean"] = "held"
    since: int = 0
    steps: tuple[Step, ...] = ()


JOB_NODE = Kind("job_node", JobNode)


@dataclass(frozen=True, slots=True)
class Listed:
    """What the settings say of a node: its engine's name, its own, and the label that it is given to."""

    engine: str
    name: str
    label: Label


@dataclass(frozen=True, slots=True)
class Seen:
    """A node as it is told. `given`: by the settings, to this label. `record`: None where it has never held it."""

    engine: str
    name: str
    label: Label
    given: bool
    record: JobNode | None


def node_id(engine: str, name: str) -> str:
    """Under what a node is kept, the same at each label."""
    return f"{engine}:{name}"


@dataclass(slots=True)
class Nodes:
    """`listed`: every node that the settings name. An engine none of whose nodes is named partitions itself."""

    gate: Gate
    listed: Sequence[Listed] = ()
    _engines: frozenset[str] = field(init=False)
    _given: Mapping[str, str] = field(init=False)
    _holders: dict[str, set[str]] | None = field(init=False, default=None)
    _held: dict[str, frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._engines = frozenset(one.engine for one in self.listed)
        self._given = {node_id(one.engine, one.name): self.gate.classes.of(one.label).id for one in self.listed}

    def of(
        self, engine: str, nodes: Callable[[str, Capabilities], Sequence[Node]]
    ) -> Callable[[str, Capabilities], Sequence[Node]]:
        """What the planner is given of an engine: of the nodes that it names for a class, those that it holds."""
        if engine not in self._engines:
            return nodes

        def held(domain: str, told: Capabilities) -> Sequence[Node]:
            mine = self._held.get(domain, frozenset())
            return tuple(node for node in nodes(domain, told) if node_id(engine, node.name) in mine)

        return held

    async def look(self) -> None:
        """Who holds what, of all classes, once in the life of a process. What cannot be read is held."""
        if self._holders is not None or not self.listed:
            return
        holders: dict[str, set[str]] = {id: set() for id in self._given}
        for access in self.gate.classes.everything():
            if access.originator or access.need:
                continue  # no job runs there
            try:
                flow = await self.gate.open(self.gate.service("jobs", access), _TEND)
                ids = {one.id for one in await _own(flow) if one.value.state == "held"}
                ids |= {ref.id for ref in flow.barred(JOB_NODE) if ref.class_id == access.id}
            except CasemateError:
                ids = set(holders)
            for id in ids & holders.keys():
                holders[id].add(access.id)
        self._holders = holders

    async def claim(self, flow: Flow) -> None:
        """Record that the class of the flow holds what it was given; from then on it is its. Raises Conflict."""
        mine, holders = [id for id, given in self._given.items() if given == flow.access.id], self._holders
        if not mine or holders is None:
            return
        free = [id for id in mine if holders[id] <= {flow.access.id}]
        known = {one.id: one for one in await _own(flow)}
        barred = {ref.id for ref in flow.barred(JOB_NODE)}
        puts = []
        for id in free:
            found = known.get(id)
            if id not in barred and (found is None or found.value.state != "held"):
                engine, _, name = id.partition(":")
                value = JobNode(name, engine, "held", self.gate.vault.clock.now())
                puts.append(Put(JOB_NODE, id, value, expect=found.version if found is not None else 0))
        if puts:
            await flow.commit(*puts, facts={"nodes": ",".join(sorted(put.id for put in puts))})
        self._held[flow.access.id] = frozenset(free) - barred

    async def seen(self, flow: Flow) -> list[Seen]:
        """The nodes of what is visible: given to it, or held by it, by engine, name and label."""
        found: dict[tuple[str, str, str], Seen] = {}
        for one in self.listed:
            if one.label <= flow.acting:
                found[(one.engine, one.name, one.label.text)] = Seen(one.engine, one.name, one.label, True, None)
        for each in await flow.every(JOB_NODE):
            record = each.value
            given = self._given.get(each.id) == each.ref.class_id
            found[(record.engine, record.name, each.label.text)] = Seen(
                record.engine, record.name, each.label, given, record
            )
        return [found[place] for place in sorted(found)]

    async def sanitise(self, flow: Flow, engine: str, name: str, done: Iterable[What], evidence: str) -> Seen:
        """Record what was done to a node that the acting label has held. It is clean once all of NEEDED was done.

        Raises Absent; BadInput; Conflict while the settings give it to this label, and while a job of it runs there.
        """
        steps, id = tuple(dict.fromkeys(done)), node_id(engine, name)[:200]
        if not steps or not evidence.strip() or len(evidence) > LONGEST or not evidence.isprintable():
            raise BadInput(what=f"A step says what was done, and how, in 1 to {LONGEST} printable characters.")
        found = next((one for one in await _own(flow) if one.id == id), None)
        if found is None:
            await flow.absent(JOB_NODE, id)
        flow.use(found.ref)
        if self._given.get(id) == flow.access.id:
            raise Conflict(what=f"Node {id} is this label's by the settings: give it to another first, and start anew.")
        if await self._busy(flow, engine, name):
            raise Conflict(what=f"Node {id} still runs a job of this label.")
        now, person = self.gate.vault.clock.now(), flow.session.principal.name
        made = (*found.value.steps, *(Step(what, evidence, person, now) for what in steps))
        state: Literal["held", "clean"] = "clean" if {one.what for one in made} >= NEEDED else "held"
        value = msgspec.structs.replace(found.value, steps=made, state=state)
        facts = {"node": id, "steps": ",".join(steps), "state": state}
        await flow.commit(Put(JOB_NODE, id, value, expect=found.version), facts=facts)
        return Seen(engine, name, found.label, False, value)

    async def _busy(self, flow: Flow, engine: str, name: str) -> bool:
        async for found in own(flow, Where((("open", "yes"),))):
            attempt = life.live(found.value)
            if attempt is not None and attempt.engine == engine and name in attempt.node.split(","):
                return True
        return False


async def _own(flow: Flow) -> list[Found[JobNode]]:
    """The records of the flow's own class."""
    return [one for one in await flow.every(JOB_NODE) if one.ref.class_id == flow.access.id]
