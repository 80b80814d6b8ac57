"""What is typed into a search box: operators where they can be read, and words everywhere else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.knowledge.index.filter import Compare, Every, Some
from casemate.knowledge.index.query import LONGEST, PARTS, Need, Query, parse, parse_strict

DAY = 86_400 * 1_000_000


def test_plain_words_are_the_text_as_it_is() -> None:
    for text in ("When does  the convoy leave?", "", "  ", "e-mail at 12:30, see http://x/y", "C:\\temp :( a - b -5"):
        assert parse(text) == Query(text)
        assert not parse(text).narrows


def test_phrases_exclusions_and_fields() -> None:
    query = parse('convoy "dry dock" -storm -"two storms" title:harbour heading:"fuel state" text:ferry')
    assert query.text == "convoy dry dock fuel state ferry"
    assert query.needs == (
        Need(("dry", "dock")),
        Need(("storm",), "", True),
        Need(("two", "storm"), "", True),
        Need(("harbour",), "title"),
        Need(("fuel", "stat"), "heading"),
        Need(("ferri",), "text"),
    )
    assert query.filter is None
    assert query.narrows


@pytest.mark.parametrize("text", ["“dry dock”", "« dry dock »", "„dry dock“", '"dry dock"', "＂dry dock＂"])
def test_any_quotation_marks_make_a_phrase(text: str) -> None:
    assert parse(text).needs == (Need(("dry", "dock")),)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("base:port", Compare("base", "eq", "port")),
        ("base:port,", Compare("base", "eq", "port")),
        ("-base:port", Compare("base", "ne", "port")),
        ("base:port base:quay", Some((Compare("base", "eq", "port"), Compare("base", "eq", "quay")))),
        ("document:doc_x", Compare("document", "eq", "doc_x")),
        ("lang:FR", Compare("language", "eq", "fr")),
        ("langue:fr", Compare("language", "eq", "fr")),
        ("media:pdf", Compare("media", "in", ("application/pdf",))),
        ("-media:.PDF", Compare("media", "nin", ("application/pdf",))),
        ("media:Text/Odd", Compare("media", "eq", "text/odd")),
        ("mark:(S//NF)", Compare("mark", "eq", "(S//NF)")),
        ("marque:S//NF", Compare("mark", "eq", "(S//NF)")),
        ("mark:(S//REL TO USA, GBR)", Compare("mark", "eq", "(S//REL TO USA, GBR)")),
        ('mark:"S//NF"', Compare("mark", "eq", "(S//NF)")),
        ("after:1970-01-02", Compare("at", "gte", float(DAY))),
        ("après:1970-01-02", Compare("at", "gte", float(DAY))),
        ("before:1970-02", Compare("at", "lt", float(31 * DAY))),
        ("avant:1971", Compare("at", "lt", float(365 * DAY))),
        ("-before:1971", Compare("at", "gte", float(365 * DAY))),
        ("-after:1971", Compare("at", "lt", float(365 * DAY))),
        (
            "after:1970-01-02 after:1970-01-03",
            Every((Compare("at", "gte", float(DAY)), Compare("at", "gte", float(2 * DAY)))),
        ),
        ("attr.Author:ann", Compare("attr.Author", "eq", "ann")),
        ("attr.year:2024", Some((Compare("attr.year", "eq", "2024"), Compare("attr.year", "eq", 2024.0)))),
        ("attr.draft:true", Some((Compare("attr.draft", "eq", "true"), Compare("attr.draft", "eq", True)))),
        ("-attr.draft:vrai", Every((Compare("attr.draft", "ne", "vrai"), Compare("attr.draft", "ne", True)))),
        ('attr.to:"two words"', Compare("attr.to", "eq", "two words")),
        (
            "base:port lang:en",
            Every((Compare("base", "eq", "port"), Compare("language", "eq", "en"))),
        ),
    ],
)
def test_filters(text: str, rule: object) -> None:
    query = parse(f"convoy {text}")
    assert query == Query("convoy", (), rule)  # type: ignore[arg-type]
    assert parse_strict(f"convoy {text}") == query


def test_french_names_are_names() -> None:
    query = parse("titre:port intertitre:essence texte:navire")
    assert [need.field for need in query.needs] == ["title", "heading", "text"]


def test_words_that_are_never_indexed_ask_for_nothing() -> None:
    assert parse('convoy "the" title:of -and') == Query("convoy the")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('convoy "dry dock', "not closed"),
        ('-"dry', "not closed"),
        ("after:soon", "after:soon cannot be read"),
        ("after:2026-02-30", "cannot be read"),
        ("before:0000", "cannot be read"),
        ("base:?", "cannot be read"),
        ("mark:()x author:ann", "author: is neither"),
        ("attr.:x", "neither"),
        ("title: harbour", "title: has no value"),
        ("x" * (LONGEST + 1), "at most 8192"),
        (" ".join(["-storm"] * (PARTS + 1)), "at most 64"),
    ],
)
def test_a_program_is_told_and_a_person_is_not(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_strict(text)
    assert said in caught.value.facts["what"]
    assert isinstance(parse(text), Query)


def test_what_cannot_be_read_is_words() -> None:
    assert parse("after:soon convoy") == Query("after:soon convoy")
    assert parse('say "convoy') == Query('say "convoy')
    assert parse("-author:ann lang:fr").text == "-author:ann"


def test_the_bounds_hold_for_people_too() -> None:
    many = parse(" ".join(["-storm"] * (PARTS + 3)))
    assert len(many.needs) == PARTS
    assert many.text == "-storm -storm -storm"
    assert parse("x" * (LONGEST + 9)).text == "x" * LONGEST


pieces = st.sampled_from(
    [
        "-",
        '"',
        ":",
        "title:",
        "mark:",
        "(",
        ")",
        "attr.x:",
        "après:",
        "2026",
        " ",
        "«",
        "»",
        "base:",
        "e\u0301",
        "\ud7ff",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces | st.text(max_size=4), max_size=24).map("".join))
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    query = parse(text)
    assert len(query.needs) <= PARTS
    assert query == parse(text)
    with contextlib.suppress(BadInput):
        assert parse_strict(text) == query
