"""Policies: a label read from its text and from markings, and written as both."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import Element, Label, Policies, make_label
from casemate.labels.colour import contrast, legible
from casemate.labels.label import _bits
from tests.labels.worlds import ALL, MARKS, labels, marked


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("bottom", "bottom"),
        ("PUBLIC", "bottom"),
        ("NON PROTÉGÉ", "bottom"),
        ("house:confidential", "house:CONFIDENTIAL"),
        ("us:CONFIDENTIAL", "us:CONFIDENTIAL//REL=USA"),
        ("us:S//NF", "us:SECRET//REL=USA"),
        ("(S//NF)", "us:SECRET//REL=USA"),
        ("S//NF", "us:SECRET//REL=USA"),
        ("secret//rel to usa, fra", "us:SECRET//REL=FRA,USA"),
        ("  TOP   SECRET//SI/TK//ORCON/NOFORN ", "us:TOP SECRET//DISSEM=ORCON//REL=USA//SCI=SI,TK"),
        ("SECRET//REL TO USA, FVEY", "us:SECRET//REL=AUS,CAN,GBR,NZL,USA"),
        ("SECRET//REL TO USA, ACGU", "us:SECRET//REL=AUS,CAN,GBR,USA"),
        ("SECRET//REL TO USA, TEYE", "us:SECRET//REL=TEYE,USA"),
        ("TOP SECRET//SI-GAMMA ABCD//ORCON", "us:TOP SECRET//DISSEM=ORCON//REL=USA//SCI=SI,SI-G,SI-G-ABCD"),
        ("SECRET//TALENT KEYHOLE", "us:SECRET//REL=USA//SCI=TK"),
        ("tlp:amber+strict", "tlp:AMBER+STRICT"),
        ("tlp:TLP:RED", "tlp:RED"),
        ("NS", "nato:NATO SECRET//REL=NATO"),
        ("//NATO SECRET", "nato:NATO SECRET//REL=NATO"),
        ("NATO CONFIDENTIEL", "nato:NATO CONFIDENTIAL//REL=NATO"),
        ("TRES SECRET", "fr:TRÈS SECRET"),
        ("SECRET SPÉCIAL FRANCE", "fr:SECRET//NATIONALITY=FRA"),
        ("SECRET - SPÉCIAL FRANCE", "fr:SECRET//NATIONALITY=FRA"),
        ("(FR-DR//SF)", "fr:NON PROTÉGÉ//MENTION=DR//NATIONALITY=FRA"),
        ("SECRET//NOFORN + NATO SECRET", "nato:NATO SECRET//REL=NATO + us:SECRET//REL=USA"),
        ("(S//NF + NS)", "nato:NATO SECRET//REL=NATO + us:SECRET//REL=USA"),
        ("agency=EXERCISE + house:INTERNAL + tlp:GREEN", "agency=EXERCISE + house:INTERNAL + tlp:GREEN"),
        ("us:SECRET//REL=", "us:SECRET//REL="),
        ("us:SECRET//SCI=SI", "us:SECRET//REL=USA//SCI=SI"),
        ("SECRET//RELIDO", "us:SECRET//REL=USA"),
        ("SECRET//DISPLAY ONLY AFG", "us:SECRET//REL=USA"),
        ("SECRET//USA/CAN/GBR EYES ONLY", "us:SECRET//REL=CAN,GBR,USA"),
        ("SECRET//FGI DEU GBR//REL TO USA, GBR", "us:SECRET//FGI=FGI//REL=GBR,USA"),
        ("SECRET//FGI NATO//NOFORN", "nato:NATO RESTRICTED//REL=NATO + us:SECRET//FGI=FGI//REL=USA"),
        ("SECRET//RD/ATOMAL//NOFORN", "nato:NATO SECRET//REL=NATO//SAP=ATOMAL + us:SECRET//AEA=RD//REL=USA"),
        ("TOP SECRET//RD-CNWDI-SIGMA 14//NOFORN", "us:TOP SECRET//AEA=RD,RD-CNWDI,RD-SG-14//REL=USA"),
        ("//AUS SECRET", "us:SECRET//FGI=FGI//REL=USA"),
        ("//DEU RESTRICTED", "us:CONFIDENTIAL//FGI=FGI//REL=USA"),
        ("(//FGI TS//NF)", "us:TOP SECRET//FGI=FGI//REL=USA"),
        ("(//JOINT S AUS USA//REL TO USA, AUS)", "us:SECRET//FGI=FGI//REL=AUS,USA"),
        (
            "(//CTS//BOHEMIA//REL TO USA, NATO)",
            "nato:COSMIC TOP SECRET//REL=NATO//SAP=BOHEMIA + us:UNCLASSIFIED//REL=NATO,USA",
        ),
        ("UNCLASSIFIED//SBU NOFORN", "us:UNCLASSIFIED//NONIC=SBU-NF//REL=USA"),
        ("us:TOP SECRET//SCI=SI-G//REL=USA", "us:TOP SECRET//REL=USA//SCI=SI,SI-G"),
    ],
)
def test_parse(text: str, canonical: str) -> None:
    label = ALL.parse(text)
    assert label.text == canonical
    assert ALL.parse(canonical) is label


def test_parse_adds_agencies_and_never_takes_one_away() -> None:
    assert ALL.parse("agency=ALPHA + house:INTERNAL", ["EXERCISE"]).agencies == {"ALPHA", "EXERCISE"}
    assert ALL.bottom(["EXERCISE"]).text == "agency=EXERCISE"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SECRET", "ambiguous: us:SECRET, fr:SECRET"),
        ("CONFIDENTIAL", "ambiguous: house:CONFIDENTIAL, us:CONFIDENTIAL"),
        ("BANANA", "no known marking"),
        ("", "no known marking"),
        ("()", "no known marking"),
        ("SECRET//BANANA", "unknown control BANANA"),
        ("SECRET//", "an empty section"),
        ("SECRET//FOUO", "FOUO is not used with SECRET"),
        ("UNCLASSIFIED//ORCON", "ORCON is not used with UNCLASSIFIED"),
        ("UNCLASSIFIED//SI", "SI is not used with UNCLASSIFIED"),
        ("SECRET//SI-G//ORCON", "SI-G is not used with SECRET"),
        ("TOP SECRET//SI-G", "SI-G requires ORCON"),
        ("SECRET//HCS-O//NOFORN", "HCS-O requires ORCON"),
        ("SECRET//HCS-P//REL TO USA, GBR", "HCS-P requires NOFORN"),
        ("SECRET//NOFORN/REL TO USA, FRA", "NOFORN contradicts a list of recipients"),
        ("SECRET//REL TO USA, FRA/REL TO USA, GBR", "two lists of recipients"),
        ("SECRET//REL TO FRA, USA", "USA is not the first recipient"),
        ("SECRET//REL TO USA", "no recipient but USA"),
        ("SECRET//REL TO USA, ATLANTIS", "unknown recipient in USA, ATLANTIS"),
        ("SECRET//REL", "REL alone does not say to whom"),
        ("SECRET//RELIDO/NOFORN", "RELIDO contradicts NOFORN"),
        ("SECRET//ORCON/RELIDO", "ORCON contradicts RELIDO"),
        ("SECRET//ABC", "unknown control ABC: no site declares it"),
        ("SECRET//SAR-BP//NOFORN", "unknown control BP: no site declares it"),
        ("us://JOINT S//REL", "JOINT alone does not say whose"),
        ("us:S//EYES", "EYES alone does not say to whom"),
        ("us:SECRET//FGI NATO", "a mark of another policy too"),
        ("COSMIC TOP SECRET Releasable to Japan", "JPN is not used with COSMIC TOP SECRET"),
        ("fr:SECRET//DIFFUSION RESTREINTE", "DR is not used with SECRET"),
        ("SECRET DÉFENSE", "SECRET DÉFENSE is a withdrawn marking"),
        ("//XYZ SECRET", "unknown recipient in XYZ"),
        ("SECRET NOFORN", "not separated by //"),
        ("us:SECRET + us:CONFIDENTIAL", "two marks of the policy us"),
        ("SECRET//NOFORN + TOP SECRET//SI", "two marks of the policy us"),
        ("mars:SECRET", "no policy mars"),
        ("us:BANANA", "no known marking"),
        ("us:SECRET//BANANA", "unknown control"),
        ("us:SECRET//SCI=XX", "not a label of the policy us"),
        ("us:SECRET//SCI=", "not a label of the policy us"),
        ("us:SECRET//NO=X", "not a label of the policy us"),
        ("us:NOTHING//SCI=SI", "not a label of the policy us"),
        ("us:SECRET//SCI=SI//SCI=TK", "not a label of the policy us"),
        ("us:SECRET//REL=FRA", "not a label of the policy us"),
        ("agency=lower", "not the name of an agency"),
        ("SECRЕT//NOFORN", "hides or imitates"),
        ("TOP\u200b SECRET", "hides or imitates"),
        ("x" * 2000, "longer than a mark"),
        ("x" * 20000, "longer than a label"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(MarkingError) as caught:
        ALL.parse(text)
    assert why in str(caught.value.facts["why"])


def test_an_unlisted_policy_is_named() -> None:
    with pytest.raises(MarkingError) as caught:
        Policies.load(["house"]).parse("us:SECRET")
    assert caught.value.facts["why"] == "unlisted:us"
    with pytest.raises(MarkingError) as caught:
        Policies.load(["house"]).parse("SECRET//NOFORN")
    assert caught.value.facts["why"] == "unlisted:us"


@pytest.mark.parametrize(
    ("text", "banner", "portion"),
    [
        ("us:SECRET", "SECRET//NOFORN", "(S//NF)"),
        ("SECRET//REL TO USA, FRA", "SECRET//REL TO USA, FRA", "(S//REL TO USA, FRA)"),
        ("us:SECRET//REL=", "SECRET//NOFORN", "(S//NF)"),
        (
            "SECRET//REL TO USA, ISAF, GBR, NATO, AUS",
            "SECRET//REL TO USA, AUS, GBR, ISAF, NATO",
            "(S//REL TO USA, AUS, GBR, ISAF, NATO)",
        ),
        ("UNCLASSIFIED//NOFORN", "UNCLASSIFIED//NOFORN", "(U//NF)"),
        ("UNCLASSIFIED//FOUO", "UNCLASSIFIED//FOUO", "(U//FOUO)"),
        ("us:UNCLASSIFIED//DISSEM=FOUO,PROPIN", "UNCLASSIFIED//PROPIN", "(U//PR)"),
        ("us:SECRET//DISSEM=FOUO//REL=USA", "SECRET//NOFORN", "(S//NF)"),
        ("SECRET//PROPIN/NOFORN", "SECRET//NOFORN/PROPIN", "(S//NF/PR)"),
        ("SECRET//REL TO USA, JPN/PROPIN", "SECRET//PROPIN/REL TO USA, JPN", "(S//PR/REL TO USA, JPN)"),
        (
            "TOP SECRET//TK/SI-ABC-G ACDE ABCD//ORCON/NOFORN",
            "TOP SECRET//SI-ABC-G ABCD ACDE/TK//ORCON/NOFORN",
            "(TS//SI-ABC-G ABCD ACDE/TK//OC/NF)",
        ),
        ("DIFFUSION RESTREINTE", "DIFFUSION RESTREINTE", "(FR-DR)"),
        ("SPÉCIAL FRANCE", "NON PROTÉGÉ//SPÉCIAL FRANCE", "(FR-NP//SF)"),
        ("fr:SECRET//MENTION=DR", "SECRET", "(FR-S)"),
        ("TRÈS SECRET//SPÉCIAL FRANCE", "TRÈS SECRET//SPÉCIAL FRANCE", "(FR-TS//SF)"),
        (
            "NATO RESTRICTED Releasable to Ukraine, Japan, Switzerland",
            "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine",
            "(NR//REL JPN, CHE, UKR)",
        ),
        (
            "COSMIC TOP SECRET//BOHEMIA/ATOMAL",
            "COSMIC TOP SECRET//ATOMAL/BOHEMIA",
            "(CTS//ATOMAL/BOHEMIA)",
        ),
        ("RESTRICTED//RED-TEAM/PAYROLL", "RESTRICTED//PAYROLL/RED-TEAM", "(RESTRICTED//PAYROLL/RED-TEAM)"),
        ("TLP:AMBER+STRICT", "TLP:AMBER+STRICT", "(TLP:AMBER+STRICT)"),
        ("bottom", "PUBLIC", "(PUBLIC)"),
        ("us:SECRET + INTERNAL", "INTERNAL + SECRET//NOFORN", "(INTERNAL + S//NF)"),
    ],
)
def test_banner_and_portion(text: str, banner: str, portion: str) -> None:
    label = ALL.parse(text, ["EXERCISE"])
    assert ALL.banner(label) == banner
    assert ALL.portion(label) == portion


def test_banner_in_french_where_the_policy_has_french() -> None:
    assert ALL.banner(ALL.parse("house:CONFIDENTIAL"), "fr") == "CONFIDENTIEL"
    assert ALL.banner(ALL.parse("NATO RESTRICTED Releasable to Japan"), "fr") == (
        "NATO DIFFUSION RESTREINTE Communicable a Japon"
    )
    assert ALL.banner(ALL.parse("us:SECRET"), "fr") == "SECRET//NOFORN"
    assert ALL.parse("NATO DIFFUSION RESTREINTE Communicable à Japon") is ALL.parse("NR//REL JPN")


def test_a_label_of_a_policy_that_is_not_listed_is_still_written() -> None:
    house = Policies.load(["house"])
    assert house.banner(ALL.parse("us:SECRET")) == "us:SECRET//REL=USA"
    assert house.portion(ALL.parse("us:SECRET + INTERNAL")) == "(INTERNAL + us:SECRET//REL=USA)"
    assert house.banner(ALL.parse("INTERNAL//PAYROLL")) == "house:INTERNAL//TEAM=PAYROLL"
    assert house.banner(make_label({"house": Element(9, "COSMIC")})) == "house:COSMIC"
    assert house.colour(ALL.parse("us:SECRET")) == house.listed["house"].levels[0].colour
    assert house.colour(make_label({"house": Element(9, "COSMIC")})) == house.listed["house"].levels[0].colour


def test_colour_is_that_of_the_highest_level() -> None:
    assert ALL.colour(ALL.bottom()) == ALL.listed["house"].levels[0].colour
    assert ALL.colour(ALL.parse("us:CONFIDENTIAL")) == ALL.listed["us"].levels[1].colour
    assert ALL.colour(ALL.parse("us:CONFIDENTIAL + TLP:RED")) == ALL.listed["tlp"].levels[4].colour
    assert ALL.colour(ALL.parse("TLP:RED + house:INTERNAL")) == ALL.listed["tlp"].levels[4].colour


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert legible("#000000", "#ffffff") == ("#000000", "#ffffff")


def test_a_clearance_covers_what_its_marking_leaves_unwritten() -> None:
    officer = ALL.clearance("SECRET//NOFORN")
    assert ALL.parse("UNCLASSIFIED//FOUO") <= officer
    assert not ALL.parse("UNCLASSIFIED//FOUO") <= ALL.parse("SECRET//NOFORN")
    assert ALL.banner(officer) == "SECRET//NOFORN"
    assert ALL.parse("DIFFUSION RESTREINTE") <= ALL.clearance("fr:SECRET")
    foreign = ALL.clearance("SECRET//REL TO USA, FRA", ["EXERCISE"])
    assert not ALL.parse("UNCLASSIFIED//FOUO") <= foreign
    assert ALL.clearance("fr:SECRET//SPÉCIAL FRANCE").text == "fr:SECRET//MENTION=DR//NATIONALITY=FRA"


def test_a_clearance_covers_what_gives_no_access_rule() -> None:
    """Table 5 of the manual: FGI, RSEN, IMCON, FRD and TFNI have no impact on access."""
    foreign, officer = ALL.clearance("SECRET//REL TO USA, FRA"), ALL.clearance("SECRET//NOFORN")
    for text in ("SECRET//FGI DEU//REL TO USA, FRA", "SECRET//RSEN/IMCON/REL TO USA, FRA", "//DEU S//REL TO USA, FRA"):
        assert ALL.parse(f"us:{text}") <= foreign
    assert ALL.parse("SECRET//FRD//NOFORN") <= officer
    assert not ALL.parse("SECRET//FRD-SIGMA 14//NOFORN") <= officer
    assert not ALL.parse("SECRET//RD//NOFORN") <= officer
    assert ALL.banner(foreign) == "SECRET//REL TO USA, FRA"
    assert ALL.banner(officer) == "SECRET//NOFORN"
    assert ALL.banner(ALL.parse("SECRET//RSEN/NOFORN")) == "SECRET//RSEN/NOFORN"


@settings(max_examples=200, deadline=None)
@given(labels())
def test_every_label_can_be_written(label: Label) -> None:
    banner, portion = ALL.banner(label), ALL.portion(label)
    assert banner
    assert portion.startswith("(")
    assert portion.endswith(")")
    for language in ("en", "fr", "xx"):
        assert ALL.banner(label, language)
    assert contrast(*ALL.colour(label)) >= 4.5


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MARKS)).flatmap(lambda name: st.tuples(st.just(name), marked(name))))
def test_what_is_joined_from_right_marks_is_written_rightly(case: tuple[str, Label]) -> None:
    """Reading what was written gives a label of the same level that looks the same and is nowhere above the first."""
    name, label = case
    for written in (ALL.banner(label), ALL.portion(label)[1:-1], ALL.banner(label, "fr")):
        if not label.elements:
            continue  # the bottom of all policies is written in the words of the first
        again = ALL.parse(f"{name}:{written}")
        assert again <= label
        assert ALL.banner(again) == ALL.banner(label)
        levels = [[element.level for _, element in each.elements] for each in (again, label)]
        assert levels[0] == levels[1] or levels[0] == []
        assert again is label or ALL.clearance(f"{name}:{written}") >= again


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MARKS)).flatmap(marked), st.sampled_from(sorted(MARKS)).flatmap(marked))
def test_a_mark_of_several_policies_is_read_again(one: Label, other: Label) -> None:
    label = one | other
    readings, rest = ALL.read_portion(f"{ALL.portion(label)} text")
    assert rest == "text"
    right = [reading for reading in readings if not reading.problem]
    assert right
    if all(element.level for _, element in label.elements):
        assert any(ALL.banner(reading.label) == ALL.banner(label) for reading in right)


def test_strangers_cannot_grow_the_tables() -> None:
    ALL.top(), ALL.parse("us:SECRET")
    before = _bits.width
    for n in range(200):
        ALL.parse("house:INTERNAL", [f"STRANGER-{n}"])
        ALL.read_banner(f"SECRET//X{n}")
        with pytest.raises(MarkingError):
            ALL.parse(f"us:TOP SECRET//SCI=SI-Q{n}")
    assert _bits.width == before


def test_a_banner_is_kept_as_long_as_its_label() -> None:
    policies = Policies.load(("us",))
    label = policies.parse("us:SECRET//NOFORN", ("NOBODY-ELSES",))  # no other test holds it
    assert policies.banner(label) is policies.banner(label) == "SECRET//NOFORN"
    assert len(policies._banners) == 1
    del label
    gc.collect()
    assert len(policies._banners) == 0
