"""The questions: answers that are really there, seen by those who may, and by nobody else."""

from __future__ import annotations

from functools import cache

import pytest

from casemate import exercise
from casemate.labels import Label
from tests.exercise.marks import POLICIES, policy_of, portion

QUESTIONS = exercise.questions()
PRINCIPALS = exercise.principals()
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=[question.id for question in QUESTIONS])


@cache
def portions() -> tuple[tuple[str, Label, str], ...]:
    """(document, label, text) of every paragraph of the corpus."""
    return tuple(
        (document.name, *portion(paragraph, policy_of(document)))
        for document in exercise.documents()
        for paragraph in document.paragraphs
    )


@cache
def clearances() -> dict[str, Label]:
    return {principal.name: clearance(principal) for principal in PRINCIPALS}


def clearance(principal: exercise.Principal) -> Label:
    return POLICIES.top() if principal.clearance == exercise.CEILING else POLICIES.clearance(principal.clearance)


def test_there_are_enough_questions_and_each_is_asked_once() -> None:
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS)
    assert sum(bool(question.answers) for question in QUESTIONS) >= 60
    assert sum(question.must_abstain for question in QUESTIONS) == 12
    assert {question.language for question in QUESTIONS} == {"en", "fr"}
    assert len(exercise.demo_questions()) == 3


def test_the_principals_are_the_five_and_know_their_place() -> None:
    names = [principal.name for principal in PRINCIPALS]
    assert names == ["visitor", "analyst", "intelligence-officer", "french-officer", "auditor"]
    assert [principal.demo for principal in PRINCIPALS] == [True, True, True, True, False]
    cleared = clearances()
    assert cleared["visitor"] is POLICIES.bottom()
    assert cleared["analyst"] < cleared["intelligence-officer"] < cleared["auditor"]
    assert not cleared["french-officer"] <= cleared["intelligence-officer"]
    assert not cleared["analyst"] <= cleared["french-officer"]
    assert cleared["french-officer"] < cleared["auditor"]


@each_question
def test_a_phrase_occurs_in_one_portion_of_its_document(question: exercise.Question) -> None:
    for answer in question.answers:
        found = [text for name, _, text in portions() if name == answer.document and answer.phrase in text]
        assert len(found) == 1, answer


@each_question
def test_each_principal_expects_exactly_what_he_may_see(question: exercise.Question) -> None:
    for principal in PRINCIPALS:
        seen = clearances()[principal.name]
        visible = {(name, text) for name, label, text in portions() if label <= seen}
        expected = question.expected[principal.name]
        for answer in question.answers:
            shown = any(name == answer.document and answer.phrase in text for name, text in visible)
            assert shown == (answer in expected), (principal.name, answer)


@each_question
def test_a_hidden_phrase_stands_in_no_visible_portion(question: exercise.Question) -> None:
    for principal in PRINCIPALS:
        seen = clearances()[principal.name]
        hidden = [answer.phrase for answer in question.answers if answer not in question.expected[principal.name]]
        visible = [(name, text) for name, label, text in portions() if label <= seen]
        leaks = [(name, phrase) for name, text in visible for phrase in hidden if phrase in text]
        assert leaks == [], principal.name


@pytest.mark.parametrize("question", exercise.demo_questions(), ids=lambda question: question.id)
def test_a_demo_question_has_another_answer_for_each_principal(question: exercise.Question) -> None:
    demo = [principal.name for principal in PRINCIPALS if principal.demo]
    assert len({question.expected[name] for name in demo}) == len(demo) == 4
    assert all(question.expected[name] for name in demo)


def test_many_questions_divide_the_principals() -> None:
    divided = [question for question in QUESTIONS if len(set(question.expected.values())) > 1]
    assert len(divided) >= 50
    contested = [question for question in QUESTIONS if len(question.answers) > 1]
    assert len(contested) >= 12
