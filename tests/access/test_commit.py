"""Writing: exactly at the acting label, all of it or nothing, with its entry; upward only blindly."""

from __future__ import annotations

import pytest

from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.objects import Delete, Put, Ref, Where
from casemate.store import Receipt
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, label_of, log
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

A, B = Note("a", "ships"), Note("b", "fever")


async def test_a_write_lands_at_the_acting_label_with_one_entry_that_names_it(world: World) -> None:
    flow = await at(world, SECRET)
    receipt = await flow.commit(Put(NOTE, "one", A), Put(NOTE, "two", B), facts={"n": 2, "why": "law"})
    assert (receipt.versions, receipt.replayed) == ((1, 1), False)
    [entry] = log(world, SECRET)
    assert receipt.entries == ((flow.access.id, 0),)
    assert (entry.action, entry.outcome, entry.principal) == ("answer.keep", "done", "ann")
    assert entry.facts == {"n": 2, "why": "law"}
    assert entry.subjects == (f"law.note/one@{flow.access.id}", f"law.note/two@{flow.access.id}")
    assert log(world, LOW) == log(world, TOP) == []


@pytest.mark.parametrize("asked", [LOW, TOP, "agency=EXERCISE + us:SECRET//REL=FRA,USA"])
async def test_another_label_is_refused_and_nothing_is_stored(world: World, asked: str) -> None:
    flow = await at(world, SECRET)
    with pytest.raises(Refused) as told:
        await flow.commit(Put(NOTE, "one", A), at=label_of(world, asked))
    acting, asked_for = label_of(world, SECRET).text, label_of(world, asked).text
    assert told.value.facts == {"rule": "no-write-down", "acting": acting, "asked": asked_for}
    [entry] = log(world, SECRET)
    assert (entry.rule, entry.id) == ("no-write-down", told.value.entry)
    assert await (await at(world, TOP)).every(NOTE) == []
    await flow.commit(Put(NOTE, "one", A), at=flow.acting)


async def test_the_same_key_again_changes_nothing_and_gives_the_same_receipt(world: World) -> None:
    first = await (await at(world, SECRET)).commit(Put(NOTE, "one", A), key="k")
    again = await (await at(world, SECRET)).commit(Put(NOTE, "one", B), key="k")
    assert (again.entries, again.versions, again.replayed) == (first.entries, first.versions, True)
    assert (await (await at(world, SECRET)).read(NOTE, "one")).value == A
    assert len(log(world, SECRET)) == 1
    elsewhere = await (await at(world, LOW)).commit(Put(NOTE, "one", B), key="k")
    assert not elsewhere.replayed


async def test_a_version_that_is_not_there_undoes_the_whole_commit(world: World) -> None:
    flow = await at(world, SECRET)
    await flow.commit(Put(NOTE, "one", A, expect=0))
    for change in (Put(NOTE, "one", B, expect=0), Put(NOTE, "one", B, expect=2), Delete(NOTE, "one", expect=5)):
        with pytest.raises(Conflict):
            await flow.commit(Put(NOTE, "two", B), change)
    assert [(f.id, f.value) for f in await flow.every(NOTE)] == [("one", A)]
    assert len(log(world, SECRET)) == 1
    await flow.commit(Put(NOTE, "one", B, expect=1))
    assert (await flow.read(NOTE, "one")).version == 2


async def test_what_lies_above_makes_no_conflict_below(world: World) -> None:
    await (await at(world, TOP)).commit(Put(NOTE, "one", A, expect=0))
    receipt = await (await at(world, LOW)).commit(Put(NOTE, "one", B, expect=0))
    assert receipt.versions == (1,)


async def test_a_delete_takes_away_what_lies_at_the_acting_label_alone(world: World) -> None:
    for label in (LOW, SECRET):
        await (await at(world, label)).commit(Put(NOTE, "one", A))
    high = await at(world, SECRET)
    await high.commit(Delete(NOTE, "one"), Delete(NOTE, "never"))
    assert [f.label.text for f in await high.every(NOTE)] == [LOW]
    assert log(world, SECRET)[-1].subjects == (f"law.note/one@{high.access.id}", f"law.note/never@{high.access.id}")


async def test_what_is_replaced_is_found_under_its_new_index_alone(world: World) -> None:
    flow = await at(world, LOW)
    await flow.commit(Put(NOTE, "one", A))
    await flow.commit(Put(NOTE, "one", B))
    assert await flow.every(NOTE, Where((("topic", "ships"),))) == []
    assert [f.id for f in await flow.every(NOTE, Where((("topic", "fever"),)))] == ["one"]


async def test_a_commit_under_a_begin_refers_to_it(world: World) -> None:
    flow = await at(world, LOW)
    begun = await flow.begin(b"request")
    await flow.commit(Put(NOTE, "one", A))
    assert log(world, LOW)[-1].facts == {"begin": begun}


async def test_a_deposit_goes_up_silently(world: World) -> None:
    low = await at(world, LOW)
    assert await low.deposit(label_of(world, TOP), Put(NOTE, "mine", A)) == Receipt()
    assert await low.every(NOTE) == []
    [above] = await (await at(world, TOP)).every(NOTE)
    assert (above.value, above.label.text) == (A, TOP)
    assert above.id.startswith("dep_")
    [entry] = log(world, LOW)
    assert (entry.outcome, entry.facts) == ("done", {"deposit": TOP})
    assert log(world, TOP) == []
    assert await low.deposit(label_of(world, TOP), Put(NOTE, "mine", B)) == Receipt()


@pytest.mark.parametrize("to", [LOW, "agency=EXERCISE + us:SECRET//REL=FRA,USA", "agency=OTHER"])
async def test_nothing_is_deposited_downward_or_beside(world: World, to: str) -> None:
    with pytest.raises(Refused) as told:
        await (await at(world, SECRET)).deposit(label_of(world, to), Put(NOTE, "one", A))
    assert told.value.facts["rule"] == "no-write-down"
    assert [e.rule for e in log(world, SECRET)] == ["no-write-down"]
    assert log(world, to) == []


async def test_a_parent_that_is_not_seen_is_absent(world: World) -> None:
    high = await at(world, TOP)
    await high.commit(Put(NOTE, "hidden", A))
    low = await at(world, LOW)
    with pytest.raises(Absent):
        await low.commit(Put(NOTE, "one", B, parents=(Ref(NOTE.name, "hidden", high.access.id),)))
    assert await low.every(NOTE) == []


@pytest.mark.parametrize(
    "change",
    [Delete(NOTE, "one"), Put(NOTE, "one", A, expect=0), Put(NOTE, "one", A, parents=(Ref(NOTE.name, "x", "y"),))],
    ids=["removes", "expects", "refers"],
)
async def test_a_deposit_only_adds(world: World, change: Put | Delete) -> None:
    """Anything else would try out what lies above."""
    with pytest.raises(BadInput):
        await (await at(world, LOW)).deposit(label_of(world, TOP), Put(NOTE, "new", A), change)
    assert await (await at(world, TOP)).every(NOTE) == []
