"""Backups as the native API speaks of them: at the region's ceiling alone, and recorded there."""

from __future__ import annotations

import pytest

from casemate.clock import SECOND
from casemate.custody.backup import Head
from casemate.custody.backups import Backups, Drilled
from casemate.errors import BadInput, Refused, StorageFull
from casemate.policy import Action
from tests.attacks.scene import LOW, TOP, flow_of, log, principal
from tests.laws.world import World

RUN = Action("run", "backup")


class Backing:
    """What makes no backup, and says so or not."""

    folder = "/somewhere"

    def __init__(self) -> None:
        self.ran: list[bool] = []
        self.full = False
        self.differs: tuple[str, ...] = ()

    async def run(self, tables: bool = False) -> Head:
        if self.full:
            raise StorageFull
        self.ran.append(tables)
        return Head("chain", len(self.ran), "digest", 7, 0)

    async def drill(self, head: Head) -> Drilled:
        return Drilled(head.commit, 0, 0.1, 1, 1, 1, self.differs)

    async def head(self) -> Head | None:
        return None


def ceiling(world: World) -> str:
    return world.house.gate.vault.region.ceiling.text


async def test_they_are_spoken_of_at_the_ceiling_alone(world: World) -> None:
    """How much is in a backup says how much was done above."""
    whole = ceiling(world)
    await world.person("olga", whole, ("operator",))
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/drill")):
        seen = await world.call("olga", method, f"/api/backup{path}", None, TOP)
        assert seen.status == 403
        assert seen.json["rule"] == "at-ceiling"
    assert (await world.call("olga", "GET", "/api/backup", None, whole)).json["data"]["folder"] == ""
    assert (await world.call("olga", "POST", "/api/backup", None, whole)).status == 400, "no folder is set"


async def test_an_increment_is_recorded_at_the_ceiling_and_nowhere_else(world: World) -> None:
    backing, gate = Backing(), world.house.gate
    backups = Backups(gate, backing, 15, None)
    flow = await flow_of(world, principal(world, "olga", ceiling(world), "operator"), RUN, ceiling(world))
    assert (await backups.run(flow)).number == 1
    assert [entry.facts["digest"] for entry in log(world, ceiling(world)) if "digest" in entry.facts] == ["digest"]
    assert not [entry for entry in log(world, LOW) if entry.action.startswith("backup")]
    low = await flow_of(world, principal(world, "olga", ceiling(world), "operator"), RUN, LOW)
    with pytest.raises(Refused):
        await backups.run(low)
    with pytest.raises(BadInput):
        await Backups(gate, None, 15, None).run(flow)


async def test_the_loops_go_on_after_a_failure_and_tell_it(world: World) -> None:
    backing, gate = Backing(), world.house.gate
    world.clock.at -= world.clock.at % (86_400 * SECOND)
    backups = Backups(gate, backing, 15, 150)
    increment, drill = backups.loops()
    assert (increment.every, await increment.step()) == (900.0, 1)
    assert await drill.step() == 0, "not its hour"
    world.clock.forward(150 * 60 + 5)
    assert [await drill.step(), await drill.step()] == [1, 0], "once a night"
    assert backing.ran == [False, True]
    flow = await flow_of(world, principal(world, "olga", ceiling(world), "operator"), RUN, ceiling(world))
    backing.full = True
    assert await increment.step() == 0
    assert (await backups.state(flow)).trouble == "storage-full"
    backing.full, backing.differs = False, ("rows",)
    world.clock.forward(86_400)
    assert await drill.step() == 1
    state = await backups.state(flow)
    assert state.trouble == "damaged"
    assert state.drilled is not None
    assert state.drilled.differs == ("rows",)
    assert Backups(gate, None, 15, 150).loops() == []
