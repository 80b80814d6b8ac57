"""Marks in running text: what is one, what only looks like one, and what is none."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import PACKAGED, Label, Policies
from casemate.labels.disguise import plain, tidy
from casemate.labels.reading import LONGEST
from tests.labels.worlds import ALL, MARKS, US

HOUSE = Policies.load(["house"], ['teams = ["PAYROLL"]'])
RLO = "\u202e"


def said(policies: Policies, line: str) -> list[tuple[str, str, str | None]]:
    return [(each.policy, each.label.text, each.problem) for each in policies.read_banner(line)]


@pytest.mark.parametrize(
    "line",
    [
        "SECRET SOURCES OF JOY",
        "TOP SECRETARY",
        "SECRETS",
        "THE SECRET",
        "A SECRET//NOFORN DOCUMENT IS ONE THAT",
        "SECRET//NOFORN where 123 is a control system",
        "Secret",
        "secret",
        "CONFIDENTIALITY",
        "CONFIDENTIAL TO THE BOARD",
        "UNCLASSIFIED INFORMATION",
        "SECRET USA",
        "TLP:BANANA",
        "RED",
        "GREEN",
        "S//NF",
        "(S//NF)",
        "// SECRET",
        "//SOMETHING ELSE",
        "//lower SECRET",
        "",
        "   ",
        "+",
        " + ",
        "PUBLIC + ",
        "NATO SECRETS OF THE DEEP",
        "x" * 5000,
        "SECRET " * 400,
        "SECRET" + " " * 2000 + "WORDS",
        "WORDS//" + "A" * 2000,
    ],
)
def test_what_is_no_banner(line: str) -> None:
    assert [each for each in ALL.read_banner(line) if not each.problem] == []
    if line.strip() != "PUBLIC +":
        assert ALL.read_banner(line) == ()


@pytest.mark.parametrize("name", sorted(MARKS))
def test_every_right_mark_is_a_banner(name: str) -> None:
    for text in MARKS[name]:
        for line in (text, f"  {text}\t", f"**{text}**", f"__{text}__", f"## {text}"):
            right = [each for each in ALL.read_banner(line) if each.policy == name]
            assert [each.problem for each in right] == [None], line
            assert right[0].label is ALL.parse(f"{name}:{text}")
            assert right[0].text == text


def test_all_readings_are_given() -> None:
    assert said(ALL, "SECRET") == [
        ("us", "us:SECRET//REL=USA", None),
        ("fr", "fr:SECRET", None),
        ("uk", "uk:SECRET", None),
    ]
    assert [each[0] for each in said(ALL, "CONFIDENTIAL")] == ["house", "us"]
    assert [each[0] for each in said(ALL, "SECRET//NOFORN")] == ["us"]
    assert [each[0] for each in said(ALL, "SECRET//SPÉCIAL FRANCE")] == ["fr"]
    assert [each[0] for each in said(ALL, "SECRET + NATO SECRET")] == ["us + nato", "fr + nato", "uk + nato"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("TOP SECRET//BANANA", "unknown control BANANA"),
        ("TOP SECRET//", "an empty section"),
        ("TOP SECRET//SI//", "an empty section"),
        ("SECRET//NOFORN/REL TO USA, GBR", "NOFORN contradicts a list of recipients"),
        ("SECRET//FOUO/NOFORN", "FOUO is not used with SECRET"),
        ("SECRET/NOFORN", "controls are not separated by //"),
        ("TOP SECRET NOFORN", "controls are not separated by //"),
        ("TOP SECRET - SI - NOFORN", "controls are not separated by //"),
        ("SECRET REL TO USA, GBR", "controls are not separated by //"),
        ("Secret//Noforn", "not in capitals"),
        ("TOP SECRET//noforn", "not in capitals"),
        ("SECRЕT//NOFORN", "written with characters that hide or imitate"),
        ("TOP\u200bSECRET//NOFORN".replace("\u200b", " \u200b"), "written with characters that hide or imitate"),
        ("ＴＯＰ ＳＥＣＲＥＴ", "written with characters that hide or imitate"),
        ("TOP S\u0332ECRET", "written with characters that hide or imitate"),
        (RLO + "TERCES POT", "written with characters that hide or imitate"),
        ("\ufeffTOP SECRET", "written with characters that hide or imitate"),
        ("TOP SECRET⁄⁄NOFORN", "controls are not separated by //"),
        ("TОP SECRET⁄⁄NOFORN", "written with characters that hide or imitate"),
        ("//JOINT SECRET GBR USA", "JOINT requires REL"),
        ("//JOINT SECRET GBR USA//NOFORN", "JOINT requires REL; JOINT contradicts NOFORN"),
        ("//JOINT RESTRICTED GBR USA//REL TO USA, GBR", "JOINT is not used with RESTRICTED"),
        ("//JOINT SECRET//REL TO USA, GBR", "JOINT requires owners"),
        ("//XYZ TOP SECRET", "unknown recipient in XYZ"),
        ("//USA SECRET", "no recipient but USA"),
        ("TLP:WHITE", "TLP:WHITE is a withdrawn marking"),
        ("TRÈS SECRET DÉFENSE", "TRÈS SECRET DÉFENSE is a withdrawn marking"),
        ("TOP SECRET//SI + BANANA", "only in part a mark"),
        ("TOP SECRET//SI + TOP SECRET//TK", "two marks of one policy"),
        ("TOP SECRET//REL TO USA, " + ", ".join(["GBR"] * 400), "longer than a mark can be"),
        ("TOP SECRET//SI-G-/TK", "unknown control SI-G-"),
        ("TOP SECRET//SI/SI-X Y", "unknown control SI-X Y"),
    ],
)
def test_what_looks_like_a_banner_has_its_problem(line: str, problem: str) -> None:
    readings = ALL.read_banner(line)
    assert readings
    assert problem in str(readings[0].problem)
    assert all(each.problem for each in readings)
    assert all(each.label.elements for each in readings) or line == "TLP:WHITE"


def test_a_problem_hides_no_level_and_releases_to_nobody_else() -> None:
    (reading,) = US.read_banner("TOP SECRET//SI/BANANA//ORCON/REL TO USA, GBR")
    assert reading.label.text == "us:TOP SECRET//DISSEM=ORCON//REL=USA//SCI=SI"
    many = US.read_banner("SECRET//" + "/".join(f"X{n}" for n in range(50)))
    assert str(many[0].problem).count("unknown control") == 3


def test_an_unlisted_policy_is_named() -> None:
    assert said(HOUSE, "SECRET//NOFORN") == [("us", "us:SECRET//REL=USA", "unlisted:us")]
    assert [each[2] for each in said(HOUSE, "SECRET")] == ["unlisted:us", "unlisted:fr"]
    assert [each[2] for each in said(HOUSE, "TOP SECRET//BANANA")] == ["unlisted:us"]
    assert [each[2] for each in said(HOUSE, "TLP:RED")] == ["unlisted:tlp"]
    assert [each[2] for each in said(HOUSE, "CONFIDENTIAL")] == [None]
    assert said(HOUSE, "SECRET NOFORN") == []
    assert said(Policies.load(["us"]), "RESTRICTED") == []
    assert [each[2] for each in said(Policies.load(["fr"]), "SECRET//NOFORN")] == ["unlisted:us"]
    assert [each[0] for each in said(Policies.load(["fr"]), "SECRET//BANANA")] == ["fr"]


@pytest.mark.parametrize(
    ("paragraph", "policy", "label", "rest"),
    [
        ("(S//NF) The convoy.", "us", "us:SECRET//REL=USA", "The convoy."),
        ("(U) Text", "us", "bottom", "Text"),
        ("(U//FOUO) Text", "us", "us:UNCLASSIFIED//DISSEM=FOUO", "Text"),
        ("(C) the sum", "us", "us:CONFIDENTIAL//REL=USA", "the sum"),
        ("(TS//SI/TK//OC/NF)\nText", "us", "us:TOP SECRET//DISSEM=ORCON//REL=USA//SCI=SI,TK", "Text"),
        ("(TS)", "us", "us:TOP SECRET//REL=USA", ""),
        ("(SECRET//NOFORN) Text", "us", "us:SECRET//REL=USA", "Text"),
        ("(S//REL TO USA, FRA) Text", "us", "us:SECRET//REL=FRA,USA", "Text"),
        ("  1. (S//NF) Text", "us", "us:SECRET//REL=USA", "1. Text"),
        ("• (S//NF) Text", "us", "us:SECRET//REL=USA", "• Text"),
        ("\uf0b7 a) (S//NF) Text", "us", "us:SECRET//REL=USA", "\uf0b7 a) Text"),
        ("1.2.3 (S//NF) Text", "us", "us:SECRET//REL=USA", "1.2.3 Text"),
        ("(NS) Text", "nato", "nato:NATO SECRET//REL=NATO", "Text"),
        ("(//CTS//BOHEMIA) Text", "nato", "nato:COSMIC TOP SECRET//REL=NATO//SAP=BOHEMIA", "Text"),
        ("(FR-TS//SF) Texte", "fr", "fr:TRÈS SECRET//NATIONALITY=FRA", "Texte"),
        ("(TLP:GREEN) Text", "tlp", "tlp:GREEN", "Text"),
        ("(CONFIDENTIAL) Text", "house", "house:CONFIDENTIAL", "Text"),
        ("(INTERNAL//PAYROLL) Text", "house", "house:INTERNAL//TEAM=PAYROLL", "Text"),
        ("(S//NF + NS) Text", "us + nato", "nato:NATO SECRET//REL=NATO + us:SECRET//REL=USA", "Text"),
    ],
)
def test_a_portion_mark(paragraph: str, policy: str, label: str, rest: str) -> None:
    readings, after = ALL.read_portion(paragraph)
    assert [(each.policy, each.label.text, each.problem) for each in readings] == [(policy, label, None)]
    assert after == rest


@pytest.mark.parametrize(
    "paragraph",
    [
        "",
        "no mark",
        "(see above) text",
        "(C) Copyright 2016 Acme",
        "(C) © Acme",
        "(C)ompany",
        "(S)2",
        "(U)-turn",
        "(c) 2016 Acme",
        "(s) text",
        "(A) text",
        "[C] a reference",
        "[1] a reference",
        "text (S//NF) in the middle",
        "(S//NF",
        "S//NF) text",
        "((S//NF)) text",
        "(PUBLICATION) text",
        "(" + "A" * 5000 + ") text",
        "()",
    ],
)
def test_what_is_no_portion_mark(paragraph: str) -> None:
    assert ALL.read_portion(paragraph) == ((), paragraph)


@pytest.mark.parametrize(
    ("paragraph", "problem"),
    [
        ("(C) 2016 Acme", "a portion mark or a copyright sign"),
        ("(S)The convoy", "no space after the mark"),
        ("(S//NF)the convoy", "no space after the mark"),
        ("[S//NF] text", "in brackets"),
        ("[TLP:RED] text", "in brackets"),
        ("(S/NF) text", "not separated by //"),
        ("(s//nf) text", "not in capitals"),
        ("(S//REL) text", "REL alone does not say to whom"),
        ("(S//BANANA) text", "unknown control BANANA"),
        ("(S//NF or higher) text", "unknown control NF or higher"),
        ("(SECRET//BANANA) text", "unknown control BANANA"),
        ("(//JOINT S//REL) text", "JOINT alone does not say whose"),
        ("(S//N\u200bF) text", "unknown control N?F"),
        ("（S//NF） text", "hide or imitate"),
        ("\u2060(S//NF) text", "hide or imitate"),
        ("(Ѕ//NF) text", "hide or imitate"),
    ],
)
def test_what_looks_like_a_portion_mark_has_its_problem(paragraph: str, problem: str) -> None:
    readings, rest = ALL.read_portion(paragraph)
    assert readings
    assert all(problem in str(each.problem) for each in readings)
    assert rest.endswith(("text", "Acme", "convoy"))


def test_an_abbreviation_is_a_mark_only_where_its_policy_is_listed() -> None:
    assert HOUSE.read_portion("(C) the sum") == ((), "(C) the sum")
    readings, _ = HOUSE.read_portion("(S//NF) text")
    assert [each.problem for each in readings] == ["unlisted:us"]
    assert [each.problem for each in HOUSE.read_portion("(FR-DR) texte")[0]] == ["unlisted:fr"]


def test_tidy_changes_nothing_that_is_read() -> None:
    assert tidy("  A \t B ") == "A B"
    assert tidy("TRE\u0300S\u00a0SECRET") == "TRÈS SECRET"
    assert plain("TOP SECRET") == "TOP SECRET"
    assert plain("TRÈS SECRET") == "TRES SECRET"
    assert plain("\uf0a7 TOP SECRET") != "TOP SECRET"
    assert plain("a\x00b") == "ab"
    assert ALL.read_banner("TRE\u0300S\u00a0SECRET")[0].problem is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.text("SECRTOPU/NF(),+: \u200b=-aé", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    _never_crashes(text)


def test_twenty_thousand_random_strings() -> None:
    source = random.Random(20161231)
    pieces = [*(each for marks in MARKS.values() for each in marks), *PACKAGED]
    pieces += ["//", "/", " ", ", ", "-", "(", ")", "[", " + ", ":", "=", "REL=", "SCI=SI", "agency=A", "NF", "S"]
    pieces += [
        "\u200b",
        "É",
        "е",
        "\ud800",
        "\x00",
        "\n",
        RLO,
        "USA",
        "FVEY",
        "REL TO USA, ",
        "Releasable to ",
        "x" * 50,
    ]
    for _ in range(20_000):
        _never_crashes("".join(source.choices(pieces, k=source.randint(1, 7))))


def _never_crashes(text: str) -> None:
    readings = ALL.read_banner(text)
    opened, rest = ALL.read_portion(text)
    assert len(rest) <= len(text)
    assert len(readings) + len(opened) <= 128
    for each in (*readings, *opened):
        assert str(each.problem).isprintable()
        assert not each.label.agencies
    for call in (ALL.parse, ALL.clearance):
        label, facts = _tried(call, text)
        assert all(str(fact).encode().decode().isprintable() for fact in facts)
        assert label is None or ALL.parse(label.text) is label


def _tried(call: Callable[[str], Label], text: str) -> tuple[Label | None, list[object]]:
    try:
        return call(text), []
    except MarkingError as error:
        return None, [error.facts["marking"], error.facts["why"]]


def test_a_long_line_costs_no_more_than_its_bound() -> None:
    assert ALL.read_banner("SECRET//" + "A/" * 1_000_000)[0].problem == "longer than a mark can be"
    assert ALL.read_portion("(S//" + "A/" * 1_000_000 + ") x")[0] == ()
    assert ALL.read_portion("- " * 500_000 + "(S) x")[0] != ()
    assert LONGEST == 1000
