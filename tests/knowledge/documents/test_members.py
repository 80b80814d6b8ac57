"""A file that holds several documents: all of them are replaced, withdrawn and removed by the file's id."""

from __future__ import annotations

import pytest

from casemate.errors import Absent, Refused
from casemate.knowledge import Extracted, Ingest, add
from casemate.knowledge.documents.document import PART, members
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.remove import remove
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, principal
from tests.knowledge.test_ingest import Reads, bring, volume
from tests.laws.world import World

REMOVE, ADD = Action("remove", "document"), Action("add", "document")


def several(data: bytes) -> Extracted:
    year = data.decode()
    return volume(("First", f"(U) One of {year}."), ("Second", f"(S//NF) Two of {year}."))


async def there(world: World, label: str) -> list[str]:
    flow = await at(world, label)
    removed = await gone(flow)
    parts = [part for part in await flow.every(PART) if not removed.rules(part.id, part.label, part.value.by)]
    return sorted(passage.text for part in parts for passage in part.value.passages)


async def test_a_volume_is_replaced_and_removed_as_one(world: World) -> None:
    ingest = Ingest(world.house.gate, Reads(several), None, None)
    first = await bring(world, b"1961")
    await ingest.step()
    assert await there(world, TOP) == ["One of 1961.", "Two of 1961."]
    flow = await flow_of(world, principal(world, "ann", TOP), ADD, SECRET)
    assert len(await members(flow, first)) == 2
    assert await members(await flow_of(world, principal(world, "ben", TOP), ADD, SECRET), first) == (first,)
    second = (await add(flow, "volume.xml", "port", b"1962", replaces=first)).id
    await ingest.step()
    assert (await there(world, LOW), await there(world, TOP)) == (["One of 1962."], ["One of 1962.", "Two of 1962."])
    flow = await flow_of(world, principal(world, "ann", TOP), REMOVE, SECRET)
    gone_there = await remove(flow, second)
    assert (gone_there.left, await there(world, TOP)) == ((LOW,), ["One of 1962."])
    with pytest.raises(Absent):
        await remove(flow, second)
    with pytest.raises(Absent):
        await remove(await flow_of(world, principal(world, "ben", TOP), REMOVE, SECRET), second)
    low = await flow_of(world, principal(world, "ann", TOP), REMOVE, LOW)
    [id] = {part.id for part in await low.every(PART)} - (await gone(low)).of(low.acting)
    high = await flow_of(world, principal(world, "ann", TOP), REMOVE, SECRET)
    with pytest.raises(Refused):
        await remove(high, id)
    await remove(low, id)
    assert await there(world, TOP) == []
