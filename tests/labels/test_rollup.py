"""roll_up: policy by policy, the document's own banner, compilation, and the label that loses nothing."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError
from casemate.labels import PACKAGED, Mark, Policies, Rolled, roll_up
from tests.labels.rollup_model import us

POLICIES = Policies.load(PACKAGED, ['teams = ["PAYROLL", "RED-TEAM"]'])
S, TS, FVEY = us("S"), us("TS"), us("S", "REL USA FVEY")


def marks(*texts: str) -> list[Mark]:
    """Each text as its own policy reads it: "nato:NATO SECRET"."""
    found = []
    for text in texts:
        policy, _, words = text.partition(":")
        (parsed,) = [each for each in POLICIES.parse_mark(words, "any") if each.mark.policy == policy]
        found.append(parsed.mark)
    return found


def written(rolled: Rolled) -> str:
    return " + ".join(POLICIES.render(mark) for mark in rolled.marks)


def stated(rolled: Rolled) -> list[tuple[str, str]]:
    return [(each.effect, each.control) for each in rolled.reasons if each.rule == "stated"]


PLAIN: dict[str, tuple[list[str], str, str]] = {
    "house": (
        ["house:INTERNAL//PAYROLL", "house:CONFIDENTIAL//RED-TEAM"],
        "CONFIDENTIAL//PAYROLL/RED-TEAM",
        "house:CONFIDENTIAL//TEAM=PAYROLL,RED-TEAM",
    ),
    "tlp": (["tlp:TLP:GREEN", "tlp:TLP:AMBER+STRICT", "tlp:TLP:CLEAR"], "TLP:AMBER+STRICT", "tlp:AMBER+STRICT"),
    "nato": (
        ["nato:NATO SECRET//ATOMAL", "nato:NATO RESTRICTED"],
        "NATO SECRET//ATOMAL",
        "nato:NATO SECRET//REL=NATO//SAP=ATOMAL",
    ),
    "nato-releasable": (
        ["nato:NATO SECRET Releasable to Japan, Sweden", "nato:NATO CONFIDENTIAL Releasable to Sweden"],
        "NATO SECRET Releasable to Sweden",
        "nato:NATO SECRET//REL=NATO,SWE",
    ),
    "fr": (
        ["fr:SECRET - SPÉCIAL FRANCE", "fr:DIFFUSION RESTREINTE"],
        "SECRET//SPÉCIAL FRANCE",
        "fr:SECRET//MENTION=DR//NATIONALITY=FRA",
    ),
}


@pytest.mark.parametrize(("texts", "banner", "label"), PLAIN.values(), ids=PLAIN)
def test_another_policy_rolls_up_by_its_join(texts: list[str], banner: str, label: str) -> None:
    rolled = roll_up(POLICIES, marks(*texts))
    assert written(rolled) == banner
    assert rolled.label.text == label
    levels = [each for each in rolled.reasons if each.rule == "level"]
    assert [each.control for each in levels] == [rolled.mark.level]
    assert {each.policy for each in rolled.reasons} == {rolled.mark.policy}


def test_what_another_policy_leaves_unwritten_is_told() -> None:
    rolled = roll_up(POLICIES, marks("fr:SECRET", "fr:DIFFUSION RESTREINTE"))
    assert ("superseded", "taken", "DR", (1,)) in {(e.rule, e.effect, e.control, e.portions) for e in rolled.reasons}


def test_what_only_some_portions_release_is_told() -> None:
    rolled = roll_up(
        POLICIES, marks("nato:NATO SECRET Releasable to Japan, Sweden", "nato:NATO SECRET Releasable to Sweden")
    )
    told = {(each.rule, each.effect, each.control): each.portions for each in rolled.reasons}
    assert told["common", "taken", "JPN"] == (0,)
    assert told["common", "put", "SWE"] == (0, 1)


def test_a_name_that_no_site_declares_stands_in_the_banner() -> None:
    rolled = roll_up(
        POLICIES, [Mark("house", "INTERNAL", (("TEAM", ("NEWCOMERS",)),)), *marks("house:PUBLIC//PAYROLL")]
    )
    assert rolled.mark.of("TEAM") == ("NEWCOMERS", "PAYROLL")
    assert rolled.label.text == "house:INTERNAL//TEAM=PAYROLL"
    programme = roll_up(POLICIES, [us("S", "SAR BP BP-J12"), us("TS", "SAR XR")])
    assert POLICIES.render(programme.mark) == "TOP SECRET//SAR-BP-J12/XR"


def test_several_policies_are_rolled_up_each_by_its_own_rules() -> None:
    portions = [FVEY, *marks("nato:NATO SECRET", "tlp:TLP:RED"), us("U"), *marks("nato:NATO UNCLASSIFIED")]
    rolled = roll_up(POLICIES, portions)
    assert [mark.policy for mark in rolled.marks] == [name for name in POLICIES.names if name in ("tlp", "us", "nato")]
    assert written(rolled) == "TLP:RED + SECRET//REL TO USA, FVEY + NATO SECRET"
    assert {name for name, _ in rolled.label.elements} == {"tlp", "us", "nato"}
    assert {each.policy: each.portions for each in rolled.reasons if each.rule == "level"} == {
        "tlp": (2,),
        "us": (0,),
        "nato": (1,),
    }
    with pytest.raises(ValueError, match="too many values"):
        rolled.mark  # noqa: B018 - it is the reading that raises


def test_nato_inside_a_united_states_document_keeps_its_own_element() -> None:
    rolled = roll_up(POLICIES, [FVEY, us("TS", "NONUS BOHEMIA", "REL USA NATO", owners="NATO")])
    assert written(rolled) == "TOP SECRET//BOHEMIA//FGI NATO//NOFORN"
    assert dict(rolled.label.elements)["nato"].level_name == "COSMIC TOP SECRET"


def test_what_a_portion_leaves_to_the_banner_is_named() -> None:
    """H.8, REL TO, derivative use, p. 151: "REL" is carried forward with the codes of the document's own banner."""
    short, joint = us("S", "REL SAME"), us("S", "REL SAME", owners="JOINT")
    stated = us("S", "REL USA GBR", owners="GBR USA")
    rolled = roll_up(POLICIES, [short, joint, S], stated=[stated])
    assert rolled.meant(short) == us("S", "REL USA GBR")
    assert rolled.meant(joint) == stated
    assert rolled.meant(S) == S


def test_what_no_banner_names_stays_unnamed() -> None:
    """ "REL TO USA" is no marking (H.8, REL TO, p. 151): to nobody is how it counts, and not what it says."""
    short = us("S", "REL SAME")
    rolled = roll_up(POLICIES, [short], stated=[S])
    assert rolled.meant(short) == short
    assert roll_up(POLICIES, [short]).left == ()


def test_nothing_rolls_up_to_nothing() -> None:
    rolled = roll_up(POLICIES, [])
    assert rolled == Rolled((), POLICIES.bottom(), ())
    with pytest.raises(ValueError, match="not enough values"):
        rolled.mark  # noqa: B018 - it is the reading that raises


@pytest.mark.parametrize("where", ["portion", "banner"])
def test_a_mark_of_a_policy_that_is_not_listed_is_refused(where: str) -> None:
    stranger = Mark("acme", "HIGH")
    with pytest.raises(MarkingError):
        roll_up(POLICIES, [stranger] if where == "portion" else [], stated=[] if where == "portion" else [stranger])


# --- the banner that the document bears


def test_a_banner_that_says_what_its_portions_give_gives_no_reason() -> None:
    rolled = roll_up(POLICIES, [S, us("U", "DISSEM FOUO")], stated=[S])
    assert stated(rolled) == []


def test_a_banner_above_its_portions_is_unfounded_and_the_label_holds_it() -> None:
    above = us("TS", "SCI SI", "DISSEM NOFORN")
    rolled = roll_up(POLICIES, [FVEY], stated=[above])
    assert rolled.mark == FVEY
    assert stated(rolled) == [
        ("unfounded", "TOP SECRET"),
        ("unfounded", "SI"),
        ("unfounded", "NOFORN"),
        ("missing", "REL USA, FVEY"),
    ]
    assert rolled.label.text == "us:TOP SECRET//REL=USA//SCI=SI"


def test_compilation_is_followed_only_with_its_reason() -> None:
    above = us("TS", "SCI SI", "DISSEM NOFORN")
    rolled = roll_up(POLICIES, [FVEY, S], stated=[above], compilation="together they show the network's extent")
    assert rolled.mark == above
    assert stated(rolled) == []
    told = [(each.control, each.paragraph) for each in rolled.reasons if each.rule == "compilation"]
    assert told == [(control, "D.2, first point, p. 28; 32 CFR 2001.13(c)") for control in ("TOP SECRET", "SI")]


def test_compilation_lowers_nothing() -> None:
    rolled = roll_up(POLICIES, [TS, us("S", "SCI TK")], stated=[us("S", "SCI SI")], compilation="the list as a whole")
    assert rolled.mark == us("TS", "SCI SI TK")
    assert stated(rolled) == [("missing", "TOP SECRET"), ("missing", "TK")]


def test_a_banner_over_unmarked_text() -> None:
    """No portion gives anything: the label holds the banner, and only a reason of compilation makes it the roll-up."""
    bare = roll_up(POLICIES, [], stated=[TS])
    assert (bare.marks, bare.label.text) == ((), "us:TOP SECRET//REL=USA")
    reasoned = roll_up(POLICIES, [], stated=[TS], compilation="the list as a whole")
    assert reasoned.mark == TS
    assert ("compilation", "TOP SECRET") in {(each.rule, each.control) for each in reasoned.reasons}


def test_a_banner_of_another_policy_is_compared_too() -> None:
    high, low = marks("tlp:TLP:RED", "tlp:TLP:GREEN")
    assert stated(roll_up(POLICIES, [low], stated=[high])) == [("unfounded", "RED")]
    assert stated(roll_up(POLICIES, [high], stated=[low])) == [("missing", "RED")]
    both = roll_up(POLICIES, [low], stated=[high], compilation="together they name the victim")
    assert both.mark == high
    (told,) = [each for each in both.reasons if each.rule == "compilation"]
    assert (told.control, told.policy, told.paragraph) == ("RED", "tlp", POLICIES.listed["tlp"].source)


def test_the_owner_of_a_banner_is_compared() -> None:
    rolled = roll_up(POLICIES, [us("S", owners="DEU"), S], stated=[us("S", owners="DEU")])
    assert stated(rolled) == [("unfounded", "DEU"), ("missing", "DEU")]  # as the owner; as a source


# --- what a portion leaves to the banner


def test_rel_alone_means_what_the_banner_says() -> None:
    same = us("S", "REL SAME")
    rolled = roll_up(POLICIES, [us("S", "REL USA JPN NZL"), same], stated=[us("S", "REL USA NZL")])
    assert rolled.mark == us("S", "REL USA NZL")
    assert rolled.label.text == "us:SECRET//REL=NZL,USA"


@pytest.mark.parametrize("said", ["REL", "EYES"])
def test_a_list_that_the_banner_does_not_say_releases_nothing(said: str) -> None:
    for banner in ([], [us("S", "DISSEM NOFORN")]):
        rolled = roll_up(POLICIES, [us("S", f"{said} SAME")], stated=banner)
        assert rolled.mark == us("S", "DISSEM NOFORN")
        assert rolled.label.text == "us:SECRET//REL=USA"


def test_eyes_alone_means_what_the_banner_says() -> None:
    rolled = roll_up(
        POLICIES, [us("TS", "EYES SAME"), us("S", "DISSEM IMCON", "EYES SAME")], stated=[us("TS", "EYES USA CAN GBR")]
    )
    assert rolled.mark == us("TS", "DISSEM IMCON", "EYES USA CAN GBR")


def test_joint_alone_is_owned_by_those_that_the_banner_names() -> None:
    portion, banner = us("S", "REL SAME", owners="JOINT"), us("S", "REL USA GBR", owners="GBR USA")
    assert roll_up(POLICIES, [portion], stated=[banner]).mark == banner
    unknown = roll_up(POLICIES, [portion], stated=[us("S", "REL USA GBR")])
    assert unknown.mark == us("S", "FGI FGI", "REL USA GBR")  # whose it is, nobody says: the source is not named
    assert roll_up(POLICIES, [us("S", "REL USA GBR", owners="JOINT")]).mark.of("FGI") == ("FGI",)
