"""Table 3 of section D.2, row by row: what the portions say, and the release marking of the banner.

Each case is named after its row and page. The four that other implementations leave out (17, 23, 26, 27) stand with
every condition that the table puts on them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.labels import Mark, Policies, roll_up
from tests.labels.rollup_model import us

POLICIES = Policies.load(["us"])
NOFORN = ("DISSEM NOFORN",)

NF, NONE, RELIDO = us("S", "DISSEM NOFORN"), us("S"), us("S", "DISSEM RELIDO")
JPN, NZL, BOTH = us("S", "REL USA JPN"), us("S", "REL USA NZL"), us("S", "REL USA JPN NZL")
SBU, LES = us("U", "NONIC SBU-NF"), us("U", "NONIC LES-NF")
IRQ, AFG, SEEN = us("S", "DISPLAY IRQ"), us("S", "DISPLAY AFG"), us("S", "DISPLAY AFG IRQ")
EYES_GBR, EYES_BOTH = us("TS", "EYES USA GBR"), us("TS", "EYES USA CAN GBR")
CAN = us("S", "REL USA CAN")
REL_RELIDO = us("S", "REL USA JPN", "DISSEM RELIDO")
MIXED = us("S", "REL USA IRQ", "DISPLAY AFG")

# row, page, case, portions, what the banner says
ROWS: list[tuple[int, int, str, list[Mark], tuple[str, ...]]] = [
    (1, 28, "nf-unmarked", [NF, NONE], NOFORN),
    (2, 28, "nf-rel", [NF, JPN], NOFORN),
    (2, 28, "nf-relido", [NF, RELIDO], NOFORN),
    (2, 28, "nf-eyes", [NF, EYES_GBR], NOFORN),
    (2, 28, "nf-display", [NF, IRQ], NOFORN),
    (3, 28, "nf-sbu-nf", [NF, SBU], NOFORN),
    (3, 28, "nf-sbu-nf-unclassified", [us("U", "DISSEM NOFORN"), SBU], (*NOFORN, "NONIC SBU")),
    (4, 28, "unmarked-sbu-nf", [NONE, SBU], NOFORN),
    (5, 28, "mixture-sbu-nf", [JPN, RELIDO, SBU], NOFORN),
    (6, 28, "nf-les-nf", [NF, LES], (*NOFORN, "NONIC LES")),
    (7, 28, "unmarked-les-nf", [NONE, LES], (*NOFORN, "NONIC LES")),
    (8, 28, "mixture-les-nf", [IRQ, RELIDO, LES], (*NOFORN, "NONIC LES")),
    (9, 29, "rel-rel-apart", [JPN, NZL], NOFORN),
    (10, 29, "rel-relido", [JPN, RELIDO], NOFORN),
    (11, 29, "rel-display-apart", [JPN, IRQ], NOFORN),
    (12, 29, "rel-relido-unmarked", [REL_RELIDO, NONE], NOFORN),
    (13, 29, "rel-eyes-apart", [JPN, EYES_GBR], NOFORN),
    (14, 29, "rel-sbu-nf", [JPN, SBU], NOFORN),
    (14, 29, "rel-sbu-nf-unclassified", [us("U", "REL USA FVEY"), SBU], (*NOFORN, "NONIC SBU")),
    (15, 29, "rel-les-nf", [JPN, LES], (*NOFORN, "NONIC LES")),
    (16, 29, "rel-unmarked", [JPN, NONE], NOFORN),
    (17, 29, "relido-unmarked-of-unknown-date", [RELIDO, NONE], NOFORN),
    (18, 29, "relido-display", [RELIDO, IRQ], NOFORN),
    (19, 29, "display-unmarked", [IRQ, NONE], NOFORN),
    (20, 29, "display-display-apart", [IRQ, AFG], NOFORN),
    (21, 29, "rel-rel-common", [BOTH, NZL], ("REL USA NZL",)),
    (21, 29, "rel-rel-common-group", [us("S", "REL USA FVEY NATO")] * 2, ("REL USA FVEY NATO",)),
    (22, 29, "rel-eyes-common", [CAN, EYES_BOTH], ("REL USA CAN",)),
    (23, 29, "fvey-rel", [us("S", "REL USA FVEY"), us("S", "REL USA GBR JPN")], ("REL USA GBR",)),
    (23, 29, "acgu-rel", [us("S", "REL USA ACGU"), us("S", "REL USA CAN")], ("REL USA CAN",)),
    (23, 29, "fvey-acgu", [us("S", "REL USA FVEY"), us("S", "REL USA ACGU")], ("REL USA AUS CAN GBR",)),
    (24, 29, "relido-relido", [RELIDO, us("TS", "DISSEM RELIDO")], ("DISSEM RELIDO",)),
    (25, 29, "display-display-common", [AFG, SEEN], ("DISPLAY AFG",)),
    (26, 30, "display-rel-common", [us("S", "REL USA IRQ"), IRQ], ("DISPLAY IRQ",)),
    (27, 30, "rel-display-twice", [MIXED, us("TS", "REL USA IRQ JPN", "DISPLAY AFG")], ("REL USA IRQ", "DISPLAY AFG")),
    (
        27,
        30,
        "released-so-displayed",
        [MIXED, us("S", "REL USA AFG IRQ", "DISPLAY PAK")],
        ("REL USA IRQ", "DISPLAY AFG"),
    ),
]
CASES = [pytest.param(*row, id=f"row-{row[0]}-{row[2]}") for row in ROWS]


def test_every_row_of_the_table_has_a_case() -> None:
    assert {row[0] for row in ROWS} == set(range(1, 28))


@pytest.mark.parametrize(("number", "page", "case", "portions", "says"), CASES)
def test_a_row_gives_its_banner_and_its_reason(
    number: int, page: int, case: str, portions: list[Mark], says: tuple[str, ...]
) -> None:
    for order in (portions, portions[::-1]):
        rolled = roll_up(POLICIES, order)
        assert rolled.mark.values == us("TS", *says).values
        reasons = {reason.rule: reason for reason in rolled.reasons if reason.effect == "put"}
        reason = reasons[f"table-3-row-{number}"]
        assert reason.paragraph == f"D.2, Table 3, row {number}, p. {page}"
        assert set(reason.portions) <= set(range(len(portions)))
        assert len(reason.portions) >= 2


UNMARKED = {
    "uncaveated": (us("S"), True),
    "compartments-are-no-caveat": (us("TS", "SCI SI"), True),
    "a-programme": (us("S", "SAR BP"), False),
    "atomic-energy": (us("S", "AEA RD"), False),
    "a-dissemination-control": (us("S", "DISSEM ORCON"), False),
    "another-agency's-control": (us("S", "NONIC LES"), False),
    "another-nation's": (us("S", owners="DEU"), False),
    "another-nation's-inside": (us("S", "FGI DEU"), False),
}


@pytest.mark.parametrize(("unmarked", "relido"), UNMARKED.values(), ids=UNMARKED)
def test_row_17_asks_for_date_and_caveats(unmarked: Mark, relido: bool) -> None:
    """Table 2: RELIDO for what is uncaveated and of 28 June 2010 or later, NOFORN for all else."""
    late = roll_up(POLICIES, [RELIDO, unmarked], recent=True)
    early = roll_up(POLICIES, [RELIDO, unmarked])
    release = {"NOFORN", "RELIDO"}
    assert release & set(early.mark.of("DISSEM")) == {"NOFORN"}
    assert release & set(late.mark.of("DISSEM")) == ({"RELIDO"} if relido else {"NOFORN"})
    assert "table-3-row-17" in {reason.rule for reason in late.reasons}
    assert ("recent" in {reason.rule for reason in late.reasons}) == relido


def test_row_12_holds_whatever_the_date() -> None:
    rolled = roll_up(POLICIES, [REL_RELIDO, NONE, RELIDO], recent=True)
    assert rolled.mark.of("DISSEM") == ("NOFORN",)


def test_row_23_expands_a_group_only_where_the_policy_gives_its_members() -> None:
    """The manual names TEYE and does not print its members: a site that has them gives them."""
    portions = [us("S", "REL USA TEYE"), us("S", "REL USA GBR JPN")]
    assert roll_up(POLICIES, portions).mark.of("DISSEM") == ("NOFORN",)
    policy = POLICIES.listed["us"]
    rel = policy.by_name["REL"]
    known = replace(rel, expand={**rel.expand, "TEYE": frozenset({"USA", "AUS", "GBR"})})
    site = replace(policy, categories=tuple(known if each is rel else each for each in policy.categories))
    assert roll_up(Policies([site]), portions).mark.of("REL") == ("USA", "GBR")


def test_row_26_does_not_show_what_is_only_releasable_elsewhere() -> None:
    rolled = roll_up(POLICIES, [us("S", "REL USA AFG IRQ"), IRQ])
    assert rolled.mark.values == us("S", "DISPLAY IRQ").values


def test_row_27_needs_both_lists() -> None:
    """Only the lists that have something in common are left; where neither has, NOFORN (H.8, example 6, p. 167)."""
    other = us("S", "REL USA GBR", "DISPLAY PAK")
    assert roll_up(POLICIES, [MIXED, other]).mark.values == us("S", *NOFORN).values
    same_list = us("S", "REL USA IRQ", "DISPLAY PAK")
    assert roll_up(POLICIES, [MIXED, same_list]).mark.values == us("S", "REL USA IRQ").values
    same_sight = us("S", "REL USA GBR", "DISPLAY AFG")
    assert roll_up(POLICIES, [MIXED, same_sight]).mark.values == us("S", "DISPLAY AFG").values


def test_what_the_templates_show_beyond_the_table() -> None:
    relido = roll_up(POLICIES, [RELIDO, us("S", "REL USA AUS CAN", "DISSEM RELIDO")])
    assert relido.mark.values == us("S", "DISSEM RELIDO").values
    assert "relido-in-all" in {reason.rule for reason in relido.reasons}
    assert ("taken", "REL") in {(reason.effect, reason.control) for reason in relido.reasons}
    both = roll_up(POLICIES, [us("S", "REL USA FVEY", "DISSEM RELIDO")] * 2)
    assert both.mark.values == us("S", "DISSEM RELIDO", "REL USA FVEY").values
    eyes = roll_up(POLICIES, [EYES_BOTH, EYES_GBR])
    assert eyes.mark.values == us("TS", "EYES USA GBR").values
