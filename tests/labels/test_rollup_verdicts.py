"""Verdicts of the ODNI's own rules for ISM documents (Schematron, ISM.XML V10), as facts to hold to.

Each case is a document whose banner those rules refuse, with the number of the rule, or accept. The rules themselves
are not run here: what they said of these documents is.
"""

from __future__ import annotations

import pytest

from casemate.labels import Mark, Policies, roll_up
from tests.labels.rollup_model import us

POLICIES = Policies.load(["us"])
S, TS, NF = us("S"), us("TS"), us("S", "DISSEM NOFORN")
FVEY, ACGU = us("S", "REL USA FVEY"), us("S", "REL USA AUS CAN GBR")

# the rule that refuses it ("" where it is accepted), portions, the banner, what ours says of it
REFUSED: dict[str, tuple[list[Mark], Mark, set[tuple[str, str]]]] = {
    "00059-a-top-secret-portion-in-a-secret-document": ([TS, S], S, {("missing", "TOP SECRET")}),
    "00060-si-dropped": ([us("S", "SCI SI", "DISSEM NOFORN"), NF], NF, {("missing", "SI")}),
    "00070-noforn-dropped": ([NF, S], S, {("missing", "NOFORN")}),
    "00088-an-unmarked-portion-under-rel": (
        [FVEY, S],
        FVEY,
        {("unfounded", "REL USA, FVEY"), ("missing", "NOFORN")},
    ),
    "00318-rel-wider-than-what-is-common": (
        [FVEY, us("S", "REL USA GBR")],
        FVEY,
        {("unfounded", "REL USA, FVEY"), ("missing", "REL USA, GBR")},
    ),
    "00320-rel-narrower-than-what-is-common": (
        [FVEY, ACGU],
        us("S", "REL USA GBR"),
        {("unfounded", "REL USA, GBR"), ("missing", "REL USA, AUS, CAN, GBR")},
    ),
}
ACCEPTED: dict[str, tuple[list[Mark], Mark]] = {
    "fvey-expanded": ([FVEY, ACGU], ACGU),
    "fvey-and-its-members": ([FVEY, FVEY], us("S", "REL USA AUS CAN GBR NZL")),
    "the-highest-level": ([TS, S], TS),
    "noforn-over-all": ([NF, FVEY, us("U")], NF),
}


@pytest.mark.parametrize(("portions", "banner", "says"), REFUSED.values(), ids=REFUSED)
def test_a_banner_that_the_rules_refuse_is_not_ours(
    portions: list[Mark], banner: Mark, says: set[tuple[str, str]]
) -> None:
    rolled = roll_up(POLICIES, portions, stated=[banner])
    assert rolled.mark != banner
    assert {(each.effect, each.control) for each in rolled.reasons if each.rule == "stated"} == says


@pytest.mark.parametrize(("portions", "banner"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_banner_that_the_rules_accept_is_ours(portions: list[Mark], banner: Mark) -> None:
    rolled = roll_up(POLICIES, portions, stated=[banner])
    assert [each for each in rolled.reasons if each.rule == "stated"] == []
