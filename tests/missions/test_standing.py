"""Standing questions: a watch tells when an answer changes, over all that lies at a place; and it can be paused."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.missions.host.watch import condition, told
from tests.attacks.scene import LOW, SECRET
from tests.laws.world import World
from tests.missions.test_watches import brought, end, jobs, people, read_by, shown, step, watched


async def notices(world: World) -> list[Any]:
    seen = await world.call("ann", "GET", "/api/mission-notices", acting=SECRET)
    return [one["figures"] for one in seen.json["data"]]


async def answered(world: World, key: str, figures: Any, state: str = "SUCCEEDED") -> None:
    """Something comes, the watch runs, and its run ends with these figures."""
    await brought(world, key)
    await step(world)
    await end(world, figures, state=state)
    await step(world)


async def test_a_notice_is_made_when_the_answer_changes_and_not_before(world: World) -> None:
    await people(world)
    await watched(world, when=["q1.answer changes"])
    await answered(world, "in/a", {"q1.answer": "one"})
    await answered(world, "in/b", {"q1.answer": "one", "other": 2})
    await answered(world, "in/c", {"other": 3})  # it has not answered
    await answered(world, "in/d", None, "FAILED")
    assert await notices(world) == []
    await answered(world, "in/e", {"q1.answer": "two"})
    assert await notices(world) == [{"q1.answer": "two"}]
    await answered(world, "in/f", {"q1.answer": "x" * 500})
    await answered(world, "in/g", {"q1.answer": "x" * 500})
    assert {"q1.answer": told("x" * 500)} in await notices(world)
    assert len(await notices(world)) == 2


async def test_as_soon_as_something_is_new_all_that_lies_there_is_asked(world: World) -> None:
    await people(world)
    watch = await watched(world, whole=True, most=2)
    for keys in (["in/a"], ["in/a", "in/b"]):
        await brought(world, keys[-1])
        await step(world)
        assert read_by((await jobs(world))[-1]) == [f"object:lab/{key}" for key in keys]
        await end(world, {})
        await step(world)
        await step(world)
    assert len(await jobs(world)) == 2
    await brought(world, "in/c")
    await step(world)
    assert (await shown(world, watch["id"]))["why"] == "too-large"
    assert len(await jobs(world)) == 2
    wrong = {"name": "w", "mission": "fit", "source": "dataset:x", "role": "rows", "whole": True}
    assert (await world.call("ann", "POST", "/api/mission-watches", wrong, SECRET)).status == 400


async def test_a_paused_watch_begins_nothing_and_what_came_meanwhile_is_new(world: World) -> None:
    await people(world)
    watch = await watched(world)
    at = f"/api/mission-watches/{watch['id']}/pause"
    for who, label, status in (("low", LOW, 404), ("top", SECRET, 404), ("ann", LOW, 404), ("ann", SECRET, 200)):
        seen = await world.call(who, "POST", at, {"paused": True}, label)
        assert seen.status == status, (who, label, seen.body)
    assert (await shown(world, watch["id"]))["paused"] is True
    await brought(world, "in/a")
    await step(world)
    assert await jobs(world) == []
    for _ in range(2):  # twice is once
        seen = await world.call("ann", "POST", at, {"paused": False}, SECRET)
        assert seen.json["data"]["paused"] is False
    await step(world)
    assert [read_by(one) for one in await jobs(world)] == [["object:lab/in/a"]]


@pytest.mark.parametrize(
    ("figures", "before", "met"),
    [
        ({"n": 2}, {"n": 1}, True),
        ({"n": 2}, {"n": 2}, False),
        ({"n": 2}, {}, False),
        ({"n": None}, {"n": 2}, False),
        ({}, {"n": 2}, False),
        ({"n": "two"}, {"n": 2}, True),
    ],
)
def test_what_changes_is_another_than_it_was(figures: Any, before: Any, met: bool) -> None:
    assert condition(" n  changes ").met(figures, before) is met
