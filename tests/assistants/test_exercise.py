"""The reader on the exercise corpus, by full text alone: each reader is told what he may know, and nobody more.

The two floors were set on this corpus. These figures say that they still fit it, and little about other documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from casemate import exercise
from casemate.assistants import candidates, read, select
from casemate.exercise import Principal, Question
from casemate.knowledge import Asked, Block, Hit, Marked, Shard, Statistics, build, passages, query_terms
from casemate.knowledge import read as read_marks
from casemate.labels import Label, Policies

POLICIES = Policies.load(exercise.POLICIES)
BASE = POLICIES.bottom((exercise.AGENCY,))
K = 24


@cache
def shards() -> Mapping[Label, Shard]:
    made: dict[Label, list] = {}  # type: ignore[type-arg]
    for document in exercise.documents():
        found = read_marks([Block(text) for text in document.text.strip().split("\n\n")], POLICIES, BASE)
        assert isinstance(found, Marked), (document.name, found)
        for label in found.labels():
            made.setdefault(label, []).extend(passages(found.portions, label, document.name))
    return {label: build(label, found) for label, found in made.items()}


@cache
def searched(question: str, label: Label) -> tuple[tuple[Hit, ...], Statistics]:
    world = [shard for at, shard in shards().items() if at <= label]
    found = Asked(query_terms(question)).search(world, K)
    return select(found.hits, BASE, label), found.statistics


def clearance(principal: Principal) -> Label:
    agencies = (exercise.AGENCY,)
    if principal.clearance == exercise.CEILING:
        return POLICIES.top(agencies)
    return POLICIES.clearance(principal.clearance, agencies)


def told(question: Question, principal: Principal) -> str:
    """All rungs that the principal gets, as one line."""
    rungs = []
    for label in candidates(BASE, clearance(principal), shards()):
        hits, statistics = searched(question.text, label)
        rung = read(question.text, label, hits, statistics, POLICIES, question.language)
        if rung is not None:
            rungs.append(rung.text)
    return " ".join(" ".join(rungs).split())


@cache
def answers() -> dict[tuple[str, str], str]:
    return {(q.id, p.name): told(q, p) for q in exercise.questions() for p in exercise.principals()}


def test_readers_are_told_what_they_may_know() -> None:
    wanted = [
        (answer.phrase, answers()[question.id, name])
        for question in exercise.questions()
        for name, expected in question.expected.items()
        for answer in expected
    ]
    found = sum(phrase in text for phrase, text in wanted)
    assert found / len(wanted) >= 0.97


def test_nobody_is_told_more() -> None:
    for question in exercise.questions():
        for name, expected in question.expected.items():
            kept = [answer.phrase for answer in question.answers if answer not in expected]
            assert not [phrase for phrase in kept if phrase in answers()[question.id, name]], (question.id, name)


def test_what_the_corpus_does_not_hold_is_not_answered() -> None:
    wrong = [
        key for q in exercise.questions() if q.must_abstain for key in answers() if key[0] == q.id and answers()[key]
    ]
    assert wrong == []


def test_most_readers_for_whom_nothing_answers_get_an_abstention() -> None:
    empty = [
        answers()[question.id, name]
        for question in exercise.questions()
        for name, expected in question.expected.items()
        if question.answers and not expected
    ]
    assert sum(not text for text in empty) / len(empty) >= 0.8


@pytest.mark.parametrize("question", exercise.demo_questions(), ids=lambda question: question.id)
def test_the_questions_of_the_demonstration_divide_their_readers(question: Question) -> None:
    texts = [answers()[question.id, principal.name] for principal in exercise.principals() if principal.demo]
    assert all(texts)
    assert len(set(texts)) == len(texts)
