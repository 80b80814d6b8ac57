"""A spill in a bucket, and of a dataset in place: what is shredded is gone; what is not the region's is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest

from casemate.access import Flow
from casemate.access.contain import everything
from casemate.access.frozen import FROZEN
from casemate.buckets import Buckets, NewObject, uploads
from casemate.buckets.kinds import OBJECT, PART, UPLOAD, place
from casemate.custody.walk import Walk, found_at
from casemate.datasets import Datasets, Digesting, Root, begin
from casemate.datasets.dataset import DATASET, DatasetRequest
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import Absent, BadPart, Conflict
from casemate.policy import Action
from casemate.wiring.custody import kinds
from tests.attacks.scene import flow_of, label_of, principal
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket, gathered
from tests.custody.spilled import contain, everything_said, people, report
from tests.laws.world import World

WORDS = b"The hidden lantern burns at the northern pier."
NAMED = f"{OBJECT.name}/{place('plans', 'lantern')}"


async def scene(world: World) -> Buckets:
    """An object that is higher than it says, in a bucket from the floor up."""
    await people(world)
    room = world.house.buckets
    await bucket(world, room)
    await room.put(await at(world, LOW), "plans", "lantern", body(WORDS), PLAIN)
    return room


async def under_way(world: World, room: Buckets, key: str, content: bytes = b"", label: str = LOW) -> str:
    """An upload with one part: of its own bytes, or a copy of the object."""
    flow = await at(world, label)
    id = await room.begin(flow, "plans", key, NewObject("text/plain", metadata={"named": f"upload-{key}"}))
    one = None if content else await room.seen(flow, "plans", "lantern")
    await room.part(flow, id, 1, body(content) if one is None else room.read(flow, one), one)
    return id


async def lying(world: World) -> set[str]:
    """The keys of uploads and the uploads of parts that lie anywhere."""
    top = await everything(world.house.gate)
    found = {each.value.key for each in await top.every(UPLOAD)}
    return found | {each.id for each in await top.every(PART)}


async def test_shredded_with_the_parts_that_were_copied_or_lie_at_its_place(world: World) -> None:
    room = await scene(world)
    copied = await under_way(world, room, "elsewhere")
    await under_way(world, room, "lantern", b"a newer lantern burns")
    other = await under_way(world, room, "ferries", b"Ferries leave")
    told = await report(world, NAMED)
    assert {(each["kind"]) for each in told["items"]} == {OBJECT.name, UPLOAD.name, PART.name}
    assert told["remains"] == []
    seen = await contain(world, NAMED, "shred")
    assert (seen.status, seen.json["data"]["state"]) == (200, "done"), seen.body
    assert seen.json["data"]["report"]["remains"] == []
    # the other upload of the part goes on; the part is no longer there
    assert await lying(world) == {"elsewhere", "ferries", f"{other}/00001"}
    said = await everything_said(world)
    assert b"lantern burns" not in said
    assert b"upload-lantern" not in said
    assert b"Ferries leave" in said
    with pytest.raises(BadPart), patch.object(uploads, "LEAST", 1):
        await room.complete(await at(world, LOW), copied, [(1, "0" * 32)])


async def test_relabelled_uploads_stay_frozen_and_are_named(world: World) -> None:
    room = await scene(world)
    id = await under_way(world, room, "lantern", b"a newer lantern burns")
    seen = await contain(world, NAMED, "relabel")
    assert seen.json["data"]["state"] == "done", seen.body
    kept = seen.json["data"]["report"]["remains"]
    assert {each["ref"].partition("@")[0] for each in kept} == {f"{UPLOAD.name}/{id}", f"{PART.name}/{id}/00001"}
    assert not any(each["outside"] or each["where"] for each in kept)
    flow = await at(world, LOW)
    with pytest.raises(Absent):
        await room.upload(flow, id)
    high = await at(world, SECRET)
    assert await gathered(room.read(high, await room.seen(high, "plans", "lantern"))) == WORDS


async def test_an_upload_in_another_class_at_that_key_is_its_own(world: World) -> None:
    room = await scene(world)
    await room.copy(await at(world, LOW), ("plans", "lantern"), ("plans", "copy"))
    id = await under_way(world, room, "copy", b"what others say", SECRET)
    await contain(world, f"{OBJECT.name}/{place('plans', 'lantern')}", "shred")
    assert f"{id}/00001" in await lying(world)


async def test_a_key_is_free_again_when_the_case_has_ended_everywhere(world: World) -> None:
    room = await scene(world)
    await contain(world, NAMED)
    with pytest.raises(Conflict):
        await room.put(await at(world, LOW), "plans", "lantern", body(b"another"), PLAIN)
    await world.step("custody.spill")
    with pytest.raises(Conflict):  # it is not decided yet
        await room.put(await at(world, LOW), "plans", "lantern", body(b"another"), PLAIN)
    await contain(world, NAMED, "shred")
    for _ in range(3):
        await world.step("custody.spill")
    await room.put(await at(world, LOW), "plans", "lantern", body(b"another"), PLAIN)
    await world.step("custody.spill")
    flow = await at(world, LOW)
    assert await gathered(room.read(flow, await room.seen(flow, "plans", "lantern"))) == b"another"
    assert await (await everything(world.house.gate)).every(FROZEN) == []
    # and it can be contained again
    seen = await contain(world, NAMED, "shred")
    assert seen.json["data"]["state"] == "done"
    with pytest.raises(Absent):
        await room.seen(await at(world, LOW), "plans", "lantern")


async def test_a_freeze_between_the_look_and_the_landing_of_a_put_wins(world: World) -> None:
    room = await scene(world)
    flow = await at(world, LOW)
    commit = type(flow).commit

    async def late(self: object, *changes: object, **more: object) -> object:
        if any(getattr(each, "kind", None) is OBJECT for each in changes):
            with patch.object(type(flow), "commit", commit):
                assert (await contain(world, NAMED)).json["data"]["state"] == "frozen"
        return await commit(self, *changes, **more)  # type: ignore[arg-type]

    with patch.object(type(flow), "commit", late), pytest.raises(Conflict):
        await room.put(flow, "plans", "lantern", body(b"in its place"), PLAIN)
    case = (await world.call("olga", "GET", "/api/spills", acting=SECRET)).json["data"][0]["id"]
    await world.call("olga", "POST", f"/api/spills/{case}/lift", None, SECRET)
    await world.step("custody.spill")
    flow = await at(world, LOW)
    assert await gathered(room.read(flow, await room.seen(flow, "plans", "lantern"))) == WORDS


async def test_what_is_raised_keeps_its_lineage(world: World) -> None:
    room = await scene(world)
    await room.copy(await at(world, LOW), ("plans", "lantern"), ("plans", "copy"))
    await room.copy(await at(world, LOW), ("plans", "copy"), ("plans", "copy of it"))
    await contain(world, NAMED, "relabel")
    flow, known = await at(world, SECRET, "list"), kinds()

    async def walked(key: str, way: str) -> set[str]:
        roots = await found_at(flow, known, f"{OBJECT.name}/{place('plans', key)}", everybody=True)
        assert [root.label for root in roots] == [label_of(world, SECRET)]
        trace = await Walk(flow, known, everybody=True, quick=True).run(roots, way)  # type: ignore[arg-type]
        return {each.value.key for each in trace.found.values()} - {key}

    assert await walked("lantern", "down") == {"copy", "copy of it"}
    assert await walked("copy of it", "up") == {"lantern", "copy"}
    # and it would be found again
    await contain(world, NAMED, "shred", TOP)
    assert WORDS not in await everything_said(world)


@pytest.mark.parametrize(("root", "told"), [(LOW, True), (TOP, False)])
async def test_of_a_dataset_in_place_the_record_goes_and_what_stays_is_named(
    world: World, tmp_path: Path, root: str, told: bool
) -> None:
    """Whether the officer may be told where: the root's label says it."""
    await people(world)
    tree = tmp_path / "root" / "piers"
    tree.mkdir(parents=True)
    for name in ("lantern-north.csv", "lantern-south.csv"):
        (tree / name).write_bytes(name.encode())
    gate = world.house.gate
    roots = {"press": Root(str(tree.parent), label_of(world, LOW))}
    [spill] = [each.step.__self__ for each in world.house.loops if each.name == "custody.spill"]  # type: ignore[attr-defined]
    spill.kinds = kinds({"press": Root(str(tree.parent), label_of(world, root))})
    room = Datasets(DatasetTrees(), roots, 100)

    async def flow(verb: str) -> Flow:
        return await flow_of(world, principal(world, "ann", TOP, "operator", "user"), Action(verb, "dataset"), LOW)

    await room.add(await flow("add"), DatasetRequest("piers", str(tree)))
    await begin(await flow("digest"), room, "piers")
    digesting = Digesting(gate, room, patience=None)
    while await digesting._lanes.step():
        pass
    assert b"lantern-north" in await everything_said(world)
    named = f"{DATASET.name}/piers"
    [stays] = (await report(world, named))["remains"]
    assert (stays["outside"], stays["where"]) == (True, f"{tree}" if told else "")
    seen = await contain(world, named)
    with pytest.raises(Conflict):
        await room.add(await flow("add"), DatasetRequest("piers", str(tree)))
    seen = await contain(world, named, "shred")
    assert seen.json["data"]["state"] == "done"
    assert [each["where"] for each in seen.json["data"]["report"]["remains"]] == [f"{tree}" if told else ""]
    assert b"lantern-north" not in await everything_said(world)
    assert (tree / "lantern-north.csv").exists(), "what is not the region's own is not touched"
    case = seen.json["data"]["id"]
    low = await world.call("olga", "GET", f"/api/spills/{case}", acting=LOW)
    assert low.status == 404


async def test_what_is_frozen_under_way_is_gone_and_its_place_is_barred(world: World) -> None:
    """Parts that come while an upload, or what they are copied of, is contained: each is refused, and nothing stays."""
    room = await scene(world)
    copied, other = await under_way(world, room, "elsewhere"), await under_way(world, room, "else", b"Ferries leave")
    own = await under_way(world, room, "lantern", b"a newer lantern burns")
    flows = [await at(world, LOW) for _ in range(3)]
    one = await room.seen(flows[0], "plans", "lantern")

    async def late(how: str) -> AsyncIterator[bytes]:
        yield WORDS
        await contain(world, NAMED, how)

    with pytest.raises(Conflict):
        await room.part(flows[0], other, 2, late(""), one)  # frozen while it is copied
    with pytest.raises(Conflict):
        await room.part(await at(world, LOW), copied, 1, body(b"in its place"))
    with pytest.raises(Absent):
        await room.part(await at(world, LOW), own, 2, body(b"more of it"))
    with pytest.raises(Conflict):
        await room.part(flows[1], other, 2, late("shred"), one)
    with pytest.raises(Conflict):
        await room.put(flows[2], "plans", "lantern", body(b"another"), PLAIN)
    await world.step("custody.spill")
    assert WORDS not in await everything_said(world)
    assert await lying(world) == {"elsewhere", "else", f"{other}/00001"}


@pytest.mark.parametrize("how", ["", "shred", "relabel"])
async def test_a_copy_that_was_read_before_does_not_land_after(world: World, how: str) -> None:
    room = await scene(world)
    flow = await at(world, LOW)
    pour = type(flow).pour

    async def late(self: Flow, data: bytes) -> str:
        with patch.object(type(flow), "pour", pour):
            await contain(world, NAMED, how)
        return await pour(self, data)

    with patch.object(type(flow), "pour", late), pytest.raises(Conflict):
        await room.copy(flow, ("plans", "lantern"), ("plans", "copy"))
    with pytest.raises(Absent):
        await room.seen(await at(world, LOW), "plans", "copy")
    if how == "shred":
        await world.step("custody.spill")
        assert WORDS not in await everything_said(world)


async def test_what_is_raised_where_another_lies_tells_where_it_came_from(world: World) -> None:
    room = await scene(world)
    await room.put(await at(world, SECRET), "plans", "lantern", body(b"another"), PLAIN)
    await contain(world, NAMED, "relabel")
    listed = await room.listed(await at(world, SECRET), "plans")
    assert [each.key.partition("~")[0] for each in listed.objects] == ["lantern", "lantern"]
    flow = await at(world, SECRET)
    assert await gathered(room.read(flow, listed.objects[1])) == WORDS


async def test_of_many_writers_of_one_key_each_lands(world: World) -> None:
    """The last one wins; none is told that another was faster."""
    room = await scene(world)
    flows = [await at(world, LOW) for _ in range(24)]
    puts = [room.put(flow, "plans", "many", body(str(n).encode()), PLAIN) for n, flow in enumerate(flows)]
    seen = await asyncio.gather(*puts)
    last = max(seen, key=lambda each: each.version)
    assert last.version == 24
    flow = await at(world, LOW)
    now = await room.seen(flow, "plans", "many")
    assert (now.etag, now.version) == (last.etag, 24)
