"""The marks, read by the house's own policies: every banner is the roll-up of its portions."""

from __future__ import annotations

import pytest

from casemate import exercise
from casemate.labels import rollup
from tests.exercise.marks import POLICIES, policy_of, portion

DOCUMENTS = exercise.documents()
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])


@each_document
def test_the_banner_is_the_rollup_of_the_portions(document: exercise.Document) -> None:
    policy = policy_of(document)
    joined = rollup((portion(paragraph, policy)[0] for paragraph in document.paragraphs), POLICIES.bottom())
    banners = [reading for reading in POLICIES.read_banner(document.banner) if reading.policy == policy]
    assert len(banners) == 1
    assert banners[0].problem is None
    # The banner is a projection: DIFFUSION RESTREINTE is in the label of a document, and is not written at SECRET.
    assert POLICIES.clearance(f"{policy}:{document.banner}") >= joined >= banners[0].label
    assert POLICIES.banner(joined) == POLICIES.banner(banners[0].label)


@each_document
def test_a_portion_mark_belongs_to_one_policy(document: exercise.Document) -> None:
    for paragraph in document.paragraphs:
        readings, _ = POLICIES.read_portion(paragraph)
        assert [reading.policy for reading in readings if reading.problem is None] == [policy_of(document)]


@each_document
def test_a_mark_is_spelled_as_the_house_spells_it(document: exercise.Document) -> None:
    for paragraph in document.paragraphs:
        label, rest = portion(paragraph, policy_of(document))
        if label is not POLICIES.bottom():  # several policies have a bottom, and all of them are the same label
            assert f"{POLICIES.portion(label)} {rest}" == paragraph
