"""Uploads that nobody ends are let go of, and parts that have no upload."""

from __future__ import annotations

from casemate.buckets import Buckets
from casemate.buckets.kinds import PART, UPLOAD, PartRecord
from casemate.objects import Put
from tests.buckets.scene import PLAIN, SECRET, at, body, bucket
from tests.laws.world import World


async def test_after_a_week_an_upload_is_let_go_of(world: World) -> None:
    room = Buckets()
    await bucket(world, room)
    old = await room.begin(await at(world, SECRET), "plans", "old", PLAIN)
    await room.part(await at(world, SECRET), old, 1, body(b"x"))
    world.clock.forward(6.9 * 86_400)
    new = await room.begin(await at(world, SECRET), "plans", "new", PLAIN)
    await room.part(await at(world, SECRET), new, 1, body(b"y"))
    orphan = PartRecord("upl_gone", 1, "", 0, world.clock.now(), ())
    await (await at(world, SECRET)).commit(Put(PART, "upl_gone/00001", orphan))
    await world.step("buckets.stale")
    flow = await at(world, SECRET, "list")
    assert len(await flow.every(PART)) == 3
    world.clock.forward(0.2 * 86_400)
    await world.step("buckets.stale")
    assert [each.id for each in await flow.every(UPLOAD)] == [new]
    assert [each.value.upload for each in await flow.every(PART)] == [new]
