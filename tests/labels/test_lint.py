"""The linter: each rule where it applies and nowhere else, at its place; bad input is found, and read as the higher."""

from __future__ import annotations

import gc
import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import Finding, Linted, Mark, Policies, fix, lint
from casemate.labels.linter.said import Hearing
from casemate.labels.linter.text import BANNER
from casemate.words import LANGUAGES, say, sentences

US = Policies.load(["us"])
SEVERAL = Policies.load(["us", "nato", "fr", "tlp"])
BLOCK = "Classified By: somebody\n"


def rules(text: str, policies: Policies = US) -> list[str]:
    """The rules that a text breaks, without the note on its authority block."""
    found = lint(policies, text).findings
    return [finding.rule for finding in found if finding.rule != "authority-missing"]


def one(text: str, rule: str, policies: Policies = US) -> Finding:
    (found,) = [finding for finding in lint(policies, text).findings if finding.rule == rule]
    return found


def level(linted: Linted) -> str:
    """The level that the whole is held at in the policy us."""
    assert linted.rolled is not None
    return next(element.level_name for name, element in linted.rolled.label.elements if name == "us")


RIGHT = "SECRET//NOFORN\n\n(S//NF) One.\n\n(U) Two.\n\nSECRET//NOFORN\n"


def test_a_right_text_has_no_finding() -> None:
    linted = lint(US, RIGHT + "")
    assert [finding.rule for finding in linted.findings] == ["authority-missing"]
    assert linted.ok
    assert (linted.policy, linted.banner, len(linted.banners), len(linted.portions)) == ("us", "SECRET//NOFORN", 2, 2)
    assert lint(US, RIGHT.replace("(U) Two.", "(U) Two.\n\nDerived From: a guide")).findings == ()


@pytest.mark.parametrize(
    "text", ["", "No mark at all.\n\nNone here.", "(C)ompany", "(A) one\n\n(B) two\n\n(C) three\n"]
)
def test_a_text_without_marks_has_nothing_to_say(text: str) -> None:
    linted = lint(US, text)
    assert (linted.policy, linted.findings, linted.rolled, linted.banner, linted.edits) == ("", (), None, "", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(S//NF) a\n", ["banner-missing"]),
        ("SECRET\n\n(S//NF) a\n\nSECRET\n", ["banner-below", "banner-below"]),
        ("SECRET//NOFORN\n\n(TS//SI) a\n\nSECRET//NOFORN\n", ["banner-below", "banner-below"]),
        ("TOP SECRET\n\n(S) a\n\nTOP SECRET\n", ["banner-above"]),
        ("SECRET\n\n(S) a\n\nTOP SECRET\n", ["banners-differ"]),
        ("SECRET\n\nwords\n\nTOP SECRET\n", ["banners-differ", "portions-missing"]),
        ("SECRET\n\n(S) a\n", ["banner-once"]),
        ("(S) a\n\nSECRET\n\n(S) b\n", []),
        ("(S) a\n\nSECRET\n", ["banner-once"]),
        ("SECRET\n\nWords.\n\nSECRET\n", ["portions-missing"]),
        ("UNCLASSIFIED\n\nWords.\n\nUNCLASSIFIED\n", []),
        ("UNCLASSIFIED//FOUO\n\nWords.\n", ["portions-missing"]),
        ("SECRET\n\n(S) a\n\nWords.\n\nSECRET\n", ["unmarked"]),
        ("SECRET\n\n(S) a\n\n[S] bb\n\n[S//NF] b\n\nSECRET//NOFORN\n", ["banner-below", "unmarked", "brackets"]),
        ("SECRET\n\n(S)ab\n\n(S//NF)b\n\nSECRET//NOFORN\n", ["banner-below", "unmarked", "glued"]),
        ("SECRET\n\n(U//FOUO) b\n\nSECRET\n", ["banner-above"]),
        ("SECRET\n\n(SECRET) b\n\nSECRET\n", ["abbreviation"]),
        ("S//NF\n\n(S//NF) b\n\nSECRET//NOFORN\n", ["abbreviation"]),
    ],
)
def test_the_rules_of_the_whole(text: str, expected: list[str]) -> None:
    assert rules(text) == expected


@pytest.mark.parametrize(
    ("mark", "rule", "higher"),
    [
        ("(X//NF)", "unknown-level", "TOP SECRET"),
        ("(S//XYZZY)", "unknown-control", "SECRET"),
        ("(S//REL TO USA, QQQ)", "unknown-country", "SECRET"),
        ("(S//NF/OC)", "order", "SECRET"),
        ("(S/NF)", "separator", "SECRET"),
        ("(S//NF//TLP:RED)", "two-policies", "SECRET"),
        ("(S//N\u200bF)", "disguise", "SECRET"),
        ("(S//NF\u202e)", "disguise", "SECRET"),
        ("(Ѕ//NF)", "disguise", "SECRET"),
        ("(s//nf)", "case", "SECRET"),
        ("(S//NF/REL TO USA, GBR)", "excludes", "SECRET"),
        ("(U//NF/OC)", "level", "UNCLASSIFIED"),
        ("(S//" + "A/" * 600, "long", "SECRET"),
        ("(S//NF", "unclosed", "SECRET"),
        ("\u200b(S//NF)", "disguise", "SECRET"),
    ],
    ids=lambda value: value[:24].encode("ascii", "backslashreplace").decode() if isinstance(value, str) else None,
)
def test_bad_input_is_found_and_read_as_the_higher(mark: str, rule: str, higher: str) -> None:
    linted = lint(US, f"SECRET//NOFORN\n\n{mark} words\n\n(U) a\n\nSECRET//NOFORN\n")
    found = {finding.rule for finding in linted.findings}
    assert found & ({rule} if rule != "long" else {"too-long", "unclosed", "unknown-control"})
    assert level(linted) in (higher, "SECRET", "TOP SECRET")
    assert US.parse(f"us:{higher}") <= linted.rolled.label  # type: ignore[union-attr]
    assert len(linted.portions) == 2


def test_contradictory_controls_are_held_to_the_more_restrictive() -> None:
    linted = lint(US, "(S//NF/REL TO USA, GBR) a\n")
    assert linted.rolled is not None
    assert dict(linted.rolled.label.elements[0][1].permissive)["REL"] == {"USA"}


def test_a_disguise_that_would_widen_a_release_is_not_undone() -> None:
    widened = one("SECRET\n\n(S//REL TO USA, G\u200bBR) a\n\nSECRET\n", "disguise")
    assert widened.fix is None
    assert one("SECRET//NOFORN\n\n(S//N\u200bF) a\n", "disguise").fix == "S//NF"


def test_a_disguise_of_what_cannot_be_compared_is_held_to_what_is_written() -> None:
    undeclared = one("(S//SAR-BP//N\u200bF) a\n", "disguise")
    assert undeclared.fix is None
    assert one("\u200b\u00a0(S//NF) a\n", "disguise").fix is None  # more than what hides stands there


def test_what_no_policy_can_write_is_found_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise MarkingError(marking="x", why="no such name")

    text = "SECRET\n\n(S//NF//OC) a\n\nSECRET\n"
    monkeypatch.setattr(Policies, "render", never)
    assert Hearing(US).written([Mark("us", "SECRET")], BANNER) == ""
    assert one("(S) a\n", "banner-missing").fix is None
    assert one("SECRET\n\n(TS) a\n\nTOP SECRET\n", "banner-below").fix is None
    assert lint(US, text).edits == ()


def test_two_policies_in_one_mark_both_count() -> None:
    linted = lint(SEVERAL, "(S//TLP:RED) a\n")
    assert linted.rolled is not None
    assert {name for name, _ in linted.rolled.label.elements} == {"us", "tlp"}
    joined = lint(SEVERAL, "SECRET + TLP:RED\n\n(S + TLP:RED) a\n\nSECRET + TLP:RED\n")
    assert joined.ok
    twice = lint(SEVERAL, "(S + TS) a\n")
    assert "two-marks" in [finding.rule for finding in twice.findings]
    assert level(twice) == "TOP SECRET"


def test_a_mark_of_another_policy_is_told_and_counts() -> None:
    linted = lint(SEVERAL, "SECRET\n\n(S) a\n\n(S) b\n\n(NS) c\n\nSECRET\n")
    assert one("SECRET\n\n(S) a\n\n(S) b\n\n(NS) c\n\nSECRET\n", "other-policy", SEVERAL).facts == (
        ("policy", "nato"),
        ("own", "us"),
    )
    assert linted.policy == "us"
    assert {mark.policy for mark in linted.rolled.marks} == {"us", "nato"}  # type: ignore[union-attr]


def test_a_mark_of_a_policy_that_is_not_listed_is_not_passed_over() -> None:
    found = one("TOP SECRET\n\n(S) a\n\n(CTS//BOHEMIA) b\n\nTOP SECRET\n", "unlisted-policy")
    assert dict(found.facts)["policy"] == "nato"
    alone = lint(Policies.load(["tlp"]), "(S//NF) a\n")
    assert [(each.rule, dict(each.facts)) for each in alone.findings] == [("unlisted-policy", {"policy": "us"})]
    assert alone.rolled is None


def test_a_policy_is_told_by_most_of_the_marks() -> None:
    assert lint(SEVERAL, "NATO SECRET\n\n(NS) a\n\nNATO SECRET\n").policy == "nato"
    assert lint(SEVERAL, "SECRET\n\n(S) a\n\nSECRET\n").policy == "us"
    assert lint(Policies.load(["fr", "us"]), "SECRET\n\nmots\n\nSECRET\n").policy == "fr"


def test_compilation_needs_a_reason() -> None:
    text = "TOP SECRET\n\n(S) a\n\n(U) Classified by compilation: together they show the plan.\n\nTOP SECRET\n"
    found = one(text, "compilation")
    assert found.severity == "note"
    assert "together they show" in text[found.start : found.end]
    assert lint(US, text).ok
    assert one("TOP SECRET\n\n(S) a, by compilation", "compilation").end == len("TOP SECRET\n\n(S) a, by compilation")


def test_a_banner_above_unmarked_paragraphs_may_be_right() -> None:
    assert one("TOP SECRET\n\n(S) a\n\nWords.\n\nTOP SECRET\n", "banner-above").severity == "warning"
    assert one("TOP SECRET\n\n(S) a\n\nTOP SECRET\n", "banner-above").severity == "error"


def test_a_banner_amid_the_text_counts_as_a_portion() -> None:
    words = "\n\n".join(f"(U) {n}" for n in range(8))
    text = f"UNCLASSIFIED\n\n{words}\n\nSECRET\n\n{words}\n\nUNCLASSIFIED\n"
    assert rules(text) == ["banner-below", "banner-amid", "banner-below"]


def test_a_level_and_its_mention_on_two_lines_are_one_banner() -> None:
    text = "SECRET\nTOP SECRET\n\n(TS) a\n\nTOP SECRET\n"
    assert rules(text) == []
    assert rules("SECRET\nCONFIDENTIAL\n\n(TS) a\n\nTOP SECRET\n") == ["banner-below"]


def page(banner: str, *portions: str) -> str:
    return "\n\n".join([banner, *portions, *(f"(U) {n}" for n in range(9)), banner])


def test_inner_pages_may_bear_their_own_banner() -> None:
    whole = page("SECRET//NOFORN", "(S//NF) a")
    assert rules(f"{whole}\f{page('UNCLASSIFIED')}\f{whole}") == []
    assert rules(f"{whole}\f{page('UNCLASSIFIED', '(C) b')}") == ["banner-below", "banner-below"]
    assert rules(f"{page('UNCLASSIFIED')}\f{whole}") == ["banner-below", "banner-below"]
    assert rules(f"{whole}\fSECRET//NOFORN\n\nWords.\n\nMore.\n\nSECRET//NOFORN") == ["unmarked", "unmarked"]


def test_a_line_that_runs_along_the_pages_is_nobodys_paragraph() -> None:
    one_page = "SECRET\n\n(S) a\n\nReport 7, page {}\n\nSECRET"
    assert rules("\f".join(one_page.format(number) for number in range(4))) == []
    assert rules(one_page.format(1)) == ["unmarked"]


def test_places_and_paragraphs_of_the_source() -> None:
    text = "SECRET//NOFORN\r\n\r\n- (S/NF) One.\r\n\r\nSECRET//NOFORN\r\n"
    found = one(text, "separator")
    assert text[found.start : found.end] == "S/NF"
    assert found.fix == "S//NF"
    assert found.paragraph
    assert one("(S) a\n", "banner-missing").paragraph.startswith("D.1")
    assert one("TLP:RED\n\nwords\n\nTLP:AMBER\n", "banners-differ", SEVERAL).paragraph == ""


def test_every_rule_and_every_reason_has_its_sentences() -> None:
    for language in LANGUAGES:
        found = {slug.split(".")[2] for slug in sentences(language) if slug.startswith("labels.rule.")}
        for rule in found:
            for part in ("title", "says", "help"):
                assert say(f"labels.rule.{rule}.{part}", language)


SPOKEN = (
    "S TS C U X NF OC FOUO SI SI-G REL TO USA, GBR QQQ FVEY RELIDO // / , ( ) [ ] + - SECRET TOP NOFORN TLP:RED //NS "
    "//JOINT CAN \u200b \u202e Ѕ \n \n\n \f words SECRET//NOFORN (S//NF) (U) (TS//SI//NF) (S//REL) ATOMAL RD CNWDI"
)
WORDS = st.sampled_from(SPOKEN.split(" "))


@settings(max_examples=250, deadline=None)
@given(st.lists(WORDS, max_size=24).map(" ".join))
def test_whatever_is_written_raises_nothing_and_is_told_in_both_languages(text: str) -> None:
    linted = lint(SEVERAL, text)
    for finding in linted.findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        for language in LANGUAGES:
            told = say(f"labels.rule.{finding.rule}.says", language, **dict(finding.facts))
            assert not any(
                f"{{{name}}}" in told for name in ("control", "was", "list", "level", "needed", "code", "policy")
            )
    for reason in linted.rolled.reasons if linted.rolled else ():
        for language in LANGUAGES:
            assert say(f"labels.rollup.{reason.rule}", language, control=reason.control)
    starts = [(edit.start, edit.end) for edit in linted.edits]
    assert all(before[1] <= after[0] for before, after in pairwise(starts))


def test_a_thousand_documents_leave_nothing_behind() -> None:
    """Distinct marks in each, so that whatever remembered them would grow."""

    def look(number: int) -> None:
        lint(US, f"SECRET\n\n(S//SAR-P{number}) a\n\n(S//REL TO USA, GBR) b {number}\n")

    for number in range(50):
        look(number)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(50, 1050):
            look(number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()


def test_the_manuals_own_pages() -> None:
    """The manual is portion-marked throughout: its own banner is no finding on the pages that bear it."""
    where = os.environ.get("CASEMATE_TEST_DATA")
    if not where or not (manual := Path(where, "labels/capco-2016/CAPCO-2016.txt")).exists():
        pytest.skip("CASEMATE_TEST_DATA names no copy of the manual")
    linted = lint(US, manual.read_text("utf-8", "replace"))
    assert linted.policy == "us"
    assert len(linted.portions) > 1000


@pytest.mark.parametrize(("gap", "rule"), [("\f", "banner-below"), ("\n", "banners-differ")], ids=["page", "end"])
def test_the_label_holds_every_banner(gap: str, rule: str) -> None:
    """A higher banner on a later page, or at the end, is the document's: what is below it is raised to it."""
    high = "TOP SECRET//SI//NOFORN"
    text = f"SECRET//NOFORN\n\n(S//NF) One.\n\n(U) Two.\n{gap}{high}\n\n(U) Three.\n\n{high}\n"
    linted = lint(US, text)
    assert linted.rolled is not None
    assert US.parse(f"us:{high}") <= linted.rolled.label
    [found] = [each for each in linted.findings if each.start == 0 and each.severity == "error"]
    assert (found.rule, found.fix) == (rule, high)
    assert fix(US, text).text.startswith(high)
