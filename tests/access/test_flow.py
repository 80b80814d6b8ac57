"""The visible world: what a flow reads is what its acting label dominates, and nothing tells that there is more."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from casemate.access import Flow, read
from casemate.errors import Absent, BadInput, Refused
from casemate.labels import Labelled
from casemate.objects import Put, Ref, Where
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import ACT, NOTE, Note
from tests.laws.world import World


async def at(world: World, label: str, name: str = "ann", clearance: str = TOP) -> Flow:
    return await flow_of(world, principal(world, name, clearance), ACT, label)


async def store(world: World, label: str, id: str, text: str = "text", topic: str = "ships") -> Ref:
    flow = await at(world, label)
    await flow.commit(Put(NOTE, id, Note(text, topic)))
    return Ref(NOTE.name, id, flow.access.id)


async def test_an_object_is_read_at_and_above_its_label(world: World) -> None:
    ref = await store(world, SECRET, "one", "said")
    for label in (SECRET, TOP):
        found = await (await at(world, label)).read(NOTE, "one")
        assert (found.ref, found.id, found.version, found.value.text) == (ref, "one", 1, "said")
        assert found.label is label_of(world, SECRET)


async def test_hidden_and_never_existing_are_told_and_recorded_alike(world: World) -> None:
    await store(world, TOP, "hidden")
    await store(world, SECRET, "so that the class exists")
    told = []
    for id in ("hidden", "never!"):
        world.calls.clear()
        with pytest.raises(Absent) as error:
            await (await at(world, SECRET)).read(NOTE, id)
        told.append((type(error.value), error.value.facts["kind"], [c.replace(id, "ID") for c in world.calls]))
        entry = log(world, SECRET)[-1]
        assert (entry.outcome, entry.facts, entry.id) == ("absent", {"kind": NOTE.name, "id": id}, error.value.entry)
    assert told[0] == told[1]


async def test_a_room_may_say_that_something_is_absent(world: World) -> None:
    """As `read` does: the same error, the same entry."""
    flow, told = await at(world, SECRET), []
    for asked in (flow.absent(NOTE, "one"), flow.read(NOTE, "one")):
        with pytest.raises(Absent) as error:
            await asked
        told.append((error.value.facts, log(world, SECRET)[-1].facts, log(world, SECRET)[-1].outcome))
    assert told[0] == told[1]


async def test_an_object_that_lies_at_several_labels_has_a_part_at_each(world: World) -> None:
    for label in (LOW, SECRET, TOP):
        await store(world, label, "one", label)
    both = await (await at(world, SECRET)).read_each(NOTE, "one")
    assert {part.value.text for part in both} == {LOW, SECRET}
    assert [part.ref.class_id for part in both] == sorted(part.ref.class_id for part in both)
    assert await (await at(world, LOW)).read_each(NOTE, "none") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
async def test_a_scan_gives_everything_once_in_a_fixed_order(world: World, limit: int) -> None:
    for label in (LOW, SECRET, TOP):
        for number in range(3):
            await store(world, label, f"{number}", label, ("fever", "ships")[number % 2])
    for topic, count in ((None, 6), ("fever", 4), ("ships", 2), ("none", 0)):
        where = None if topic is None else Where((("topic", topic),))
        flow = await at(world, SECRET)
        found, after, pages = [], None, 0
        while pages == 0 or after is not None:
            page = await flow.scan(NOTE, where, after, limit)
            assert len(page.items) <= limit
            found, after, pages = [*found, *page.items], page.after, pages + 1
        assert len(found) == len({(f.ref.class_id, f.id) for f in found}) == count
        assert {f.value.text for f in found} <= {LOW, SECRET}
        assert [f.ref.class_id for f in found] == sorted(f.ref.class_id for f in found)


async def test_all_of_a_kind_whatever_a_page_holds(world: World) -> None:
    for number in range(5):
        await store(world, LOW, f"{number}")
    with patch.object(read, "PAGE", 2):
        every = await (await at(world, LOW)).every(NOTE)
    assert [found.id for found in every] == ["0", "1", "2", "3", "4"]


async def test_a_cursor_that_is_nobodys_is_the_callers_mistake(world: World) -> None:
    await store(world, LOW, "one")
    flow = await at(world, LOW)
    with pytest.raises(BadInput):
        await flow.scan(NOTE, None, f"{flow.access.id}/nonsense", 5)
    beyond = await flow.scan(NOTE, None, "~/", 5)
    assert (beyond.items, beyond.after) == ((), None)


async def test_children_are_those_that_are_visible(world: World) -> None:
    ref = await store(world, LOW, "parent")
    for label in (SECRET, TOP):
        flow = await at(world, label)
        await flow.commit(Put(NOTE, "child", Note("c", "storm"), parents=(ref,)))
    assert await (await at(world, LOW)).children(ref) == []
    [child] = await (await at(world, SECRET)).children(ref)
    assert (child.id, child.class_id) == ("child", (await at(world, SECRET)).access.id)
    assert len(await (await at(world, TOP)).children(ref)) == 2


async def test_a_blob_of_a_class_that_is_not_seen_is_absent_like_none(world: World) -> None:
    high, low = await at(world, TOP), await at(world, LOW)
    await store(world, LOW, "so that the class exists")
    await store(world, TOP, "so that the class exists")
    name = await high.pour(b"hidden bytes")
    assert await high.blob(high.access.id, name) == b"hidden bytes"
    told = []
    for class_id in (high.access.id, "nobodys", low.access.id):
        with pytest.raises(Absent) as error:
            await low.blob(class_id, name)
        told.append(error.value.facts)
    assert told == [{"kind": "blob", "id": name}] * 3


async def test_the_same_bytes_have_another_name_in_another_class(world: World) -> None:
    assert await (await at(world, LOW)).pour(b"same") != await (await at(world, TOP)).pour(b"same")


async def test_what_is_taken_carries_the_floor_and_is_looked_at_below_the_acting_label(world: World) -> None:
    flow = await at(world, SECRET)
    taken = flow.take("said")
    assert taken.label is label_of(world, LOW)
    assert flow.look(taken) == "said"
    assert flow.look(Labelled(label_of(world, SECRET), 7)) == 7
    for label in (TOP, "agency=OTHER"):
        with pytest.raises(Refused) as told:
            flow.look(Labelled(label_of(world, label), "hidden"))
        assert told.value.facts["rule"] == "no-read-up"
        assert "hidden" not in str(told.value)


async def test_a_part_of_a_request_acts_lower_and_stands_under_the_whole(world: World) -> None:
    whole = await at(world, TOP)
    await whole.begin(b"question")
    lower = whole.at(label_of(world, SECRET))
    assert (lower.acting, lower.floor, lower.domain) == (label_of(world, SECRET), whole.floor, whole.acting)
    assert (lower.begun, lower.asker, lower.session) == (whole.begun, whole.session, whole.session)
    assert lower.lent is whole.lent
    with pytest.raises(Absent):
        await lower.read(NOTE, "none")
    assert log(world, SECRET) == []
    assert log(world, TOP)[-1].facts["begin"] == whole.begun


async def test_no_part_acts_higher_beside_or_below_the_floor(world: World) -> None:
    whole = await at(world, SECRET)
    for label in (TOP, "agency=EXERCISE + us:SECRET//REL=FRA,USA//SCI=SI", "bottom"):
        with pytest.raises(Refused) as told:
            whole.at(label_of(world, label))
        assert told.value.facts["rule"] == "acting-label"
    whole.bear(label_of(world, SECRET))
    assert whole.take("x").label is label_of(world, SECRET)
    with pytest.raises(Refused, match="acting-label"):
        whole.at(label_of(world, LOW))


async def test_a_tide_tells_of_the_visible_world_and_of_nothing_else(world: World) -> None:
    """Killed: a tide that names every class of the region."""
    await store(world, SECRET, "one")
    await store(world, TOP, "class there already")
    flow = await at(world, SECRET)
    first = await flow.tide(NOTE)
    await store(world, TOP, "hidden")
    assert await flow.tide(NOTE) == first
    assert set(first.classes) == {access.id for access in flow.classes()}
    await store(world, SECRET, "two")
    second = await flow.tide(NOTE)
    assert second != first
    assert second.classes == first.classes


async def test_a_class_that_comes_later_is_seen_by_whoever_dominates_it(world: World) -> None:
    """What a label sees is kept only until there are other classes."""
    flow = await at(world, TOP)
    before = {access.id for access in flow.classes()}
    ref = await store(world, SECRET, "new")
    assert {access.id for access in flow.classes()} - before <= {ref.class_id}
    assert ref.class_id in {access.id for access in flow.classes()}
    assert [found.id for found in await flow.every(NOTE)] == ["new"]


async def test_a_class_that_is_written_later_is_seen_from_then_on(world: World) -> None:
    """Killed: the classes that a label sees are kept, whatever is written."""
    high = await at(world, TOP)
    assert await high.every(NOTE) == []
    await store(world, SECRET, "one")
    assert [found.id for found in await high.every(NOTE)] == ["one"]


async def test_a_blob_is_opened_into_no_memory_where_its_class_is_not_seen(world: World) -> None:
    high, low = await at(world, TOP), await at(world, LOW)
    await store(world, TOP, "so that the class exists")
    name = await high.pour(b"hidden bytes")
    with pytest.raises(Absent):
        await low.blob_into(high.access.id, name, lambda size: pytest.fail("memory was asked for"))


async def test_what_is_read_is_asked_for_in_the_domain_of_the_request(world: World) -> None:
    """Killed: copies are found by the class that was read, so that one domain's reads warm another's."""
    asked: list[str] = []

    class Noting:
        async def read(self, class_id: str, digest: str, domain: str) -> bytes:
            asked.append(domain)
            return b""

        async def read_into(self, class_id: str, digest: str, take: object, domain: str) -> memoryview:
            asked.append(domain)
            return memoryview(b"")

    await store(world, LOW, "so that the class exists")
    whole, vault = await at(world, TOP), world.house.gate.vault
    low = whole.at(label_of(world, LOW))
    right = vault.blobs
    object.__setattr__(vault, "blobs", Noting())
    try:
        await low.blob(low.access.id, "name")
        await low.blob_into(low.access.id, "name", lambda size: memoryview(bytearray(size)))
    finally:
        object.__setattr__(vault, "blobs", right)
    assert asked == [whole.access.id] * 2
