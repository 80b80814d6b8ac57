"""What is held comes to rest between the floor at which it was brought and the label at which it was held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from casemate.access import HELD, Flow, Hold
from casemate.errors import Absent, Conflict, Refused
from casemate.identity import Session
from casemate.objects import Delete, Found, Put, Ref
from casemate.policy import Action
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

ADD, SETTLE = Action("add", "document"), Action("settle", "document")
A = Note("a", "ships")
BESIDE = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=TK"


def bringer(world: World, floor: str = LOW, name: str = "ann") -> Session:
    return replace(principal(world, name, TOP), floor=label_of(world, floor))


async def bring(world: World, label: str = SECRET, floor: str = LOW, data: bytes = b"bytes", **said: Any) -> Ref:
    flow = await flow_of(world, bringer(world, floor), ADD, label)
    return await flow.hold(Hold("a.txt", "law", "digest", **said), data)


async def serve(world: World, label: str = SECRET) -> Flow:
    gate = world.house.gate
    return await gate.open(gate.service("knowledge", gate.classes.of(label_of(world, label))), SETTLE)


async def held(world: World, ref: Ref, label: str = SECRET) -> tuple[Flow, Found[Any]]:
    flow = await serve(world, label)
    return flow, await flow.read(HELD, ref.id)


async def test_what_is_brought_is_held_with_its_floor_and_one_entry(world: World) -> None:
    ref = await bring(world, stated=SECRET, data=b"12345")
    flow, found = await held(world, ref)
    kept = found.value
    assert (ref.kind, ref.class_id) == ("held", flow.access.id)
    assert (kept.name, kept.base, kept.digest, kept.floor, kept.stated) == ("a.txt", "law", "digest", LOW, SECRET)
    assert (kept.principal, kept.at, kept.state, kept.marks) == ("ann", world.clock.now(), "new", "read")
    assert await flow.blob(flow.access.id, kept.blob) == b"12345"
    [entry] = log(world, SECRET)
    assert entry.facts == {"bytes": 5, "stated": SECRET, "marks": "read"}
    assert entry.subjects == (f"held/{ref.id}@{ref.class_id}",)
    assert log(world, LOW) == []


async def test_each_part_rests_at_its_mark_and_what_was_held_is_gone(world: World) -> None:
    flow, found = await held(world, await bring(world))
    settling = flow.settle(found)
    blob = await settling.pour(label_of(world, LOW), b"low bytes")
    [low] = settling.change(label_of(world, LOW), Put(NOTE, "part", A))
    [high] = settling.change(label_of(world, SECRET), Put(NOTE, "part", Note("b", "storm")))
    receipt = await settling.commit("settled", {"parts": 2})
    assert len(receipt.entries) == 2
    reader = await at(world, LOW)
    assert [f.ref for f in await reader.every(NOTE)] == [low]
    assert await reader.blob(low.class_id, blob) == b"low bytes"
    into = await reader.blob_into(low.class_id, blob, lambda size: memoryview(bytearray(size)))
    assert bytes(into) == b"low bytes"
    assert {f.ref for f in await (await at(world, SECRET)).every(NOTE)} == {low, high}
    assert await (await serve(world)).every(HELD) == []


async def test_the_entry_below_tells_nothing_of_the_whole(world: World) -> None:
    """Facts count parts of all labels: they stand where the document was held."""
    flow, found = await held(world, await bring(world))
    settling = flow.settle(found)
    [low] = settling.change(label_of(world, LOW), Put(NOTE, "part", A))
    settling.change(label_of(world, SECRET), Put(NOTE, "part", A))
    await settling.commit("settled", {"parts": 2})
    [below] = log(world, LOW)
    assert (below.outcome, below.rule, below.facts) == ("settled", "marks-of-origin", {})
    assert below.subjects == (f"law.note/part@{low.class_id}",)
    assert below.principal == "service:knowledge"
    assert log(world, SECRET)[-1].facts == {"parts": 2}


@pytest.mark.parametrize("label", [LOW, TOP, BESIDE, "agency=OTHER", "bottom"])
async def test_nothing_rests_below_the_floor_beside_or_above(world: World, label: str) -> None:
    flow, found = await held(world, await bring(world, floor=SECRET))
    settling = flow.settle(found)
    with pytest.raises(Refused) as told:
        settling.change(label_of(world, label), Put(NOTE, "part", A))
    facts = {"rule": "marks-of-origin", "floor": SECRET, "held": SECRET, "asked": label_of(world, label).text}
    assert told.value.facts == facts
    with pytest.raises(Refused, match="marks-of-origin"):
        await settling.pour(label_of(world, label), b"x")


async def test_a_raised_floor_is_the_floor(world: World) -> None:
    """Marks in what is brought raise the flow's floor before it is held."""
    flow = await flow_of(world, bringer(world), ADD, TOP)
    flow.bear(label_of(world, SECRET))
    ref = await flow.hold(Hold("a.txt", "law", "d"), b"x")
    service, found = await held(world, ref, TOP)
    with pytest.raises(Refused, match="marks-of-origin"):
        service.settle(found).change(label_of(world, LOW), Put(NOTE, "part", A))


async def test_a_flow_that_has_looked_at_anything_else_settles_nothing(world: World) -> None:
    """Otherwise what it read could come down in the caller's document."""
    await (await at(world, SECRET)).commit(Put(NOTE, "secret", A))
    flow, found = await held(world, await bring(world))
    await flow.every(NOTE)
    with pytest.raises(Refused, match="marks-of-origin"):
        flow.settle(found)
    both = await serve(world)
    first, _ = await bring(world, data=b"2"), await bring(world, data=b"3")
    several = await both.every(HELD)
    with pytest.raises(Refused, match="marks-of-origin"):
        both.settle(next(f for f in several if f.id == first.id))


async def test_no_person_settles(world: World) -> None:
    ref = await bring(world)
    everything = principal(world, "ann", SECRET, "user", "officer", "auditor", "operator", "releaser")
    flow = await flow_of(world, everything, ADD)
    with pytest.raises(Refused, match="marks-of-origin"):
        flow.settle(await flow.read(HELD, ref.id))


async def test_only_what_is_held_is_settled(world: World) -> None:
    await (await at(world, SECRET)).commit(Put(NOTE, "note", A))
    flow, found = await held(world, await bring(world))
    other = await serve(world)
    note = await other.read(NOTE, "note")
    disguised = replace(found, ref=note.ref)
    with pytest.raises(Refused, match="marks-of-origin"):
        other.settle(disguised)
    assert flow.settle(found)


async def test_settling_twice_settles_once(world: World) -> None:
    _, found = await held(world, await bring(world))
    receipts = []
    for _ in range(2):
        settling = (await serve(world)).settle(found)
        settling.change(label_of(world, LOW), Put(NOTE, "part", A, expect=0))
        receipts.append(await settling.commit("settled", {}))
    assert [receipt.replayed for receipt in receipts] == [False, True]
    assert len(log(world, LOW)) == 1


async def test_what_was_restated_meanwhile_settles_nothing(world: World) -> None:
    ref = await bring(world)
    flow, found = await held(world, ref)
    await (await flow_of(world, bringer(world), ADD, SECRET)).restate(ref.id, label_of(world, SECRET))
    settling = flow.settle(found)
    settling.change(label_of(world, LOW), Put(NOTE, "part", A))
    with pytest.raises(Conflict):
        await settling.commit("settled", {})
    assert await (await at(world, TOP)).every(NOTE) == []


async def test_whoever_brought_it_states_its_label(world: World) -> None:
    ref = await bring(world)
    flow = await flow_of(world, bringer(world), ADD, SECRET)
    await flow.restate(ref.id, label_of(world, SECRET), "text")
    kept = (await held(world, ref))[1].value
    assert (kept.stated, kept.marks, kept.state, kept.floor) == (SECRET, "text", "new", LOW)
    assert log(world, SECRET)[-1].facts == {"stated": SECRET, "marks": "text"}


async def test_nobody_else_states_it_nor_learns_that_it_waits(world: World) -> None:
    ref = await bring(world)
    for session, label in ((bringer(world, name="ben"), SECRET), (bringer(world), TOP), (bringer(world), LOW)):
        flow = await flow_of(world, session, ADD, label)
        with pytest.raises(Absent) as told:
            await flow.restate(ref.id, label_of(world, SECRET))
        assert told.value.facts == {"kind": "held", "id": ref.id}
        assert log(world, label)[-1].id == told.value.entry
    assert (await held(world, ref))[1].value.stated == ""


@pytest.mark.parametrize("stated", [LOW, TOP, BESIDE])
async def test_a_label_is_stated_between_floor_and_held_label(world: World, stated: str) -> None:
    ref = await bring(world, floor=SECRET)
    flow = await flow_of(world, bringer(world, SECRET), ADD, SECRET)
    with pytest.raises(Refused) as told:
        await flow.restate(ref.id, label_of(world, stated))
    assert told.value.facts["rule"] == "marks-of-origin"
    assert (await held(world, ref))[1].value.stated == ""


async def deposited(world: World, to: str, label: str = SECRET, *changes: Any) -> Ref:
    flow = await flow_of(world, bringer(world), Action("relabel", "document"), label)
    return await Hold("a.txt", "law", "digest", marks="text").raised(flow, label_of(world, to), b"bytes", *changes)


async def test_what_is_raised_is_held_above_and_changed_below_in_one_commit(world: World) -> None:
    flow = await flow_of(world, bringer(world), ADD, SECRET)
    await flow.commit(Put(NOTE, "old", A))
    ref = await deposited(world, TOP, SECRET, Delete(NOTE, "old"))
    high, found = await held(world, ref, TOP)
    kept = found.value
    assert (kept.floor, kept.stated, kept.principal, kept.marks, ref.class_id) == (
        TOP,
        TOP,
        "ann",
        "text",
        high.access.id,
    )
    assert await high.blob(high.access.id, kept.blob) == b"bytes"
    assert await (await at(world, SECRET)).every(NOTE) == []
    assert await (await at(world, SECRET)).every(HELD) == []
    entry = log(world, SECRET)[-1]
    assert (entry.facts, entry.subjects) == ({"deposit": TOP, "bytes": 5}, (f"{NOTE.name}/old@{flow.access.id}",))
    assert log(world, TOP) == [], "nothing above hears of it but what it receives"


async def test_what_is_raised_rests_nowhere_lower(world: World) -> None:
    high, found = await held(world, await deposited(world, TOP), TOP)
    settling = high.settle(found)
    with pytest.raises(Refused):
        settling.change(label_of(world, SECRET), Put(NOTE, "one", A))
    settling.change(label_of(world, TOP), Put(NOTE, "one", A))
    await settling.commit("settled", {})


@pytest.mark.parametrize("to", [LOW, BESIDE])
async def test_nothing_is_raised_down_or_beside(world: World, to: str) -> None:
    acting = TOP if to == BESIDE else SECRET
    with pytest.raises(Refused) as error:
        await deposited(world, to, acting)
    assert error.value.facts["rule"] == "no-write-down"
    assert await (await at(world, TOP)).every(HELD) == []


async def test_a_service_brings_for_somebody_with_his_floor(world: World) -> None:
    flow = await serve(world)
    await flow.commit(Put(NOTE, "old", A))
    hold = Hold("a.txt", "law", "digest", replaces="doc_old", gone_at=(LOW,))
    ref = await hold.keep(flow, b"bytes", Delete(NOTE, "old"), by="ann", floor=label_of(world, LOW))
    gone = await hold.withdrawn(flow, by="ann", floor=label_of(world, LOW))
    _, found = await held(world, ref)
    assert (found.value.principal, found.value.floor, found.value.withdrawn) == ("ann", LOW, False)
    assert (found.value.replaces, found.value.gone_at) == ("doc_old", (LOW,))
    flow, word = await held(world, gone)
    assert (word.value.blob, word.value.withdrawn, word.value.principal) == ("", True, "ann")
    assert await (await at(world, SECRET)).every(NOTE) == []
    settling = flow.settle(word)
    settling.change(label_of(world, LOW), Put(NOTE, "gone", A))
    await settling.commit("withdrawn", {})
    assert [note.id for note in await (await at(world, LOW)).every(NOTE)] == ["gone"]


async def test_nobody_but_a_service_brings_in_anothers_name_or_from_above(world: World) -> None:
    ann = await flow_of(world, bringer(world), ADD, SECRET)
    service, hold = await serve(world), Hold("a.txt", "law", "digest")
    low, top = label_of(world, LOW), label_of(world, TOP)
    for flow, by, floor in ((ann, "ben", low), (ann, "", low), (service, "ann", top), (service, "ann", None)):
        with pytest.raises(Refused):
            await hold.keep(flow, b"bytes", by=by, floor=floor)
    with pytest.raises(Refused):
        await hold.withdrawn(ann, by="ben", floor=low)
    assert await (await at(world, TOP)).every(HELD) == []


async def test_what_was_brought_at_a_floor_is_stated_nowhere_below_it(world: World) -> None:
    """A session with a lower floor of its own states no lower label. Killed: only the floor of who states it counts."""
    ref = await bring(world, floor=SECRET)
    flow = await flow_of(world, bringer(world, LOW), ADD, SECRET)
    with pytest.raises(Refused) as told:
        await flow.restate(ref.id, label_of(world, LOW))
    assert told.value.facts["rule"] == "marks-of-origin"
    assert (await held(world, ref))[1].value.stated == ""
