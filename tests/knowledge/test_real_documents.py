"""Real documents come through: a manual about marks, full of examples of them, and diplomatic papers without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.cells.extract import Part, Request, extract
from casemate.knowledge import Asked, Block, Marked, Quarantine, Unmarked, build, passages, query_terms, read, sentences
from casemate.knowledge.reading.portions import outer
from casemate.labels import Policies

POLICIES = Policies.load(("house", "tlp", "us", "nato", "fr"))
BASE = POLICIES.bottom(("EXERCISE",))


def blocks(part: Part) -> list[Block]:
    paged = len(part.pages) > 1
    return [
        Block(paragraph.text, number if paged else 0, paragraph.kind)
        for number, page in enumerate(part.pages, start=1)
        for paragraph in page
    ]


@pytest.mark.data
def test_the_manual_of_marks_is_text_about_marks(real_documents: Path) -> None:
    raw = (real_documents / "labels/capco-2016/CAPCO-2016.pdf").read_bytes()
    [part] = extract(Request(name="CAPCO-2016.pdf", data=raw)).parts
    made = blocks(part)
    assert isinstance(read(made, POLICIES, BASE), Quarantine)
    stated = POLICIES.parse("us:UNCLASSIFIED//FOUO")
    found = read(made, POLICIES, BASE, stated, as_text=True)
    assert isinstance(found, Marked)
    chosen = passages(found.portions, found.label, "doc", "Register and Manual")
    assert len(chosen) > 400
    assert not [p for p in chosen if "This document is not approved for public release" in p.text]
    assert {p.page for p in chosen} <= set(range(1, 201))
    question = "Who may grant a waiver from portion marking?"
    [best, *_] = Asked(query_terms(question)).search([build(found.label, chosen)], 5).hits
    assert "(U) The Director of ISOO may grant a waiver from portion marking." in sentences(best.passage.text)


@pytest.mark.data
def test_papers_without_marks_wait_for_a_label(real_documents: Path) -> None:
    raw = (real_documents / "frus/frus1934v04.xml").read_bytes()
    volume = extract(Request(name="frus1934v04.xml", data=raw))
    around = outer([Block(paragraph.text) for paragraph in volume.outside], POLICIES)
    assert around == ()
    assert len(volume.parts) == 702
    assert all(isinstance(read(blocks(part), POLICIES, BASE, around=around), Unmarked) for part in volume.parts)
    stated = POLICIES.parse("house:INTERNAL")
    found = [read(blocks(part), POLICIES, BASE, stated, around=around) for part in volume.parts]
    assert {outcome.label for outcome in found if isinstance(outcome, Marked)} == {stated | BASE}
