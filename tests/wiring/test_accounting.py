"""The meter of a process, by role: who reads limits, who counts, and what control tells data processes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from casemate.access import Sections
from casemate.accounts import Bounds, QuotaRequest, set_quota
from casemate.errors import QuotaExceeded, Unavailable
from casemate.policy import Action
from casemate.settings import Listen
from casemate.wiring.accounting import account
from casemate.wiring.house import Role
from tests.attacks.scene import LOW, TOP, flow_of, principal
from tests.laws.world import World

READ, WRITE = "accounts.limits", "accounts.usage"
LOOPS = {"all": {READ, WRITE}, "control": {READ, WRITE}, "data": {WRITE}, "answer": {WRITE}}
SPLIT = Listen(processes="split", data=3)


@pytest.mark.parametrize(
    ("role", "worker", "share", "teller"), [("data", 1, 1, 1), ("control", 0, 0, 3), ("answer", 0, 0, 4)]
)
async def test_a_role_runs_its_own_loops(world: World, role: Role, worker: int, share: int, teller: int) -> None:
    """Data processes share the limits; whoever counts beside them tells what it counted under a name of its own."""
    world.house.loops.clear()
    world.house.sections = Sections()
    world.house.settings = replace(world.house.settings, listen=SPLIT)
    meter = await account(world.house, role, worker)
    assert {loop.name for loop in world.house.loops} == LOOPS[role]
    assert (meter.worker, meter.workers, meter.tally.worker) == (share, 3, teller)


async def test_alone_a_process_holds_the_whole(world: World) -> None:
    world.house.loops.clear()
    world.house.sections = Sections()
    meter = await account(world.house, "all")
    assert {loop.name for loop in world.house.loops} == LOOPS["all"]
    assert (meter.worker, meter.workers, meter.tally.worker) == (0, 1, 0)


async def test_a_data_process_goes_by_the_snapshot(world: World) -> None:
    session = principal(world, "olga", TOP, "operator", "user")
    await set_quota(await flow_of(world, session, Action("set", "quota"), LOW), QuotaRequest("default", "", Bounds(0)))
    world.house.sections = Sections()
    await account(world.house, "control")
    told = await world.house.sections.write()
    world.house.sections = Sections()
    meter = await account(world.house, "data")
    flow = await flow_of(world, session, Action("ask", "answer"), LOW)
    with pytest.raises(Unavailable):
        meter.reserve(flow, 1)
    world.house.sections.read(told)()
    with pytest.raises(QuotaExceeded):
        meter.reserve(flow, 1)
