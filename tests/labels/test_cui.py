"""Controlled Unclassified Information: the Registry's and the Handbook's forms, and what is wrong beside them."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError
from casemate.labels import Mark, Policies, lint, roll_up

CUI = Policies.load(["cui"])
BOTH = Policies.load(["us", "cui"])

# Banner, portion mark, and where the form stands.
RIGHT = [
    ("CUI", "CUI", "32 CFR 2002.20(b)(1)(i)"),
    ("CUI//SP-PRVCY", "CUI//SP-PRVCY", "Registry, General Privacy: Specified"),
    ("CUI//PRVCY", "CUI//PRVCY", "Registry, General Privacy: alternative for Basic"),
    ("CUI//MIL", "CUI//MIL", "Registry, Military Personnel Records"),
    ("CUI//NOFORN", "CUI//NF", "Registry, marking notes: CUI//Limited Dissemination Control"),
    ("CUI//SP-CTI//NOFORN", "CUI//SP-CTI//NF", "Registry, marking notes: CUI//SP-Category//Control"),
    ("CUI//ADPO/AG//FED ONLY", "CUI//ADPO/AG//FED ONLY", "Registry, marking notes: several categories"),
    ("CUI//SP-EXPT/AG//FEDCON", "CUI//SP-EXPT/AG//FEDCON", "Registry, marking notes: Specified precede Basic"),
    ("CUI//SP-CTI/SP-EXPT/AG/EXPT", "CUI//SP-CTI/SP-EXPT/AG/EXPT", "Handbook, p. 11: each alphabetized"),
    ("CUI//DL ONLY/NOCON", "CUI//DL ONLY/NOCON", "Handbook, p. 12: CUI//DISSEM-A/DISSEM-C"),
    ("CUI//REL TO USA, CAN, GBR", "CUI//REL TO USA, CAN, GBR", "Registry, REL TO: USA first"),
    ("CUI//DISPLAY ONLY USA, IRQ", "CUI//DISPLAY ONLY USA, IRQ", "Registry, DISPLAY ONLY: USA first"),
    ("CUI//PRIVILEGE//Attorney-Client", "CUI//PRIVILEGE//AC", "NIEM 5.0: with PRIVILEGE"),
    ("CUI//PRIVILEGE//Attorney-WP/NOFORN", "CUI//PRIVILEGE//AWP/NF", "NIEM 5.0: with PRIVILEGE"),
    ("UNCONTROLLED UNCLASSIFIED INFORMATION", "U", "32 CFR 2002.20(j)(2)(i), (f)(4)(ii)"),
]


@pytest.mark.parametrize(("banner", "portion", "where"), RIGHT, ids=[banner for banner, _, _ in RIGHT])
def test_what_the_sources_write_is_read_and_written_back(banner: str, portion: str, where: str) -> None:
    for text, form in ((banner, "full"), (portion, "portion")):
        (parsed,) = CUI.parse_mark(text, form)  # type: ignore[arg-type]
        assert parsed.findings == (), where
        assert (CUI.render(parsed.mark), CUI.render(parsed.mark, "portion")) == (banner, portion)
    (reading,) = CUI.read_banner(banner)
    assert reading.problem is None
    assert CUI.read_portion(f"({portion}) Text")[0][0].label is reading.label


def test_the_word_is_read_and_the_acronym_written() -> None:
    (parsed,) = CUI.parse_mark("CONTROLLED//SP-TSCA//NOFORN", "full")
    assert parsed.findings == ()
    assert CUI.render(parsed.mark) == "CUI//SP-TSCA//NOFORN"


@pytest.mark.parametrize(
    ("text", "rules", "fix"),
    [
        ("CUI//AG/SP-CTI", ["order"], "CUI//SP-CTI/AG"),
        ("CUI//SP-EXPT/SP-CTI", ["order"], "CUI//SP-CTI/SP-EXPT"),
        ("CUI//NOFORN/FED ONLY", ["order"], "CUI//FED ONLY/NOFORN"),
        ("CUI//NOFORN//SP-CTI", ["order"], "CUI//SP-CTI//NOFORN"),
        ("CUI//SP-CTI/NOFORN", ["separator"], "//"),
        ("CUI NOFORN", ["separator"], "CUI//NOFORN"),
        ("CUI//NF", ["abbreviation"], "NOFORN"),
        ("CUI//FED ONLY/FEDCON", ["excludes"], ""),
        ("CUI//FED ONLY/NOCON", ["excludes"], ""),
        ("CUI//Attorney-Client", ["requires"], "CUI//PRIVILEGE//Attorney-Client"),
        ("CUI//REL TO GBR, USA", ["rel-owner"], "USA, GBR"),
        ("CUI//REL TO USA, GBR, CAN", ["rel-order"], "USA, CAN, GBR"),
        ("CUI//SP-ITAR", ["unknown-control"], None),
        ("CUI//CTI", ["unknown-control"], None),
        ("CUI//SP-AG", ["unknown-control"], None),
        ("CUI//RELIDO", ["two-policies"], None),
        ("CUI//NOFORN/REL TO USA, GBR", ["excludes", "excludes"], None),
        ("CUI//DISPLAY ONLY USA, IRQ/NOFORN", ["excludes", "excludes"], None),
        ("UNCONTROLLED UNCLASSIFIED INFORMATION//NOFORN", ["level"], None),
    ],
)
def test_what_is_wrong_is_found(text: str, rules: list[str], fix: str | None) -> None:
    (parsed,) = CUI.parse_mark(text, "full")
    assert [finding.rule for finding in parsed.findings] == rules
    assert parsed.findings[0].fix == fix


def test_what_contradicts_opens_nothing() -> None:
    (reading,) = CUI.read_banner("CUI//NOFORN/REL TO USA, GBR")
    assert reading.problem == "NOFORN contradicts a list of recipients; REL contradicts NOFORN"
    assert reading.label is CUI.parse("CUI//NOFORN")


def test_who_may_read() -> None:
    cleared = CUI.clearance("CUI")
    assert CUI.parse("CUI//AG/PRVCY") <= cleared
    assert not CUI.parse("CUI//AG") <= CUI.parse("UNCONTROLLED UNCLASSIFIED INFORMATION")
    assert not CUI.parse("CUI//SP-PRVCY") <= cleared
    assert not CUI.parse("CUI//NOFORN") <= cleared
    employee = CUI.clearance("CUI//SP-PRVCY//FED ONLY/NOFORN")
    for mark in ("CUI//FEDCON", "CUI//NOCON", "CUI//SP-PRVCY/AG//NOFORN", "CUI//REL TO USA, GBR"):
        assert CUI.parse(mark) <= employee
    assert not CUI.parse("CUI//DL ONLY") <= employee
    assert not CUI.parse("CUI//FED ONLY") <= CUI.clearance("CUI//FEDCON/NOFORN")
    assert CUI.banner(CUI.clearance("CUI//FED ONLY")) == "CUI//FED ONLY"
    british = CUI.clearance("CUI//REL TO USA, GBR")
    assert CUI.parse("CUI//AG//REL TO USA, CAN, GBR") <= british
    assert not CUI.parse("CUI//NOFORN") <= british
    assert CUI.parse("CUI//DISPLAY ONLY USA, IRQ") == CUI.parse("CUI//NOFORN")


@pytest.mark.parametrize(
    ("portions", "banner"),
    [
        (["CUI//AG", "CUI//SP-CTI", "U", "CUI//PRVCY"], "CUI//SP-CTI/AG/PRVCY"),
        (["CUI//REL TO USA, CAN, GBR", "CUI//REL TO USA, FRA, GBR"], "CUI//REL TO USA, GBR"),
        (["CUI//REL TO USA, CAN", "CUI//REL TO USA, FRA"], "CUI//NOFORN"),
        (["CUI//REL TO USA, CAN", "CUI//SP-EXPT//NF"], "CUI//SP-EXPT//NOFORN"),
        (["CUI//FEDCON", "CUI//FED ONLY"], "CUI//FED ONLY"),
        (["CUI//FEDCON", "CUI//NOCON", "CUI//DL ONLY"], "CUI//DL ONLY/FEDCON/NOCON"),
        (["U", "U"], "UNCONTROLLED UNCLASSIFIED INFORMATION"),
    ],
)
def test_portions_roll_up(portions: list[str], banner: str) -> None:
    marks = [CUI.parse_mark(text, "portion")[0].mark for text in portions]
    rolled = roll_up(CUI, marks)
    assert CUI.render(rolled.mark) == banner
    assert CUI.parse_mark(banner, "full")[0].findings == ()
    assert all(CUI.label(mark) <= rolled.label for mark in marks)


def test_what_us_read_stays_as_it_was() -> None:
    alone = Policies.load(["us"])
    for text in ("(U) Text", "(S//NF) Text", "(TS//SI//NF) Text", "(U//FOUO) Text"):
        assert [each.policy for each in BOTH.read_portion(text)[0]] == ["us"]
        assert BOTH.read_portion(text)[0][0].label is alone.read_portion(text)[0][0].label
    assert BOTH.parse("(U)") is BOTH.bottom()
    assert BOTH.banner(BOTH.bottom()) == "UNCLASSIFIED"
    assert [each.policy for each in Policies.load(["cui", "us"]).read_portion("(U) Text")[0]] == ["cui"]
    assert [each.mark.policy for each in BOTH.parse_mark("UNCLASSIFIED")] == ["us"]


def test_it_is_recognised_where_it_is_not_listed() -> None:
    alone = Policies.load(["us"])
    assert [each.problem for each in alone.read_banner("CUI//SP-CTI")] == ["unlisted:cui"]
    assert [each.problem for each in alone.read_portion("(CUI//AG) Text")[0]] == ["unlisted:cui"]
    with pytest.raises(MarkingError):
        alone.parse("CUI//SP-CTI")


def test_a_classified_banner_with_it_is_not_covered() -> None:
    (parsed,) = BOTH.parse_mark("SECRET//CUI", "full")
    assert (parsed.mark.policy, [finding.rule for finding in parsed.findings]) == ("us", ["two-policies"])
    assert [each.problem for each in BOTH.read_banner("SECRET//CUI")] == ["unknown control CUI"]


def test_a_document_of_it_is_linted_in_its_own_words() -> None:
    banner = "CUI//SP-CTI/AG//NOFORN"
    text = f"{banner}\n\n(U) Open.\n\n(CUI//AG) Fields.\n\n(CUI//SP-CTI//NF) Plans.\n\n{banner}\n"
    right = lint(BOTH, text)
    assert right.findings == ()
    assert right.rolled is not None
    assert [mark.policy for mark in right.rolled.marks] == ["cui"]
    wrong = lint(BOTH, text.replace("(CUI//AG)", "(CUI//AG//FED ONLY)"))
    assert {finding.rule for finding in wrong.findings} == {"banner-below"}
    assert {finding.fix for finding in wrong.findings} == {"CUI//SP-CTI/AG//FED ONLY/NOFORN"}


def test_a_site_states_a_tetragraph() -> None:
    site = Policies.load(["cui"], ['extends = "cui"\nexpand.REL.XABC = ["USA", "CAN", "GBR"]'])
    assert site.parse("CUI//REL TO USA, XABC").text == "cui:CUI//REL=CAN,GBR,USA"
    assert CUI.parse_mark("CUI//REL TO USA, GBR, XABC")[0].findings[0].rule == "unknown-country"


def test_every_control_says_where_it_is_from() -> None:
    policy = CUI.listed["cui"]
    for name in ("SPECIFIED", "BASIC", "DISSEM"):
        controls = list(policy.by_name[name].tokens.values())
        assert all(control.source.startswith("CUI Registry, ") for control in controls)
        assert [control.order for control in controls] == sorted({control.order for control in controls})
        assert [c.banner["en"].upper() for c in controls] == sorted(c.banner["en"].upper() for c in controls)
    everything = Mark("cui", "CUI", tuple((c.name, tuple(c.tokens)) for c in policy.categories[:2]))
    (parsed,) = CUI.parse_mark(CUI.render(everything), "full")
    assert (parsed.mark, parsed.findings) == (everything, ())
