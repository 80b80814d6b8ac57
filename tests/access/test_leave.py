"""What leaves: BEGIN first, lends only to whom it may be lent, and an END for whatever began."""

from __future__ import annotations

import pytest

from casemate.access import Ceiling
from casemate.errors import Refused
from casemate.labels import Labelled
from casemate.objects import Ref
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, kept, label_of, log
from tests.laws.world import World


async def test_a_begin_and_its_end(world: World) -> None:
    flow = await at(world, SECRET)
    gate = world.house.gate
    begun = await flow.begin(b"the question", {"operation": "ask", "n": 3})
    assert (flow.begun, gate.running) == (begun, {begun})
    released = await flow.release(b"the answer", "complete", {"tokens": 7}, (Ref("document", "doc_a", "cls"),))
    assert (released.body, released.label, released.entry) == (b"the answer", flow.acting, begun)
    assert released.marking == "SECRET//NOFORN"
    assert gate.running == set()
    first, last = log(world, SECRET)
    assert (first.id, first.outcome, first.facts) == (begun, "begin", {"operation": "ask", "n": 3, "floor": LOW})
    assert (last.outcome, last.ref, last.facts) == ("complete", begun, {"tokens": 7})
    assert last.subjects == ("document/doc_a@cls",)
    assert kept(world, SECRET) == b"the question\nthe answer"
    assert first.content != last.content
    assert log(world, LOW) == []


async def test_the_digest_of_the_same_words_is_never_the_same(world: World) -> None:
    """Salted by entry: nobody finds out from digests that two have asked the same."""
    for _ in range(2):
        flow = await at(world, SECRET)
        await flow.begin(b"the question")
        await flow.durable()
    one, two = log(world, SECRET)
    assert len(one.content) == 96
    assert one.content != two.content


async def test_a_short_request_leaves_one_entry(world: World) -> None:
    flow = await at(world, SECRET)
    released = await flow.release(b"list", "complete")
    [entry] = log(world, SECRET)
    assert (entry.id, entry.outcome, entry.ref) == (released.entry, "done", "")


async def test_the_marking_is_in_the_sessions_language(world: World) -> None:
    low = await at(world, LOW)
    assert (await low.release(b"")).marking == "UNCLASSIFIED"


async def test_a_value_is_lent_to_whom_its_label_may_reach(world: World) -> None:
    flow = await at(world, SECRET)
    for label in (SECRET, TOP):
        engine = Ceiling(f"engine at {label}", label_of(world, label))
        assert await flow.lend(Labelled(label_of(world, SECRET), "said"), engine) == "said"
        assert await flow.lend(flow.take("said"), engine) == "said"
    assert log(world, SECRET) == []
    await flow.release(b"")
    assert log(world, SECRET)[-1].facts == {"engines": f"engine at {SECRET}, engine at {TOP}"}


@pytest.mark.parametrize("label", [LOW, "agency=EXERCISE + us:SECRET//REL=FRA,USA", "agency=OTHER"])
async def test_nothing_is_lent_to_whom_it_may_not_reach(world: World, label: str) -> None:
    flow = await at(world, SECRET)
    with pytest.raises(Refused) as told:
        await flow.lend(Labelled(flow.acting, "said"), Ceiling("far", label_of(world, label), outside=True))
    assert told.value.facts == {"rule": "accreditation", "acting": SECRET}
    [entry] = log(world, SECRET)
    assert (entry.outcome, entry.rule, entry.id) == ("refused", "accreditation", told.value.entry)
    assert flow.lent == []


async def test_what_leaves_the_machine_is_on_record_before_it_goes(world: World) -> None:
    flow = await at(world, SECRET)
    begun = await flow.begin(b"q")
    await flow.lend(flow.take("said"), Ceiling("far", label_of(world, TOP), outside=True))
    entry = log(world, SECRET)[-1]
    assert (entry.outcome, entry.facts) == ("lent", {"begin": begun, "engine": "far", "label": LOW})
