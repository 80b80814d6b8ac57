"""The authority block: its attributes, its two renderings, and what it lacks."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError
from casemate.labels.xml.authority import Authority, authority_of, block, manual_block, missing

ORIGINAL = Authority(classified_by="J. Doe, Director", reason="1.4(c)", date="2046-11-21")
DERIVED = Authority(derivatively_classified_by="J. Doe", derived_from="Multiple Sources", exception="AEA")


def test_a_block_is_what_its_attributes_say() -> None:
    every = Authority("a", "b", "c", "d", "25X1", "2050-01-01", "the event")
    assert authority_of(every.attributes()) == every
    assert authority_of({f"{{urn:us:gov:ic:ism}}{name}": value for name, value in every.attributes().items()}) == every
    assert authority_of({"classification": "S", "classifiedBy": " "}) is None
    assert authority_of({"classifiedBy": " J.\n Doe "}) == Authority(classified_by="J. Doe")


@pytest.mark.parametrize("date", ["2050-13-01", "20500101", "soon", "2050-01-01T00:00:00"])
def test_a_date_is_a_date(date: str) -> None:
    with pytest.raises(MarkingError):
        Authority(date=date)


@pytest.mark.parametrize(
    ("authority", "lines"),
    [
        (ORIGINAL, ["Classified by: J. Doe, Director", "Reason: 1.4(c)", "Declassify on: November 21, 2046"]),
        (Authority("x", reason="r", event="the end"), ["Classified by: x", "Reason: r", "Declassify on: the end"]),
        (
            Authority("x", reason="r", exception="25X1", date="2050-01-01", event="the end"),
            ["Classified by: x", "Reason: r", "Declassify on: 25X1, January 1, 2050 or the end"],
        ),
        (
            DERIVED,
            [
                "Classified by: J. Doe",
                "Derived from: Multiple Sources",
                "Declassify on: Not Applicable to RD/FRD/TFNI portions. See source list for NSI portions.",
            ],
        ),
    ],
    ids=["original", "event", "all of them", "derivative"],
)
def test_the_words_of_ism(authority: Authority, lines: list[str]) -> None:
    assert list(block(authority, classified=True)) == lines


def test_the_words_of_the_manual() -> None:
    assert manual_block(ORIGINAL) == (
        "Classified By: J. Doe, Director",
        "Classification Reason: 1.4(c)",
        "Declassify On: 20461121",
    )
    assert manual_block(DERIVED) == (
        "Classified By: J. Doe",
        "Derived From: Multiple Sources",
        "Declassify On: N/A to RD/FRD/TFNI portions. See source list for NSI portions.",
    )
    assert manual_block(Authority("x", exception="25X1", date="2050-01-01"))[-1] == "Declassify On: 25X1, 20500101"
    assert manual_block(Authority()) == ()


@pytest.mark.parametrize(
    ("authority", "classified", "slugs"),
    [
        (None, False, ()),
        (ORIGINAL, False, ("authority-unclassified",)),
        (ORIGINAL, True, ()),
        (DERIVED, True, ()),
        (None, True, ("authority-none", "authority-end")),
        (Authority("x", derived_from="y", reason="r", event="e"), True, ("authority-both",)),
        (Authority("x", event="e"), True, ("authority-reason",)),
        (Authority("x", reason="r", exception="25X1"), True, ("authority-date",)),
        (Authority("x", reason="r", exception="50X1-HUM"), True, ()),
    ],
    ids=str,
)
def test_what_is_missing_is_said(authority: Authority | None, classified: bool, slugs: tuple[str, ...]) -> None:
    assert missing(authority, classified=classified) == slugs


def test_a_classified_document_without_a_block_says_so_and_an_unclassified_one_is_silent() -> None:
    assert [line[:10] for line in block(None, classified=True)] == ["(\xa0WARNING!"] * 2
    assert block(None, classified=False) == ()
    assert block(ORIGINAL, classified=False) == block(ORIGINAL, classified=True)
