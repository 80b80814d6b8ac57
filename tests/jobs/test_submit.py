"""What may be asked for, by whom and where; one key makes one job."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.jobs import After, Array, Checkpoint, Evaluate, Input, Output, Resources, Retry, Spec
from casemate.jobs.ask import Asking
from casemate.jobs.checked import ordered
from casemate.jobs.sites import Sites
from casemate.objects import Where
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.jobs.yard import SPEC, Yard

BAD: list[dict[str, Any]] = [
    {"command": ()},
    {"command": ("",)},
    {"command": ("a\0",)},
    {"command": ("x" * (1 << 19),)},
    {"command": ("x",) * 5000},
    {"env": {"1": "x"}},
    {"resources": Resources(cpus=0)},
    {"resources": Resources(wall_s=0)},
    {"resources": Resources(gpu_type="x" * 65)},
    {"array": Array(1)},
    {"array": Array(10_001)},
    {"array": Array(2), "kind": "service"},
    {"retry": Retry(0)},
    {"retry": Retry(11)},
    {"retry": Retry(1, (Evaluate("EXIT"),) * 6)},
    {"after": (After("job_x"),) * 21},
    {"after": (After("#1"),)},
    {"after": (After("#0"),)},
    {"priority": 5000},
    {"deadline_s": -1},
    {"queue": ""},
    {"environment": "docker:xyz"},
    {"environment": "wheels:x y"},
    {"name": "a\nb"},
    {"tags": {"x" * 200: ""}},
    {"inputs": (Input("a/b", "object:b/k"),)},
    {"inputs": (Input("a", "file:/etc/passwd"),)},
    {"inputs": (Input("a", "object:b/k"),) * 2},
    {"outputs": (Output("a", "/etc"),)},
    {"outputs": (Output("a", "../x"),)},
    {"outputs": (Output("a", "x"), Output("a", "y"))},
    {"outputs": tuple(Output(f"a{i}", "x") for i in range(101))},
    {"checkpoint": Checkpoint("/x")},
    {"label": "no such marking"},
]


@pytest.mark.parametrize("wrong", BAD, ids="-".join)
async def test_what_cannot_be_a_job_is_said(yard: Yard, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await yard.submit(replace(SPEC, **wrong))


async def test_a_key_makes_one_job_of_a_hundred_at_once(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Asking._keyed

    async def together(self: Asking, flow: Flow, ask: Any) -> Any:
        """Each looks before any of them has committed."""
        found = await looked(self, flow, ask)
        await asyncio.sleep(0.01)
        return found

    monkeypatch.setattr(Asking, "_keyed", together)
    found = await asyncio.gather(*[yard.submit(SPEC, "key") for _ in range(100)])
    assert len({one.id for one in found}) == 1
    page = await yard.jobs.page(await yard.flow("list"), Where())
    assert len(page.items) == 1
    with pytest.raises(Conflict):
        await yard.submit(Spec(("other",)), "key")


async def test_a_key_is_its_owners_alone_and_its_labels(yard: Yard) -> None:
    own = await yard.submit(SPEC, "key")
    others = await yard.submit(SPEC, "key", "otto")
    above = await yard.submit(SPEC, "key", at=TOP)
    assert len({own.id, others.id, above.id}) == 3
    assert others.value.owner != own.value.owner
    assert (await yard.submit(SPEC, "key")).id == own.id


async def test_many_are_one_commit_and_may_wait_for_each_other(yard: Yard) -> None:
    flow = await yard.flow("submit")
    yard.world.calls.clear()
    behind = [replace(SPEC, after=(After(place),)) for place in ("#1", "#0")]
    asked = [(behind[0], ""), (SPEC, "k"), (behind[1], ""), (SPEC, "k")]
    first, second, third, again = await yard.jobs.submit_many(flow, asked)
    assert sum(call.startswith("committer.commit") for call in yard.world.calls) == 1
    assert second.id == again.id
    assert first.value.spec is not None
    assert first.value.spec.after == (After(second.id),)
    assert third.value.spec is not None
    assert third.value.spec.after[0].job == first.id
    await yard.settle()
    assert (await yard.job(third.id)).state == "SUCCEEDED"
    with pytest.raises(Conflict):
        await yard.jobs.submit_many(flow, [(SPEC, "z"), (Spec(("other",)), "z")])
    with pytest.raises(BadInput):
        await yard.jobs.submit_many(flow, [])


async def test_a_circle_is_refused(yard: Yard) -> None:
    one, two = replace(SPEC, after=(After("#1"),)), replace(SPEC, after=(After("#0"),))
    with pytest.raises(BadInput, match="wait for each other"):
        await yard.jobs.submit_many(await yard.flow("submit"), [(one, ""), (two, ""), (SPEC, "")])
    assert ordered([SPEC, replace(SPEC, after=(After("#0"),))]) == [[], [0]]


async def test_ranks_across_nodes_are_refused_where_the_policy_asks_for_walls(yard: Yard) -> None:
    yard.sites = Sites(yard.sites.every, "fake", lambda label: "L2", network=[label_of(yard.world, TOP)])
    yard.restart()
    wide = replace(SPEC, resources=Resources(nodes=2, network="host"))
    with pytest.raises(Refused) as refused:
        await yard.submit(wide)
    assert refused.value.facts["rule"] == "job-nodes"
    for inside in (Resources(nodes=2), Resources(tasks=4, network="host")):
        await yard.submit(replace(SPEC, resources=inside))
    with pytest.raises(Refused):
        await yard.submit(replace(SPEC, resources=Resources(nodes=1024, network="host")))


async def test_the_machines_network_is_for_labels_that_the_settings_name(yard: Yard) -> None:
    asked = replace(SPEC, resources=Resources(network="host"))
    low, secret = label_of(yard.world, LOW), label_of(yard.world, SECRET)
    for named, label in (([], LOW), ([low], SECRET)):
        yard.sites = Sites(yard.sites.every, "fake", network=named)
        yard.restart()
        with pytest.raises(Refused) as refused:
            await yard.submit(asked, at=label)
        assert refused.value.facts["rule"] == "job-network"
    for label in (LOW, SECRET):
        yard.sites = Sites(yard.sites.every, "fake", network=[secret])
        yard.restart()
        await yard.submit(asked, at=label)


async def test_a_job_that_asks_to_write_lower_is_refused_by_name(yard: Yard) -> None:
    with pytest.raises((Refused, BadInput)) as refused:
        await yard.submit(replace(SPEC, label="U"), at=SECRET)
    assert isinstance(refused.value, Refused)
    assert refused.value.facts["rule"] == "job-label"
    with pytest.raises(BadInput):
        await yard.submit(replace(SPEC, label="TOP SECRET//SI//REL TO USA"), at=SECRET)


async def test_what_is_named_lies_in_the_visible_world(yard: Yard) -> None:
    """A job, an input and a dependency above are as absent as those that never were."""
    yard.inputs.things["object:b/k"] = (label_of(yard.world, TOP), b"x")
    above = await yard.submit(at=TOP)
    for spec in (
        replace(SPEC, inputs=(Input("in", "object:b/k"),)),
        replace(SPEC, inputs=(Input("in", "object:b/never"),)),
        replace(SPEC, after=(After(above.id),)),
        replace(SPEC, after=(After("job_never"),)),
    ):
        with pytest.raises(Absent):
            await yard.submit(spec)
    with pytest.raises(Absent):
        await yard.jobs.named(await yard.flow("read"), above.id)
    with pytest.raises(Absent):
        await yard.jobs.cancel(await yard.flow("cancel"), above.id)
    with pytest.raises(Absent):
        await yard.jobs.retry(await yard.flow("retry"), above.id)
    with pytest.raises(Absent):
        await yard.jobs.log(await yard.flow("read"), above.id, "out")
    assert (await yard.jobs.page(await yard.flow("list"), Where())).items == ()
    assert (await yard.jobs.top(await yard.flow("list")))["states"] == {}


async def test_an_input_that_is_another_than_was_said_is_refused(yard: Yard) -> None:
    yard.inputs.things["object:b/k"] = (label_of(yard.world, LOW), b"x")
    with pytest.raises(Conflict):
        await yard.submit(replace(SPEC, inputs=(Input("in", "object:b/k", "00"),)))


async def test_only_its_owner_and_operators_end_a_job(yard: Yard) -> None:
    found = await yard.submit()
    with pytest.raises(Absent):
        await yard.cancel(found.id, "otto")
    await yard.cancel(found.id, "opal")
    assert (await yard.job(found.id)).state == "CANCELLED"
    with pytest.raises(Absent):
        await yard.jobs.retry(await yard.flow("retry", "otto"), found.id)
    again = await yard.jobs.retry(await yard.flow("retry"), found.id)
    assert again.id != found.id
    with pytest.raises(BadInput):
        await yard.jobs.retry(await yard.flow("retry"), again.id)
    below = await yard.submit(at=LOW)
    with pytest.raises(Refused):
        await yard.cancel(below.id)
    with pytest.raises(BadInput):
        await yard.jobs.cancel(await yard.flow("cancel"), again.id, "x" * 999)


async def test_what_a_job_reads_is_its_parent(yard: Yard) -> None:
    maker = await yard.submit()
    yard.inputs.things[f"job:{maker.id}/out"] = (label_of(yard.world, SECRET), b"x")
    yard.inputs.ref = lambda source: (maker.ref,)
    reader = await yard.submit(replace(SPEC, inputs=(Input("in", f"job:{maker.id}/out"),)))
    assert await (await yard.flow("read")).children(maker.ref) == [reader.ref]
    assert reader.value.spec is not None
    assert reader.value.spec.after == (After(maker.id),), "it waits for what it reads"


async def test_counts_are_of_the_acting_class_alone(yard: Yard) -> None:
    await yard.submit(at=LOW)
    await yard.submit()
    top = await yard.jobs.top(await yard.flow("list"))
    assert top == {
        "states": {"SUBMITTED": 1}, "queues": {"default": 1}, "slots": {"fake": 4},
        "standing": {"default": {"SUBMITTED": 1}}, "limits": dict.fromkeys(("jobs", "job_cpus", "job_gpus")),
    }  # fmt: skip
