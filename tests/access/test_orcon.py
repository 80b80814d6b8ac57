"""Whoever sees what its originator controls may read it; to a place outside the region it goes with his leave alone."""

from __future__ import annotations

import pytest

from casemate.access import Ceiling
from casemate.errors import Refused
from casemate.labels import Labelled
from casemate.objects import Put
from casemate.policy import Action, originators
from tests.attacks.scene import flow_of, label_of, log, principal
from tests.laws.access_worlds import NOTE, Note
from tests.laws.world import World

ACT = Action("keep", "answer")
CONTROLLED = "agency=EXERCISE + us:SECRET//DISSEM=ORCON//REL=USA"
BOTH = "agency=EXERCISE + agency=OTHER + us:SECRET//DISSEM=ORCON//REL=USA"
PLAIN = "agency=EXERCISE + us:SECRET//REL=USA"


async def test_it_is_read_and_lent_inside(world: World) -> None:
    flow = await flow_of(world, principal(world, "ann", CONTROLLED), ACT)
    await flow.commit(Put(NOTE, "one", Note("a", "ships")))
    [found] = await flow.every(NOTE)
    assert originators(found.label) == {"EXERCISE"}
    value = Labelled(flow.acting, "said")
    assert await flow.lend(value, Ceiling("engine", flow.acting)) == "said"


@pytest.mark.parametrize("clearance", [CONTROLLED, BOTH])
async def test_it_leaves_the_region_for_no_engine(world: World, clearance: str) -> None:
    flow = await flow_of(world, principal(world, "ann", clearance), ACT)
    with pytest.raises(Refused) as told:
        await flow.lend(Labelled(flow.acting, "said"), Ceiling("far", flow.acting, outside=True))
    asked = ", ".join(sorted(label_of(world, clearance).agencies))
    assert told.value.facts == {"rule": "orcon", "originators": asked}
    assert [(entry.outcome, entry.rule) for entry in log(world, clearance)] == [("refused", "orcon")]
    assert flow.lent == []


async def test_an_answer_that_may_depend_on_it_carries_the_rule(world: World) -> None:
    """The acting label dominates it; what was made beside it asks the originators of both."""
    flow = await flow_of(world, principal(world, "ann", BOTH), ACT)
    released = await flow.release(b"told")
    assert originators(released.label) == {"EXERCISE", "OTHER"}
    low = flow.at(label_of(world, PLAIN))
    assert originators(low.label) == frozenset()
    said = Labelled(low.label, "said")
    assert await low.lend(said, Ceiling("far", low.acting, outside=True)) == "said"


async def test_putting_it_elsewhere_keeps_the_rule(world: World) -> None:
    """What lies higher bears at least the same control and owners; anything else is no place for it."""
    flow = await flow_of(world, principal(world, "ann", CONTROLLED), ACT)
    await flow.deposit(label_of(world, BOTH), Put(NOTE, "given", Note("a", "ships")))
    for label in (PLAIN, "agency=OTHER + us:SECRET//DISSEM=ORCON//REL=USA"):
        with pytest.raises(Refused, match="no-write-down"):
            await flow.deposit(label_of(world, label), Put(NOTE, "told", Note("a", "ships")))
