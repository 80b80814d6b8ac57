"""What is wrong with a marking: the rule, its place, its paragraph, and a fix that never lowers anything."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError
from casemate.labels import Mark, Parsed, Policies
from casemate.labels.rules import check
from casemate.labels.vocabulary import Form

US = Policies.load(["us", "fr"], ['extends = "us"\ntokens.SAR = ["BP", "BP-J12"]\ntokens.SCI = ["SI-G-ABCD"]'])


def _one(text: str, form: Form = "full") -> Parsed:
    found = [parsed for parsed in US.parse_mark(text, form) if parsed.mark.policy == "us"]
    assert len(found) == 1, found
    return found[0]


CASES: list[tuple[str, Form, str, str, str, str | None]] = [
    # text, form, rule, severity, the text that it is about, what is written in its place
    ("TOP SECRET//TK/SI//NOFORN", "full", "order", "warning", "TOP SECRET//TK/SI//NOFORN", "TOP SECRET//SI/TK//NOFORN"),
    ("SECRET//NOFORN//SI", "full", "order", "warning", "SECRET//NOFORN//SI", "SECRET//SI//NOFORN"),
    ("S//NF/OC", "portion", "order", "warning", "S//NF/OC", "S//OC/NF"),
    ("TOP SECRET//TK-KAND-IDIT//NOFORN", "full", "order", "warning", "TK-KAND-IDIT", "TK-IDIT-KAND"),
    ("SECRET//SI/NOFORN", "full", "separator", "warning", "/", "//"),
    ("SECRET//ORCON//NOFORN", "full", "separator", "warning", "//", "/"),
    ("SECRET// NOFORN", "full", "separator", "warning", " ", ""),
    ("SECRET //NOFORN", "full", "separator", "warning", " ", ""),
    ("SECRET NOFORN", "full", "separator", "error", "SECRET NOFORN", "SECRET//NOFORN"),
    ("TOP SECRET - SI - NOFORN", "full", "separator", "error", "TOP SECRET - SI - NOFORN", "TOP SECRET//SI//NOFORN"),
    ("SECRET REL TO USA, GBR", "full", "separator", "error", "SECRET REL TO USA, GBR", "SECRET//REL TO USA, GBR"),
    ("SECRET NOFORN USA", "full", "separator", "error", "SECRET NOFORN USA", None),
    ("S/NF", "portion", "separator", "error", "S/NF", "S//NF"),
    ("Secret//Noforn", "full", "case", "error", "Secret//Noforn", "SECRET//NOFORN"),
    ("SECRЕT//NOFORN", "full", "disguise", "error", "SECRЕT//NOFORN", "SECRET//NOFORN"),
    ("\u202eNROFON//TERCES", "full", "disguise", "error", "\u202eNROFON//TERCES", "SECRET//NOFORN"),
    ("SEC\u200bRET//NOFORN", "full", "disguise", "error", "SEC\u200bRET//NOFORN", "SECRET//NOFORN"),
    ("SECRIT//SI//NOFORN", "full", "unknown-level", "error", "SECRIT", None),
    ("TOP SECRET//SI/BANANA", "full", "unknown-control", "error", "BANANA", None),
    ("TOP SECRET//SI-G EFGH//ORCON", "full", "undeclared", "warning", "SI-G EFGH", None),
    ("TOP SECRET//SAR-ABC", "full", "undeclared", "warning", "ABC", None),
    ("TOP SECRET//TEA LEAF", "full", "undeclared", "warning", "TEA LEAF", None),
    ("SECRET//REL TO USA, ATL, GBR", "full", "unknown-country", "error", "USA, ATL, GBR", None),
    ("SECRET//FGI ATL", "full", "unknown-country", "error", "ATL", None),
    ("//ATL SECRET", "full", "unknown-country", "error", "ATL", None),
    ("TOP SECRET//SI-G", "full", "requires", "error", "TOP SECRET//SI-G", "TOP SECRET//SI-G//ORCON"),
    ("SECRET//HCS-P//RELIDO", "full", "requires", "error", "SECRET//HCS-P//RELIDO", "SECRET//HCS-P//NOFORN"),
    ("SECRET//RSV//NOFORN", "full", "requires", "error", "RSV", None),
    ("SECRET//RD", "full", "requires", "note", "RD", None),
    ("SECRET//EXDIS", "full", "requires", "error", "SECRET//EXDIS", "SECRET//NOFORN//EXDIS"),
    ("SECRET//NOFORN/REL TO USA, GBR", "full", "excludes", "error", "NOFORN", None),
    ("SECRET//ORCON/ORCON-USGOV/NOFORN", "full", "excludes", "error", "ORCON", None),
    ("SECRET//FOUO/NOFORN", "full", "level", "error", "FOUO/", ""),
    ("SECRET//NOFORN//SBU", "full", "level", "error", "//SBU", ""),
    ("CONFIDENTIAL//TK", "full", "level", "error", "TK", None),
    ("UNCLASSIFIED//USA/GBR EYES ONLY", "full", "level", "error", "USA/GBR EYES ONLY", None),
    ("UNCLASSIFIED//FOUO/PROPIN", "full", "excludes", "warning", "FOUO/", ""),
    ("SECRET//NOFORN/NOFORN", "full", "duplicate", "warning", "/NOFORN", ""),
    ("S//TK-IDIT/TK-KAND//NF", "portion", "duplicate", "warning", "S//TK-IDIT/TK-KAND//NF", "S//TK-IDIT-KAND//NF"),
    ("SECRET//REL TO USA, GBR/REL TO USA, CAN", "full", "duplicate", "error", "REL TO USA, CAN", None),
    ("TOP SECRET//SI//NF", "full", "abbreviation", "warning", "NF", "NOFORN"),
    ("S//NOFORN", "portion", "abbreviation", "warning", "NOFORN", "NF"),
    ("S//RD-SIGMA 14//NF", "portion", "abbreviation", "warning", "RD-SIGMA 14", "RD-SG 14"),
    ("SECRET//RD-SG 14//NOFORN", "full", "abbreviation", "warning", "RD-SG 14", "RD-SIGMA 14"),
    ("TOP SECRET//KDK-IDIT//NOFORN", "full", "legacy", "warning", "KDK-IDIT", "TK-IDIT"),
    ("TOP SECRET//COMINT//NOFORN", "full", "legacy", "warning", "COMINT", "SI"),
    ("TOP SECRET//KDK-IDIT ABC//NOFORN", "full", "legacy", "warning", "KDK-IDIT ABC", "TK-IDIT ABC"),
    ("S//RD-CNWDI-SIGMA 14//NF", "portion", "abbreviation", "warning", "RD-CNWDI-SIGMA 14", "RD-CNWDI-SG 14"),
    ("SECRET//RD-CNWDI-SIGMA//NOFORN", "full", "unknown-control", "error", "RD-CNWDI-SIGMA", None),
    ("SECRET//NOFORN//ABC", "full", "unknown-control", "error", "ABC", None),
    ("SECRET//RD-N//NOFORN", "full", "legacy", "warning", "RD-N", "RD-CNWDI"),
    ("SECRET//SAR-BP/SAR-ABC", "full", "legacy", "warning", "SAR-", ""),
    ("TOP SECRET//HCS//NOFORN", "full", "legacy", "note", "HCS", None),
    ("SECRET//NOFORN//SPÉCIAL FRANCE", "full", "two-policies", "error", "SPÉCIAL FRANCE", None),
    ("SECRET//", "full", "empty-section", "error", "", None),
    ("SECRET//REL TO USA, GBR, CAN", "full", "rel-order", "warning", "USA, GBR, CAN", "USA, CAN, GBR"),
    ("SECRET//REL TO USA, NATO, CAN", "full", "rel-order", "warning", "USA, NATO, CAN", "USA, CAN, NATO"),
    ("SECRET//REL TO USA,CAN", "full", "separator", "warning", "USA,CAN", "USA, CAN"),
    ("SECRET//FGI NATO DEU", "full", "rel-order", "warning", "NATO DEU", "DEU NATO"),
    ("//JOINT SECRET USA GBR//REL TO USA, GBR", "full", "rel-order", "warning", "USA GBR", "GBR USA"),
    ("SECRET//REL TO GBR, USA", "full", "rel-owner", "error", "GBR, USA", "USA, GBR"),
    ("SECRET//REL TO GBR", "full", "rel-owner", "error", "GBR", "USA, GBR"),
    ("SECRET//REL TO USA", "full", "rel-alone", "error", "REL TO USA", "NOFORN"),
    ("S//REL TO USA", "portion", "rel-alone", "error", "REL TO USA", "NF"),
    ("S//REL", "portion", "as-banner", "note", "REL", None),
    ("SECRET//REL", "full", "as-banner", "error", "REL", None),
    ("TS//EYES", "portion", "as-banner", "note", "EYES", None),
    ("//JOINT S//REL", "portion", "as-banner", "note", "JOINT S", None),
    ("//JOINT SECRET GBR USA", "full", "requires", "error", "//JOINT SECRET GBR USA", None),
    ("//JOINT SECRET GBR USA//NOFORN", "full", "excludes", "error", "//JOINT SECRET GBR USA//NOFORN", None),
    ("//USA SECRET", "full", "rel-alone", "error", "USA", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form", "rule", "severity", "about", "fix"), CASES, ids=lambda each: ascii(each)[:40])
def test_a_finding(text: str, form: Form, rule: str, severity: str, about: str, fix: str | None) -> None:
    found = [each for each in _one(text, form).findings if each.rule == rule and each.severity == severity]
    assert (about, fix) in [(text[each.start : each.end], each.fix) for each in found], found
    known = {"disguise", "two-policies", "case", "undeclared"}
    assert rule in known or all(each.paragraph for each in found)


@pytest.mark.parametrize(("text", "form", "rule", "severity", "about", "fix"), CASES, ids=lambda each: ascii(each)[:40])
def test_a_fix_lowers_nothing(text: str, form: Form, rule: str, severity: str, about: str, fix: str | None) -> None:
    """What stands after a fix is written as the source prescribes, or nearer to it, and its label is no lower."""
    before = _one(text, form)
    for finding in before.findings:
        if finding.fix is None:
            continue
        fixed = text[: finding.start] + finding.fix + text[finding.end :]
        after = _one(fixed, form)
        assert len(after.findings) < len(before.findings)
        said, now = (US._projection.understood(each.mark, closed=not each.right)[0] for each in (before, after))
        if before.right and finding.rule != "excludes":
            assert now == said
        else:
            unwritten = {("DISSEM", "FOUO"), ("NONIC", "SBU"), ("DISSEM", "ORCON-USGOV")}
            assert said["us"].level <= now["us"].level
            assert said["us"].restrictive - unwritten <= now["us"].restrictive


@pytest.mark.parametrize(
    ("text", "higher"),
    [
        ("SECRET//NOFORN/REL TO USA, GBR", "SECRET//NOFORN"),
        ("SECRET//HCS-P//REL TO USA, GBR", "SECRET//HCS-P//NOFORN"),
        ("SECRET//NOFORN/RELIDO", "SECRET//NOFORN"),
        ("SECRET//RELIDO/DISPLAY ONLY AFG", "SECRET//DISPLAY ONLY AFG"),
        ("SECRET//REL TO USA, CAN, GBR/REL TO USA, GBR, NZL", "SECRET//REL TO USA, GBR"),
        ("SECRET//REL TO USA, CAN/REL TO USA, NZL", "SECRET//NOFORN"),
        ("SECRET//REL TO USA, ATL, GBR", "SECRET//REL TO USA, GBR"),
        ("SECRET//REL TO ATLANTIS", "SECRET//NOFORN"),
        ("SECRIT//SI//NOFORN", "TOP SECRET//SI//NOFORN"),
        ("//ATL SECRET", "//FGI SECRET"),
        ("//ATL DEU SECRET", "//DEU SECRET"),
        ("SECRET//REL TO USA, GBR//SBU NOFORN", "SECRET//SBU NOFORN"),
        ("TOP SECRET//KDK ABC//NOFORN", "TOP SECRET//NOFORN"),
        ("TOP SECRET//SI-G EFGH XY//ORCON", "TOP SECRET//ORCON"),
    ],
)
def test_contradictory_parts_are_the_higher_reading(text: str, higher: str) -> None:
    parsed = _one(text)
    assert not parsed.right
    assert US.render(parsed.mark) == higher


def test_places_are_in_the_text_as_it_came() -> None:
    text = "\t TOP  SECRET//SI/BANANA//NF "
    places = {text[each.start : each.end] for each in _one(text).findings}
    assert places == {"BANANA", "NF"}
    assert _one("  SECRET//REL TO USA,  GBR, CAN").findings[0].start == 17


def test_marks_of_several_policies_are_each_read_in_their_place() -> None:
    text = "SECRET//NF + SECRET//SPECIAL FRANCE"
    us, fr = US.parse_mark(text)
    assert [us.mark.policy, fr.mark.policy] == ["us", "fr"]
    again = US.parse_mark("SECRET//NOFORN + SECRET//ORCON//NOFORN")
    assert [finding.rule for finding in again[1].findings] == ["separator", "two-policies"]
    assert again[1].findings[0].start == len("SECRET//NOFORN + SECRET//ORCON")


def test_a_longer_line_than_a_mark_is_cut_and_says_so() -> None:
    parsed = US.parse_mark("SECRET//" + "SI/" * 400_000, "full")[0]
    assert "too-long" in {finding.rule for finding in parsed.findings}
    assert US.parse_mark("words " * 200_000) == ()


def test_a_mark_without_a_text_is_judged_by_the_same_rules() -> None:
    us = US.listed["us"]
    mark = Mark("us", "SECRET", (("SCI", ("HCS", "HCS-P")), ("REL", ("USA", "GBR"))))
    assert [(each.rule, dict(each.facts)["needed"]) for each in check(us, mark)] == [("requires", "NOFORN")] * 2
    assert check(us, Mark("us", "TOP SECRET", (("SCI", ("NO-SUCH",)),))) == ()


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (Mark("us", "BANANA"), "not a level of the policy us"),
        (Mark("us", "RESTRICTED"), "not a level of the policy us"),
        (Mark("us", "BANANA", (), ("DEU",)), "not a level of another owner"),
        (Mark("fr", "SECRET", (), ("DEU",)), "not a level of another owner"),
        (Mark("us", "SECRET", (), ("ATL",)), "not a name of REL"),
        (Mark("us", "SECRET", (("TEAM", ("RED",)),)), "no category of the policy us"),
        (Mark("us", "SECRET", (("SCI", ()),)), "no category of the policy us"),
        (Mark("us", "SECRET", (("DISSEM", ("BANANA",)),)), "not a name of DISSEM"),
        (Mark("us", "SECRET", (("DISPLAY", ("SAME",)),)), "its list is always written"),
        (Mark("nato", "NATO SECRET"), "unlisted:nato"),
    ],
)
def test_what_cannot_be_written_raises(mark: Mark, why: str) -> None:
    with pytest.raises(MarkingError) as caught:
        US.render(mark)
    assert why in str(caught.value.facts["why"])


@pytest.mark.parametrize(
    ("text", "form", "why"),
    [
        ("SECRET//SAR-ABC", "full", "unknown control ABC: no site declares it"),
        ("S//REL", "portion", "REL alone does not say to whom"),
        ("//JOINT S//REL", "portion", "JOINT alone does not say whose"),
    ],
)
def test_what_no_label_can_hold_has_none(text: str, form: Form, why: str) -> None:
    with pytest.raises(MarkingError) as caught:
        US.label(_one(text, form).mark)
    assert caught.value.facts["why"] == why


SWISS = """
name = "acme"
version = "1"
title = { en = "Acme", fr = "Acme" }
source = "Acme"
levels = [{ name = "OPEN", portion = "O", colour = ["#000000", "#ffffff"] }]
[foreign]
codes = "FOR"
sources = "FROM"
joint = "WITH"
concealed = "FROM"
source = "Acme"
whole = {}
others.MOON = { policy = "moon", levels = { OPEN = ["MOON OPEN", "MO"] } }

[[categories]]
name = "FOR"
type = "permissive"
section = 2
owner = "ACME"
list = { prefix = { en = "FOR " }, portion = "FOR ", order = 1 }
tokens = ["ACME", { name = "A", banner = { en = "ZEBRA" } }, { name = "B", banner = { en = "AARDVARK" } }]

[[categories]]
name = "FROM"
type = "restrictive"
section = 1
of = "FOR"
held_as = "FROM"
tokens = ["FROM"]
list = { prefix = { en = "FROM " }, portion = "FROM ", order = 0, separator = " " }
"""


def test_a_policy_of_a_site_has_lists_and_other_owners_too() -> None:
    """Names in full stand in their own order; what another's policy is to hold has no label where there is none."""
    acme = Policies.load(["acme"], [SWISS])
    (parsed,) = acme.parse_mark("OPEN//FOR ZEBRA, AARDVARK")
    assert acme.render(parsed.mark) == "OPEN//FOR AARDVARK, ZEBRA"
    assert acme.render(parsed.mark, "portion") == "O//FOR A, B"
    (theirs,) = acme.parse_mark("//MOON OPEN")
    assert theirs.mark.owners == ("MOON",)
    with pytest.raises(MarkingError) as caught:
        acme.label(theirs.mark)
    assert caught.value.facts["why"] == "no policy moon to hold it"


def test_a_label_and_its_marks() -> None:
    label = US.parse("TOP SECRET//SI-G ABCD//ORCON/REL TO USA, FVEY")
    (mark,) = US.marks(label)
    assert mark == _one("TOP SECRET//SI-G ABCD//ORCON/REL TO USA, FVEY").mark
    assert US.label(mark) is label
    assert [each.policy for each in US.marks(US.parse("us:SECRET//NOFORN + fr:SECRET"))] == ["us", "fr"]
    assert mark.of("REL") == ("USA", "FVEY")
    assert mark.of("SAR") == ()
