"""What an object is called is content: the store knows it by a name that says nothing."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec
import pytest

from casemate.errors import BadInput, Conflict, Damaged
from casemate.objects import Delete, Put, Ref
from tests.access.test_damage import fitting
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World


def lying(world: World, sql: str) -> list[Any]:
    file = apsw.Connection(str(world.house.folder.records))
    try:
        return list(file.execute(sql))
    finally:
        file.close()


async def test_neither_an_id_nor_a_parent_nor_a_batch_lies_in_the_open(world: World) -> None:
    low, high = await at(world, LOW), await at(world, SECRET)
    await low.commit(Put(NOTE, "harbour-plan", Note("x", "t")), key="retry-of-the-harbour-plan")
    parent = Ref(NOTE.name, "harbour-plan", low.access.id)
    await high.commit(Put(NOTE, "harbour-plan", Note("y", "t"), parents=(parent,)))
    ids = [id for (id,) in lying(world, "SELECT id FROM rows WHERE kind = 'law.note' ORDER BY id")]
    assert len(set(ids)) == 2  # one name, two classes: nobody sees that they are called alike
    assert {len(id) for id in ids} == {26}
    [(parent_name,)] = lying(world, "SELECT id FROM parents WHERE kind = 'law.note'")
    assert parent_name == world.house.gate.rows.named(low.access.id, NOTE.name, "harbour-plan")
    assert "harbour" not in str(lying(world, "SELECT key FROM keys"))
    assert await high.children(parent) == [Ref(NOTE.name, "harbour-plan", high.access.id)]
    assert {each.id for each in await high.read_each(NOTE, "harbour-plan")} == {"harbour-plan"}
    assert {each.label.text for each in await high.every(NOTE)} == {LOW, SECRET}


async def test_who_looks_for_a_parent_must_have_its_classes_key(world: World) -> None:
    """The same id in another class is another parent."""
    low, high = await at(world, LOW), await at(world, SECRET)
    await store(world, LOW, "one")
    await store(world, SECRET, "one")
    await high.commit(Put(NOTE, "child", Note("y", "t"), parents=(Ref(NOTE.name, "one", low.access.id),)))
    assert await high.children(Ref(NOTE.name, "one", high.access.id)) == []
    assert [each.id for each in await high.children(Ref(NOTE.name, "one", low.access.id))] == ["child"]


async def test_a_conflict_is_told_in_the_callers_words(world: World) -> None:
    flow = await at(world, LOW)
    await flow.commit(Put(NOTE, "harbour-plan", Note("x", "t")))
    for change in (
        Put(NOTE, "harbour-plan", Note("y", "t"), expect=0),
        Put(NOTE, "harbour-plan", Note("y", "t"), expect=7),
        Delete(NOTE, "harbour-plan", expect=9),
    ):
        with pytest.raises(Conflict) as told:
            await (await at(world, LOW)).commit(Put(NOTE, "other", Note("z", "t")), change)
        assert told.value.facts == {"what": "law.note harbour-plan"}


async def test_a_row_is_opened_under_its_own_id_alone(world: World) -> None:
    await store(world, SECRET, "one", "said")
    await store(world, SECRET, "two", "else")
    flow = await at(world, TOP)
    lower = (await at(world, SECRET)).access.id
    one, two = (flow.gate.rows.get(NOTE.name, id, [lower])[0] for id in ("one", "two"))
    assert flow.gate.rows.ref(one) == Ref(NOTE.name, "one", lower)
    assert flow.gate.rows.get(NOTE.name, one.id, [lower]) == []
    moved = msgspec.structs.replace(two, sealed=one.sealed)
    with pytest.raises(Damaged):
        flow.gate.rows.ref(fitting(moved))


async def test_an_id_is_bounded(world: World) -> None:
    flow = await at(world, LOW)
    await flow.commit(Put(NOTE, "i" * 4096, Note("x", "t")))
    assert (await flow.read(NOTE, "i" * 4096)).value.text == "x"
    with pytest.raises(BadInput):
        await flow.commit(Put(NOTE, "i" * 4097, Note("x", "t")))


async def test_an_entrys_own_id_is_in_no_file_and_salts_its_leaf(world: World) -> None:
    flow = await at(world, LOW)
    begun = await flow.begin(b"question")
    await flow.release(b"answer")
    found = flow.gate.recorder.find(begun)
    assert found is not None
    assert flow.gate.recorder.open(*found).id == begun
    assert begun.encode() not in world.house.folder.records.read_bytes()
    assert flow.gate.vault.reader.entry(begun) is None
