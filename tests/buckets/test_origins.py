"""Where the bytes of an object came from: said by every copy, whole or in parts, whatever is changed of it later."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from casemate.buckets import Buckets, NewObject, uploads
from casemate.buckets.kinds import OBJECT, PART, UPLOAD, place
from casemate.custody.walk import Direction, Walk, found_at
from casemate.wiring.custody import kinds
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket
from tests.laws.world import World


async def walked(world: World, key: str, way: Direction, label: str = TOP) -> set[str]:
    """The objects of buckets that are reached from that one."""
    flow, known = await at(world, label, "list"), kinds()
    roots = await found_at(flow, known, f"{OBJECT.name}/{place('plans', key)}", everybody=True)
    trace = await Walk(flow, known, everybody=True, quick=True).run(roots, way)
    return {each.value.key for ref, each in trace.found.items() if ref.kind == OBJECT.name} - {key}


async def prepared(world: World) -> Buckets:
    room = Buckets()
    await bucket(world, room)
    for key, label in (("low", LOW), ("one", SECRET)):
        await room.put(await at(world, label), "plans", key, body(b"content"), PLAIN)
    return room


async def test_a_copy_names_its_source_both_ways_and_goes_on_naming_it(world: World) -> None:
    room = await prepared(world)
    await room.copy(await at(world, SECRET), ("plans", "low"), ("plans", "copy"))
    await room.copy(await at(world, TOP), ("plans", "copy"), ("plans", "copy of it"))

    async def told() -> None:
        assert await walked(world, "copy", "up", SECRET) == {"low"}
        assert await walked(world, "copy of it", "up") == {"low", "copy"}
        assert await walked(world, "low", "down") == {"copy", "copy of it"}
        assert await walked(world, "low", "down", SECRET) == {"copy"}
        assert await walked(world, "low", "down", LOW) == set()

    await told()
    await room.tag(await at(world, SECRET), "plans", "copy", {"a": "b"})
    await told()
    # onto itself, as clients do it to say something else of an object
    await room.copy(await at(world, SECRET), ("plans", "copy"), ("plans", "copy"), NewObject("a/b"))
    await told()
    await room.put(await at(world, SECRET), "plans", "copy", body(b"its own"), PLAIN)
    assert await walked(world, "copy", "up", SECRET) == set()


@pytest.mark.parametrize("sources", [("low", "one"), ("one", "one")])
async def test_an_object_of_copied_parts_names_each_source(world: World, sources: tuple[str, str]) -> None:
    room = await prepared(world)
    id = await room.begin(await at(world, SECRET), "plans", "made", PLAIN)
    etags = []
    for number, key in enumerate(sources, 1):
        flow = await at(world, SECRET)
        one = await room.seen(flow, "plans", key)
        etags.append((number, await room.part(flow, id, number, room.read(flow, one), one)))
    reader = await at(world, SECRET, "list")
    parts = await reader.every(PART)
    named = {source for each in parts for source in PART.sources(each.id, each.value)}
    assert named == {(UPLOAD.name, id), *((OBJECT.name, place("plans", key)) for key in sources)}
    with patch.object(uploads, "LEAST", 1):
        await room.complete(await at(world, SECRET), id, etags)
    assert await walked(world, "made", "up", SECRET) == set(sources)
    for key in sources:
        assert await walked(world, key, "down", SECRET) == {"made"}
