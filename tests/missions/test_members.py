"""Members that an earlier ensemble has finished: of the very same class, over the same inputs, and of nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.jobs import JOB
from casemate.jobs.changes import parents_of
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.world import World, a_world
from tests.missions.test_ensemble import BASE, SPACE, begun, ended
from tests.missions.test_watches import brought, opened, people

DONE = {0: "SUCCEEDED", 1: "FAILED", 2: "SUCCEEDED"}


async def array_of(world: World, made: Any) -> Any:
    flow = await opened(world, "ann", Action("read", "job"))
    return (await flow.read(JOB, made["array"]["id"])).value


async def taken(world: World, **more: Any) -> dict[int, int]:
    """What an ensemble takes over, of however many earlier ones; what is told of it agrees."""
    estimate = await world.call("ann", "POST", f"{BASE}/ensemble-estimate", {"space": SPACE, **more}, SECRET)
    made = await begun(world, **more)
    children = (await array_of(world, made)).taken.values()
    found = {here: there for each in children for here, there in each.items()}
    assert made["taken"] == len(found) == estimate.json["data"]["whole"]["there"]
    return found


async def done(world: World, states: dict[int, str] | None = None, **more: Any) -> str:
    made = await begun(world, **more)
    await ended(world, made["array"]["id"], DONE if states is None else states)
    return str(made["array"]["id"])


async def test_what_an_earlier_ensemble_has_finished_is_taken_over(world: World) -> None:
    await people(world)
    first = await done(world)
    made = await begun(world)
    assert (await array_of(world, made)).taken == {first: {0: 0, 2: 2}}
    assert made["points"] == 4
    estimate = await world.call("ann", "POST", f"{BASE}/ensemble-estimate", {"space": SPACE}, SECRET)
    whole = estimate.json["data"]["whole"]
    assert (whole["members"], whole["there"], whole["at_once"], whole["disk_mb"]) == (4, 2, 2, 18)


async def test_another_space_and_form_take_over_what_is_the_same_member(world: World) -> None:
    await people(world)
    await done(world)
    turned = {"space": {"parameters": {"degree": {"values": [3, 2, 0]}}}}
    assert await taken(world, **turned) == {1: 2, 2: 0}
    above = {"run": {"parameters": {"degree": 3}, "memory_mb": 500, "wall_s": 99}, "at_once": 1}
    assert await taken(world, **above) == {0: 0, 2: 2}  # a point stands above the form; room changes no result


async def test_all_of_it_there_runs_nothing(world: World) -> None:
    await people(world)
    await done(world, dict.fromkeys(range(4), "SUCCEEDED"))
    assert await taken(world) == {0: 0, 1: 1, 2: 2, 3: 3}
    estimate = await world.call("ann", "POST", f"{BASE}/ensemble-estimate", {"space": SPACE}, SECRET)
    whole = estimate.json["data"]["whole"]
    assert (whole["there"], whole["at_once"], whole["cpu_s"], whole["wall_s"]) == (4, 0, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"run": {"seed": 7}},
        {"run": {"model": "local/any"}},
        {"run": {"inputs": {"rows": ["object:lab/rows"]}}},
        {"anew": True},
    ],
)
async def test_whatever_is_another_member_runs(world: World, other: dict[str, Any]) -> None:
    await people(world)
    await brought(world, "rows")
    await done(world)
    assert await taken(world, **other) == {}
    if other.get("run", {}).get("model"):
        await done(world, **other)
        assert await taken(world, **other) == {}  # a model answers as it likes


async def test_inputs_are_the_same_by_digest(world: World) -> None:
    await people(world)
    await brought(world, "rows")
    run = {"inputs": {"rows": ["object:lab/rows"]}}
    await done(world, run=run)
    assert await taken(world, run=run) == {0: 0, 2: 2}
    await brought(world, "rows", b"changed")
    assert await taken(world, run=run) == {}


async def test_a_key_gives_the_same_ensemble_after_members_have_ended(world: World) -> None:
    await people(world)
    made = await begun(world, run={"key": "k"})
    await ended(world, made["array"]["id"], DONE)
    assert (await begun(world, run={"key": "k"}))["id"] == made["id"]


async def test_nothing_is_taken_over_from_below_nor_from_above(world: World) -> None:
    await people(world)
    for who, label in (("low", LOW), ("top", TOP)):
        made = (await world.call(who, "POST", f"{BASE}/ensembles", {"space": SPACE}, label)).json["data"]
        await ended(world, made["array"]["id"], DONE, who, label)
    assert await taken(world) == {}


async def test_what_is_done_above_changes_nothing_that_is_told_below() -> None:
    """Two worlds: in one of them the same ensemble has been finished above."""

    async def told(hidden: bool) -> list[Any]:
        async with a_world(0) as world:
            await people(world)
            if hidden:
                made = (await world.call("top", "POST", f"{BASE}/ensembles", {"space": SPACE}, TOP)).json["data"]
                await ended(world, made["array"]["id"], DONE, "top", TOP)
            await done(world)
            return [
                (await world.call("ann", "POST", f"{BASE}/{end}", {"space": SPACE}, SECRET)).body
                for end in ("ensemble-estimate", "ensembles")
            ]

    assert await told(hidden=False) == await told(hidden=True)


async def test_a_job_that_only_says_that_it_is_a_member_is_none(world: World) -> None:
    """A command, a result or a variable of its own: such a job bears the mission's name, and is not taken over."""
    await people(world)
    array = await done(world)
    flow = await opened(world, "ann", Action("submit", "job"))
    whole = await flow.read(JOB, array)
    spec = whole.value.spec
    assert spec is not None
    forged = [
        msgspec.structs.replace(spec, command=("python3", "-c", "forge")),
        msgspec.structs.replace(spec, env={**spec.env, "PYTHONPATH": "/in/mine"}),
        msgspec.structs.replace(spec, env={"CASEMATE_MISSION": "[]"}),
        msgspec.structs.replace(spec, env={"CASEMATE_MISSION": "[" * 20_000}),
        msgspec.structs.replace(spec, env={**spec.env, "CASEMATE_POINT": '{"never": 1}'}),
        msgspec.structs.replace(spec, outputs=(spec.outputs[0], msgspec.structs.replace(spec.outputs[1], path="mine"))),
        msgspec.structs.replace(spec, inputs=()),
        None,
    ]
    for each in forged:
        flow = await opened(world, "ann", Action("submit", "job"))
        now = await flow.read(JOB, array)
        value = msgspec.structs.replace(now.value, spec=each)
        await flow.commit(Put(JOB, array, value, parents_of(flow, now.value), expect=now.version))
        assert await taken(world) == {}, each


async def test_a_member_that_left_nothing_runs(world: World) -> None:
    await people(world)
    array = await done(world)
    flow = await opened(world, "ann", Action("submit", "job"))
    child = await flow.read(JOB, f"{array}:0")
    placed = tuple(msgspec.structs.replace(one, place="out") for one in child.value.artefacts)
    await flow.commit(Put(JOB, child.id, msgspec.structs.replace(child.value, artefacts=placed), expect=child.version))
    assert await taken(world) == {2: 2}
