"""Notices of a watch: at the label whole, and outside what the gate lets a sink be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.scene import LOW, SECRET, log
from tests.laws.world import World
from tests.missions.test_watches import brought, end, step, sunk, watched


async def noticed(world: World, sinks: list[str], count: object = 3) -> None:
    """A run at SECRET that found something, and what carries it."""
    await watched(world, when=["alerts > 0", "lost >= 2.5"], sinks=sinks)
    await found_again(world, "in/first", count)


async def found_again(world: World, key: str, count: object = 3) -> None:
    await brought(world, key)
    await step(world)
    await end(world, {"alerts": count, "secret-name": 1})
    await step(world)
    await world.step("missions.notify")


async def notices(world: World, who: str = "ann", label: str = SECRET) -> list[Any]:
    return list((await world.call(who, "GET", "/api/mission-notices", acting=label)).json["data"])


def lying(folder: Path) -> list[Any]:
    return [json.loads(file.read_text()) for file in sorted(folder.iterdir())]


async def test_a_notice_lies_at_the_label_and_leaves_whole_only_where_the_sink_dominates(tmp_path: Path) -> None:
    async with sunk(tmp_path) as world:
        await noticed(world, ["above", "below", "nobody"])
        [one] = await notices(world)
        assert (one["label"], one["figures"]) == (SECRET, {"alerts": 3})
        assert one["sinks"] == {"above": "sent", "below": "announced", "nobody": "accreditation"}
        assert await notices(world, "low", LOW) == []
        [whole] = lying(tmp_path / "above")
        assert (whole["figures"], whole["id"], whole["run"]) == ({"alerts": 3}, one["id"], one["run"])
        assert whole["marking"].startswith("SECRET")
        assert lying(tmp_path / "below") == [{"format": 1, "notice": "An alert exists at law."}]
        [file] = (tmp_path / "below").iterdir()
        assert one["id"] not in file.name
        assert lying(tmp_path / "nobody") == []
        lent = [dict(entry.facts) for entry in log(world, SECRET) if entry.outcome == "lent"]
        assert [(each["engine"], each.get("told", "")) for each in lent] == [("above", ""), ("below", "existence")]
        await world.step("missions.notify")
        assert len(lying(tmp_path / "above")) == 1


async def test_that_there_is_something_is_said_once_an_hour(tmp_path: Path) -> None:
    async with sunk(tmp_path) as world:
        await noticed(world, ["below", "above"])
        await found_again(world, "in/second")
        assert [one["sinks"]["below"] for one in await notices(world)] in (
            ["folded", "announced"],
            ["announced", "folded"],
        )
        assert (len(lying(tmp_path / "below")), len(lying(tmp_path / "above"))) == (1, 2)
        world.clock.forward(3601)
        await found_again(world, "in/third")
        assert len(lying(tmp_path / "below")) == 2


@pytest.mark.parametrize("count", [0, "3", None, -1])
async def test_no_notice_is_made_where_no_condition_holds(tmp_path: Path, count: object) -> None:
    async with sunk(tmp_path) as world:
        await noticed(world, ["above"], count)
        assert await notices(world) == []
        assert lying(tmp_path / "above") == []


async def test_what_does_not_arrive_is_sent_again_and_given_up_in_the_end(tmp_path: Path) -> None:
    async with sunk(tmp_path) as world:
        (tmp_path / "above").rmdir()
        await noticed(world, ["above"])
        assert [one["sinks"] for one in await notices(world)] == [{"above": ""}]
        (tmp_path / "above").mkdir()
        await world.step("missions.notify")
        assert lying(tmp_path / "above") == []  # not before its time
        world.clock.forward(121)
        await world.step("missions.notify")
        assert len(lying(tmp_path / "above")) == 1
        (tmp_path / "above" / "x").write_text("{}")
        for file in (tmp_path / "above").iterdir():
            file.unlink()
        (tmp_path / "above").rmdir()
        await found_again(world, "in/second")
        for _ in range(8):
            world.clock.forward(60 << 8)
            await world.step("missions.notify")
        assert sorted(one["sinks"]["above"] for one in await notices(world)) == ["failed", "sent"]
