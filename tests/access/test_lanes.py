"""What the loops of all rooms have in common: a lane for each class, and none looked at while nothing has changed."""

from __future__ import annotations

import asyncio

from casemate.access import Idle, Lanes
from casemate.labels import AccessClass
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.access_worlds import NOTE
from tests.laws.world import World


async def test_nothing_is_looked_at_again_until_something_visible_has_changed(world: World) -> None:
    """Killed: a tide of afterwards, one for all classes, and what is hidden waking a loop."""
    for label in (LOW, SECRET, TOP):
        await store(world, label, "one")
    idle, low, flow = Idle(NOTE), await at(world, LOW), await at(world, SECRET)
    before = await idle.turned(flow)
    assert before is not None
    assert await idle.turned(flow) == before  # it had something to do: it is looked at again
    idle.rest(flow, before)
    assert await idle.turned(flow) is None
    assert await idle.turned(low) is not None
    await store(world, TOP, "hidden")
    assert await idle.turned(flow) is None
    await store(world, SECRET, "two")
    after = await idle.turned(flow)
    assert after not in (None, before)
    idle.rest(flow, before)  # it came while the loop was looking
    assert await idle.turned(flow) == after


async def test_a_lane_that_waits_holds_no_other_up(world: World) -> None:
    await store(world, SECRET, "a class")
    opened, ended, begun = asyncio.Event(), list[str](), list[str]()

    async def lane(access: AccessClass) -> int:
        begun.append(access.id)
        if access.label.text == SECRET:
            await opened.wait()
        ended.append(access.id)
        return 1

    lanes = Lanes(world.house.gate, lane, 0.0)
    while not ended:
        await lanes.step()
    assert len(begun) == len(set(begun))
    opened.set()
    while len(ended) < len(set(begun)):
        await lanes.step()
    await lanes.stop()
