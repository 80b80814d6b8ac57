"""The documents: shape, marks and honesty about being invented."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from casemate import exercise

MARK = re.compile(r"\(([^)]+)\) ")
DOCUMENTS = exercise.documents()
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])


def marks(document: exercise.Document) -> list[str]:
    found = [MARK.match(paragraph) for paragraph in document.paragraphs]
    assert all(found), f"{document.name}: a paragraph opens without a portion mark"
    return [match.group(1) for match in found if match]


def test_there_are_enough_documents_and_no_two_are_alike() -> None:
    assert len(DOCUMENTS) >= 66
    assert len({document.name for document in DOCUMENTS}) == len(DOCUMENTS)
    assert len({document.data for document in DOCUMENTS}) == len(DOCUMENTS)
    titles = [document.paragraphs[0] for document in DOCUMENTS]
    assert len(set(titles)) == len(titles)


def test_every_kind_of_marking_is_there() -> None:
    banners = Counter(document.banner for document in DOCUMENTS)
    assert banners["UNCLASSIFIED"] >= 12
    assert sum(n for banner, n in banners.items() if banner.startswith(("SECRET//", "CONFIDENTIAL//"))) >= 18
    assert sum(n for banner, n in banners.items() if banner.startswith("TOP SECRET//")) >= 10
    assert sum(n for banner, n in banners.items() if banner.startswith("NATO ")) >= 8
    assert sum(n for banner, n in banners.items() if banner.startswith("TLP:")) >= 6
    assert sum(document.name.startswith("fr-") for document in DOCUMENTS) >= 8
    assert sum(document.name.startswith("house-") for document in DOCUMENTS) >= 6


@each_document
def test_a_document_is_short_and_banners_enclose_it(document: exercise.Document) -> None:
    lines = document.text.splitlines()
    assert lines[0] == lines[-1] == document.banner
    assert document.text.endswith("\n")
    assert "\r" not in document.text
    assert document.text.count(f"\n{document.banner}\n") == 1, "a banner stands on the first and the last line only"
    assert 120 <= len(" ".join(document.paragraphs).split()) <= 350
    assert marks(document)
    assert all("\n" not in paragraph for paragraph in document.paragraphs)


@each_document
def test_a_document_says_that_it_is_an_exercise(document: exercise.Document) -> None:
    title, drill = document.paragraphs[:2]
    assert re.match(r"\([^)]+\) EXERCISE (HARBOUR|STEADY) LANTERN - ", title)
    word = "EXERCICE" if document.name.startswith("fr-") else "EXERCISE"
    assert MARK.sub("", drill) == f"{word} {word} {word}"


@each_document
def test_no_paragraph_is_said_twice(document: exercise.Document) -> None:
    assert len(set(document.paragraphs)) == len(document.paragraphs)
