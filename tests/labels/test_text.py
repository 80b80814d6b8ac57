"""Where marks stand in a text: every place by its offset, whatever stands around it, in time that is linear."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.labels import Lines, Policies
from casemate.labels.linter.text import BANNER, PORTION, UNMARKED, Scanner, body, runs
from casemate.labels.reading import LONGEST

US = Policies.load(["us"])
SCANNER = Scanner(US.listed.values())


def seen(text: str) -> list[tuple[str, str, str]]:
    return [(spot.kind, text[spot.start : spot.end], spot.odd) for spot in SCANNER.spots(text)]


@pytest.mark.parametrize(
    ("text", "kind", "words", "odd"),
    [
        ("SECRET//NOFORN", BANNER, "SECRET//NOFORN", ""),
        ("## SECRET//NOFORN", BANNER, "SECRET//NOFORN", ""),
        ("**SECRET//NOFORN**", BANNER, "SECRET//NOFORN", ""),
        ("  SECRET  ", BANNER, "SECRET", ""),
        ("secret//noforn", BANNER, "secret//noforn", ""),
        ("SECERT//NOFORN", BANNER, "SECERT//NOFORN", ""),
        ("ЅECRET//NOFORN", BANNER, "ЅECRET//NOFORN", ""),
        ("//JOINT SECRET CAN USA", BANNER, "//JOINT SECRET CAN USA", ""),
        ("(S//NF) a", PORTION, "(S//NF)", ""),
        ("  - 1. (S//NF) a", PORTION, "(S//NF)", ""),
        ("**(S//NF)** a", PORTION, "(S//NF)", ""),
        ("[S//NF] a", PORTION, "[S//NF]", "brackets"),
        ("(S//NF)a", PORTION, "(S//NF)", "glued"),
        ("(S//NF a", PORTION, "(S//NF", "unclosed"),
        ("\u200b(S//NF) a", PORTION, "(S//NF)", "hidden"),
        ("(C)ompany", UNMARKED, "(C)ompany", ""),
        ("(C) Copyright Nobody", UNMARKED, "(C) Copyright Nobody", ""),
        ("[C] ab", UNMARKED, "[C] ab", ""),
        ("(So", UNMARKED, "(So", ""),
        ("( ab c", UNMARKED, "( ab c", ""),
        ("Plain words.", UNMARKED, "Plain words.", ""),
        ("http://x.y/Z", UNMARKED, "http://x.y/Z", ""),
        ("// a comment", UNMARKED, "// a comment", ""),
    ],
)
def test_a_line(text: str, kind: str, words: str, odd: str) -> None:
    assert seen(text) == [(kind, words, odd)]


@pytest.mark.parametrize(
    "text", ["", "\n \n", "---", "12", "Classified By: me", "Reason: 1.4", "Page 3 of 4", "page 3"]
)
def test_lines_that_are_nobodys_paragraph(text: str) -> None:
    assert seen(text) == []


def test_what_goes_on_below_a_mark_bears_that_mark() -> None:
    assert [kind for kind, _, _ in seen("(S) a\nb\n\n- an item\n\n  more\n\nNot this.\n\n- nor this\n")] == [
        PORTION,
        UNMARKED,
        UNMARKED,
    ]
    assert [words for _, words, _ in seen("(S) a\n\n1. an item\n\nOther.\n\nSECRET\nNext.\n")] == [
        "(S)",
        "Other.",
        "SECRET",
        "Next.",
    ]


def test_the_edges_of_each_page() -> None:
    lines = [f"Line {number}." for number in range(12)]
    lines[1] = lines[6] = lines[11] = "SECRET"
    text = "\n".join(lines) + "\f" + "\n".join(lines)
    banners = [spot for spot in SCANNER.spots(text) if spot.kind == BANNER]
    assert [(spot.page, spot.order, spot.edge) for spot in banners] == [
        (page, order, order != 6) for page in (0, 1) for order in (1, 6, 11)
    ]


def test_banners_on_lines_that_follow_each_other_are_one_run() -> None:
    text = "SECRET\nTOP SECRET\nwords\nSECRET\f\nSECRET\n"
    found = list(runs(spot for spot in SCANNER.spots(text) if spot.kind == BANNER))
    assert [len(run) for run in found] == [2, 1, 1]
    assert list(runs([])) == []


def test_front_matter_is_no_paragraph_and_keeps_no_banner_from_the_edge() -> None:
    text = "---\ntitle: A\na: 1\nb: 2\nc: 3\n---\n\nSECRET\n\n(S) a\n"
    assert body(text) == text.index("\n\nSECRET") + 1
    assert [(spot.kind, spot.edge) for spot in SCANNER.spots(text)] == [(BANNER, True), (PORTION, False)]
    assert body("no front matter") == 0


def test_lines_and_columns() -> None:
    lines = Lines("ab\ncd\r\ne\rf")
    assert [lines.at(place) for place in (0, 2, 3, 7, 9)] == [(1, 1), (1, 3), (2, 1), (3, 1), (4, 1)]
    assert [lines.line(number) for number in (1, 2, 3, 4)] == ["ab", "cd", "e", "f"]
    assert Lines("").at(0) == (1, 1)


@pytest.mark.parametrize(
    "line",
    [
        "SECRET//" + "A/" * 500_000,
        "(S//" + "A/" * 500_000,
        "(" + "A" * 1_000_000,
        "- " * 500_000,
        "#" * 1_000_000,
        "SECRET" + " " * 1_000_000 + "x",
        "(S)" + " " * 1_000_000,
        "\u200b" * 1_000_000 + "(S) a",
        "A" * 1_000_000,
    ],
    ids=["banner", "portion", "letters", "bullets", "hashes", "spaces", "trailing", "hidden", "word"],
)
def test_a_line_of_a_million_characters(line: str) -> None:
    for spot in SCANNER.spots(line):
        assert spot.kind == UNMARKED or spot.length <= LONGEST


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("()[]/ -SNFOCRETUX\n\f\r\u200b\u202eЅ*#1.a"), max_size=120))
def test_places_lie_in_the_text_in_order_and_apart(text: str) -> None:
    spots = SCANNER.spots(text)
    assert all(0 <= spot.start <= spot.end <= len(text) for spot in spots)
    assert all(before.end <= after.start for before, after in pairwise(spots))
    assert all(spot.start <= spot.at <= spot.at + spot.length <= spot.end for spot in spots if spot.kind != UNMARKED)
