"""What a sink outside the region is told: all, that there is something, or nothing; each is an entry first."""

from __future__ import annotations

import pytest

from casemate.access import Ceiling
from casemate.errors import Refused
from casemate.labels import Labelled
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log
from tests.laws.world import World

SEND = Action("send", "mission-notice")


@pytest.mark.parametrize(
    ("accreditation", "known", "told"),
    [
        (TOP, "", "all"),
        (SECRET, "", "all"),
        (SECRET, LOW, "all"),
        (LOW, SECRET, "something"),
        (LOW, TOP, "something"),
        (LOW, LOW, "nothing"),
        (LOW, "", "nothing"),
        ("agency=OTHER", "", "nothing"),
        ("agency=OTHER", "agency=OTHER + us:SECRET//REL=USA", "nothing"),
    ],
)
async def test_a_sink_is_told_what_its_accreditation_dominates_and_no_more(
    world: World, accreditation: str, known: str, told: str
) -> None:
    gate = world.house.gate
    access = gate.classes.of(label_of(world, SECRET))
    flow = await flow_of(world, gate.service("missions", access), SEND)
    ceiling = Ceiling("desk", label_of(world, accreditation))
    found, rule = "nothing", ""
    try:
        value = await flow.announce(Labelled(flow.acting, b"x"), ceiling, label_of(world, known) if known else None)
        found = "something" if value is None else "all"
    except Refused as refused:
        rule = str(refused.facts["rule"])
    assert (found, rule) == (told, "accreditation" if told == "nothing" else "")
    [entry] = log(world, SECRET)
    assert entry.outcome == ("refused" if told == "nothing" else "lent")
    assert dict(entry.facts).get("told", "") == ("existence" if told == "something" else "")
    assert log(world, LOW) == []
