"""Nodes of a cluster: one holds one label, and another has it only after what was done to it is on record."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.jobs.executor import Capabilities
from casemate.jobs.nodes import JOB_NODE, Listed, Nodes, What
from casemate.jobs.plan import Node
from casemate.jobs.sites import Site, Sites
from casemate.objects import Found
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of
from tests.jobs.yard import Yard

BOTH: tuple[What, ...] = ("gpu-memory", "scratch")


def cluster(domain: str, told: Capabilities) -> tuple[Node, ...]:
    """What the engine names for any class: one node too many."""
    return tuple(Node(name, domain, 4, 4096) for name in ("n1", "n2"))


def given(yard: Yard, **labels: str) -> Nodes:
    """The region starts anew, with these nodes given by its settings."""
    gate = yard.world.house.gate
    nodes = Nodes(gate, tuple(Listed("fake", name, label_of(yard.world, label)) for name, label in labels.items()))
    yard.sites = Sites({"fake": Site(yard.engine, yard.scratch, nodes.of("fake", cluster))}, "fake", nodes=nodes)
    yard.restart()
    return nodes


async def operator(yard: Yard, at: str, deed: str = "sanitise", who: str = "opal") -> Any:
    flow = await yard.flow("list", who, at)
    return await flow_of(yard.world, flow.session, Action(deed, "job-node"), at)


async def told(yard: Yard, nodes: Nodes, at: str) -> list[tuple[str, str, bool, str]]:
    seen = await nodes.seen(await operator(yard, at, "list"))
    names = {label_of(yard.world, text).text: text for text in (LOW, SECRET)}
    return [(one.name, names[one.label.text], one.given, one.record.state if one.record else "") for one in seen]


async def ran(yard: Yard, at: str) -> str:
    """Where a job of that label runs; "" where it finds no place. It ends."""
    found = await yard.submit(at=at)
    await yard.step(3, 2.0)
    job = await yard.job(found.id, at)
    await yard.settle(most=6)
    return job.attempts[-1].node if job.attempts else ""


async def test_a_label_runs_on_its_own_nodes_alone_and_holds_them_on_record(yard: Yard) -> None:
    nodes = given(yard, n1=SECRET, n2=LOW)
    assert await told(yard, nodes, SECRET) == [("n1", SECRET, True, ""), ("n2", LOW, True, "")]
    assert await ran(yard, SECRET) == "n1"
    assert await ran(yard, LOW) == "n2"
    assert await told(yard, nodes, SECRET) == [("n1", SECRET, True, "held"), ("n2", LOW, True, "held")]
    assert await told(yard, nodes, LOW) == [("n2", LOW, True, "held")]


async def test_a_node_that_held_another_label_is_nobodys_until_its_steps_are_on_record(yard: Yard) -> None:
    given(yard, n1=SECRET)
    assert await ran(yard, SECRET) == "n1"
    nodes = given(yard, n1=LOW)
    assert await ran(yard, LOW) == ""
    assert await told(yard, nodes, LOW) == [("n1", LOW, True, "")]
    flow = await operator(yard, SECRET)
    one = await nodes.sanitise(flow, "fake", "n1", ("gpu-memory",), "nvidia-smi reset, 09:10")
    assert one.record is not None
    assert one.record.state == "held"
    one = await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", ("scratch", "reboot"), "blkdiscard")
    assert one.record is not None
    assert [(step.what, step.person, step.evidence) for step in one.record.steps] == [
        ("gpu-memory", "opal", "nvidia-smi reset, 09:10"),
        ("scratch", "opal", "blkdiscard"),
        ("reboot", "opal", "blkdiscard"),
    ]
    assert one.record.state == "clean"
    await yard.step(3, 2.0)
    assert not yard.engine.all("waiting"), "the step counts from the next start on"
    nodes = given(yard, n1=LOW)
    await yard.step(3, 2.0)
    assert len(yard.engine.all("waiting")) == 1
    assert await told(yard, nodes, LOW) == [("n1", LOW, True, "held")]
    assert await told(yard, nodes, SECRET) == [("n1", LOW, True, "held"), ("n1", SECRET, False, "clean")]


async def test_upward_too_and_back_again_each_time_with_steps_of_its_own(yard: Yard) -> None:
    given(yard, n1=LOW)
    assert await ran(yard, LOW) == "n1"
    nodes = given(yard, n1=SECRET)
    assert await ran(yard, SECRET) == ""
    await nodes.sanitise(await operator(yard, LOW), "fake", "n1", BOTH, "no GPU; mkfs")
    given(yard, n1=SECRET)
    await yard.settle(most=6)
    nodes = given(yard, n1=LOW)
    assert await ran(yard, LOW) == "", "what was done before it held the other label counts no more"
    await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", BOTH, "no GPU; mkfs")
    given(yard, n1=LOW)
    await yard.settle(most=6)
    nodes = given(yard, n1=SECRET)
    one = await nodes.sanitise(await operator(yard, LOW), "fake", "n1", ("reboot",), "power cycle")
    assert one.record is not None
    assert (one.record.state, [step.what for step in one.record.steps]) == ("held", ["reboot"])


async def test_a_step_is_recorded_where_the_node_was_held_by_an_operator_once_nothing_runs_there(yard: Yard) -> None:
    nodes = given(yard, n1=SECRET)
    found = await yard.submit()
    await yard.step(3, 2.0)
    with pytest.raises(Conflict, match="settings"):
        await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", BOTH, "mkfs")
    nodes = given(yard, n1=LOW)
    with pytest.raises(Conflict, match="runs a job"):
        await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", BOTH, "mkfs")
    for at in (LOW, TOP):
        with pytest.raises(Absent):
            await nodes.sanitise(await operator(yard, at), "fake", "n1", BOTH, "mkfs")
    none: tuple[What, ...] = ()
    for steps, evidence in ((none, "mkfs"), (BOTH, " "), (BOTH, "a\nb"), (BOTH, "x" * 1025)):
        with pytest.raises(BadInput):
            await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", steps, evidence)
    with pytest.raises(Refused):
        await operator(yard, SECRET, "sanitise", "olga")
    await yard.cancel(found.id)
    await yard.settle()
    assert (await yard.job(found.id)).open == "no"
    one = await nodes.sanitise(await operator(yard, SECRET), "fake", "n1", BOTH, "mkfs")
    assert one.record is not None
    assert one.record.state == "clean"


async def test_what_cannot_be_read_is_held(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    given(yard, n1=SECRET)
    assert await ran(yard, SECRET) == "n1"
    nodes, gate, secret = given(yard, n1=LOW, n2=LOW), yard.world.house.gate, label_of(yard.world, SECRET)
    await nodes.look()
    opened = type(gate).open

    async def shut(self: Any, session: Any, action: Action, *more: Any) -> Any:
        if session.ceiling == secret:
            raise Conflict(what="law")
        return await opened(self, session, action, *more)

    nodes = given(yard, n1=LOW, n2=LOW)
    monkeypatch.setattr(type(gate), "open", shut)
    await nodes.look()
    monkeypatch.undo()
    assert await ran(yard, LOW) == "", "neither n1, which is held, nor n2, of which nothing is known"


async def test_an_engine_none_of_whose_nodes_is_given_partitions_itself(yard: Yard) -> None:
    nodes = given(yard, n1=SECRET)
    assert nodes.of("other", cluster) is cluster
    bare = given(yard)
    await bare.look()
    assert bare.of("fake", cluster) is cluster
    assert await ran(yard, LOW) == "n1"


async def test_what_a_lane_records_is_one_commit_for_each_label_and_none_at_the_next_start(yard: Yard) -> None:
    for _ in range(2):
        given(yard, n1=SECRET, n2=SECRET)
        assert await ran(yard, SECRET) == "n1"
    flow = await yard.flow("read")
    found: list[Found[Any]] = [one async for one in _each(flow)]
    assert [(one.id, one.version, one.value.state) for one in found] == [
        ("fake:n1", found[0].version, "held"),
        ("fake:n2", found[0].version, "held"),
    ]


async def _each(flow: Any) -> Any:
    for one in sorted(await flow.every(JOB_NODE), key=lambda each: each.id):
        yield one
