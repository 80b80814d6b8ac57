"""The written questions: enough of them, each with an answer that is really there, in the document that it names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from casemate import exercise
from casemate.engines.hashing import hashed
from casemate.knowledge import Asked, Passage, build, terms
from casemate.knowledge.evaluate import Found, Question, evaluated, outcomes
from casemate.labels import Label
from tests.quality.corpora import CORPORA, asked, clearance, corpus

WORDS = 12
DEPTH = 5


def squeezed(text: str) -> str:
    return " ".join(text.split())


def placed(passages: tuple[Passage, ...], phrase: str) -> set[str]:
    """The documents that hold a phrase inside one passage."""
    return {passage.document for passage in passages if phrase in squeezed(passage.text)}


def all_of(name: str, data: Path) -> tuple[Passage, ...]:
    return tuple(passage for passages in corpus(name, data).values() for passage in passages)


def test_there_are_enough_questions_and_each_is_asked_once() -> None:
    every = [question for name in CORPORA for question in asked(name)]
    answered = [question for question in every if question.answers]
    assert len(answered) >= 150
    assert Counter(bool(question.answers) for question in every)[False] >= 20
    assert len({question.text for question in every}) == len({question.id for question in every}) == len(every)
    assert {question.kind for question in answered} == {"words", "sense", "names", "cross"}
    assert {question.kind for question in every if not question.answers} == {"none"}
    assert {question.language for question in asked("exercise")} == {"en", "fr"}
    assert len(asked("frus")) >= 70
    assert len(asked("capco")) >= 40
    assert len(asked("exercise")) >= 40
    old = {question.text for question in exercise.questions()}
    assert not old & {question.text for question in every}


@pytest.mark.parametrize("name", CORPORA)
def test_an_answer_is_a_short_phrase(name: str) -> None:
    for question in asked(name):
        for answer in question.answers:
            assert answer.document
            assert answer.phrase == squeezed(answer.phrase)
            assert 2 <= len(answer.phrase.split()) <= WORDS, answer


def test_an_answer_on_the_exercise_stands_in_its_document_alone() -> None:
    exact(asked("exercise"), all_of("exercise", Path()))


@pytest.mark.data
@pytest.mark.parametrize("name", ["frus", "capco"])
def test_an_answer_on_real_documents_stands_in_its_document_alone(name: str, real_documents: Path) -> None:
    exact(asked(name), all_of(name, real_documents))


def exact(questions: tuple[Question, ...], passages: tuple[Passage, ...]) -> None:
    for question in questions:
        for answer in question.answers:
            assert placed(passages, answer.phrase) == {answer.document}, (question.id, answer.phrase)


def test_a_question_of_another_language_is_answered_in_the_other() -> None:
    for question in asked("exercise"):
        french = {answer.document.startswith("fr-") for answer in question.answers}
        if question.kind == "cross":
            assert french == {question.language == "en"}, question.id
        elif question.answers:
            assert (question.language == "fr") in french, question.id


def hit(name: str, kind: str, embed, data: Path = Path()) -> float:  # type: ignore[no-untyped-def]
    """hit@5 over the questions of a kind, all labels visible; `embed` makes a vector of a text, or none."""
    world = corpus(name, data)
    shards = [
        build(label, passages, [embed(each.indexed) for each in passages], embedder="test")
        for label, passages in world.items()
    ]

    def search(question: Question) -> tuple[list[Found], bool | None]:
        vector = embed(question.text)
        hits = Asked(terms(question.text), {"test": vector} if vector else {}).search(shards, DEPTH).hits
        return [Found(hit.passage.text, frozenset((hit.passage.document,))) for hit in hits], None

    chosen = [question for question in asked(name) if question.kind == kind]
    figure = evaluated(list(outcomes(chosen, search)), DEPTH).hit
    assert figure is not None
    return figure.value


def test_an_embedder_of_many_languages_finds_what_stands_in_the_other() -> None:
    """A stub: a question's vector is that of its answer, so its cosine is 1. What is measured is what fusion leaves of
    it: by reciprocal ranks 0.81, since passages in the middle of both lists stand before the first of one."""
    passages = all_of("exercise", Path())
    answers = {
        question.text: next(each.indexed for each in passages if question.answers[0].phrase in squeezed(each.text))
        for question in asked("exercise")
        if question.kind == "cross"
    }
    assert hit("exercise", "cross", lambda text: hashed(answers.get(text, text))) >= 0.8
    assert hit("exercise", "cross", lambda text: b"") < 0.2


def test_each_reader_finds_what_he_may_see() -> None:
    """hit@5 by full text alone over the exercise's own questions, as each principal sees them."""
    world = {label: build(label, passages) for label, passages in corpus("exercise", Path()).items()}
    good = all_ = 0
    for principal in exercise.principals():
        seen: Label = clearance(principal)
        shards = [shard for label, shard in world.items() if label <= seen]
        for question in exercise.questions():
            expected = question.expected[principal.name]
            if expected:
                hits = Asked(terms(question.text), {}).search(shards, DEPTH).hits
                texts = [squeezed(hit.passage.text) for hit in hits]
                good += any(answer.phrase in text for answer in expected for text in texts)
                all_ += 1
    assert good / all_ >= 0.95, (good, all_)
