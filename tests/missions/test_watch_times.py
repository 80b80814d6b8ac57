"""When a watch runs by a cron line, and what it leaves of a spool."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.errors import StorageFull
from casemate.missions.host.cron import cron
from casemate.policy import Action
from tests.attacks.scene import LOW
from tests.laws.world import World
from tests.missions.test_watches import NEW, brought, end, jobs, opened, people, read_by, shown, step, watched


@pytest.mark.parametrize(
    "more",
    [
        {"cron": "60 * * * *"},
        {"cron": "0 0 30 2 *"},
        {"cron": "* * * * *", "every_s": 60},
        {"source": "dataset:x", "clear": True},
        {"source": "", "role": "", "cron": "* * * * *", "clear": True},
    ],
)
async def test_what_does_not_fit_is_refused(world: World, more: dict[str, Any]) -> None:
    await people(world)
    seen = await world.call("ann", "POST", "/api/mission-watches", {**NEW, **more})
    assert seen.status == 400, seen.body


async def test_by_a_cron_line_it_runs_at_its_moments_and_makes_up_for_one(world: World) -> None:
    await people(world)
    watch = await watched(world, source="", role="", cron="*/30 * * * *")
    assert watch["due"] == cron("*/30 * * * *").after(world.clock.now())
    await step(world)
    assert await jobs(world) == []
    world.clock.at = watch["due"]
    for _ in range(3):
        await step(world)
    assert len(await jobs(world)) == 1
    await end(world, {})
    world.clock.forward(5 * 3600)
    for _ in range(3):
        await step(world)
    assert len(await jobs(world)) == 2
    told = await shown(world, watch["id"])
    assert (told["due"], told["cron"]) == (cron("*/30 * * * *").after(world.clock.now()), "*/30 * * * *")


async def test_at_a_source_what_is_new_waits_for_the_moment(world: World) -> None:
    await people(world)
    watch = await watched(world, cron="0 * * * *")
    world.clock.at = watch["due"]
    await step(world)
    await brought(world, "in/a")
    for _ in range(2):
        await step(world)
    assert await jobs(world) == []
    world.clock.forward(3600)
    await step(world)
    assert [read_by(one) for one in await jobs(world)] == [["object:lab/in/a"]]


async def lies(world: World) -> list[str]:
    flow = await opened(world, "ann", Action("list", "object"))
    return [one.key for one in (await world.house.buckets.listed(flow, "lab")).objects]


async def test_what_was_run_over_is_removed_and_nothing_else(world: World) -> None:
    await people(world)
    watch = await watched(world, clear=True, most=3)
    for key in ("in/a", "in/b"):
        await brought(world, key)
    await brought(world, "in/low", who="low", label=LOW)
    await step(world)
    await brought(world, "in/b", b"changed meanwhile")
    await brought(world, "in/new")
    await end(world, {})
    await step(world)
    assert await lies(world) == ["in/b", "in/low", "in/new"]
    assert (await shown(world, watch["id"]))["why"] == ""
    await step(world)
    await end(world, {}, state="FAILED")
    await step(world)
    assert await lies(world) == ["in/b", "in/low", "in/new"]


async def test_where_it_cannot_be_removed_the_watch_says_so_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(world)
    watch = await watched(world, clear=True)
    await brought(world, "in/a")
    await step(world)
    await end(world, {})

    async def full(*_: Any) -> bool:
        raise StorageFull

    monkeypatch.setattr(type(world.house.buckets), "remove", full)
    await step(world)
    told = await shown(world, watch["id"])
    assert (told["job"], told["why"], told["clear"]) == ("", "storage-full", True)
