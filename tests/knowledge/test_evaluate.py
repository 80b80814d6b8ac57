"""The figures: what they are on orders that one can work out by hand, and what holds for all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.knowledge.evaluate import (
    Found,
    Outcome,
    Question,
    Wanted,
    bootstrap,
    difference,
    evaluated,
    gains,
    outcome,
    outcomes,
    questions,
    wilson,
)

ONE = Question("one", "Who?", (Wanted("the harbour master"),))
TWO = Question("two", "What?", (Wanted("sand", grade=3), Wanted("boats", grade=1)))
NONE = Question("none", "Which opera?")
worths = st.lists(st.integers(0, 3), max_size=12)
runs = st.lists(worths, min_size=1, max_size=20).map(
    lambda rows: [Outcome(Question(str(at), "?", (Wanted("x", grade=3),)), tuple(row)) for at, row in enumerate(rows)]
)


def found(*texts: str) -> list[Found]:
    return [Found(text) for text in texts]


# ---- what a passage is worth ---------------------------------------------------------------------------------------


def test_an_answer_counts_where_it_is_first_found() -> None:
    """Kills: an answer that is worth something each time (nDCG above 1)."""
    passages = found("Sand.", "The  Harbour\nMASTER asks.", "It is the harbour master.")
    assert gains(ONE.answers, passages) == (0, 2, 0)
    assert gains(TWO.answers, found("sand and boats", "boats", "sand")) == (3, 0, 0)
    assert gains(TWO.answers, found("boats", "sand")) == (1, 3)
    assert gains((), passages) == (0, 0, 0)


def test_an_answer_stands_in_the_document_that_it_names() -> None:
    wanted = (Wanted("sand", document="a.txt"),)
    there = Found("sand", frozenset({"doc_1", "a.txt"}))
    elsewhere = Found("sand", frozenset({"b.txt"}))
    assert gains(wanted, [elsewhere, there]) == (0, 2)
    assert gains(wanted, [elsewhere, there], names=False) == (2, 0)
    assert gains((Wanted("sand"),), [elsewhere]) == (2,)


# ---- one question --------------------------------------------------------------------------------------------------


def test_the_figures_of_one_order() -> None:
    third = outcome(ONE, found("a", "b", "the harbour master", "c"))
    assert (third.hit(2), third.hit(3)) == (0.0, 1.0)
    assert (third.reciprocal(2), third.reciprocal(5)) == (0.0, 1 / 3)
    assert third.ndcg(2) == 0.0
    assert third.ndcg(5) == pytest.approx(1 / math.log2(4))
    turned = outcome(TWO, found("boats", "sand"))
    assert turned.ndcg(5) == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    assert outcome(TWO, found("sand", "boats")).ndcg(5) == 1.0
    assert outcome(NONE, found("sand")).ndcg(5) == 0.0


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.randoms(use_true_random=False), st.integers(1, 8))
def test_no_order_is_better_than_the_best(grades: list[int], rng, k: int) -> None:  # type: ignore[no-untyped-def]
    wanted = [Wanted(f"answer {at}.", grade=grade) for at, grade in enumerate(grades)]
    question = Question("q", "?", tuple(wanted))
    best = found(*(f"answer {at}." for at, _ in sorted(enumerate(grades), key=lambda pair: -pair[1])))
    assert outcome(question, best).ndcg(k) == pytest.approx(1.0)
    other = best + found("nothing", "answer 0.")
    rng.shuffle(other)
    assert 0.0 <= outcome(question, other).ndcg(k) <= 1.0 + 1e-12


# ---- a run ---------------------------------------------------------------------------------------------------------


def test_a_run_asks_in_order_and_counts_who_kept_silent() -> None:
    asked: list[str] = []
    silence = {"one": True, "two": False, "none": True}

    def search(question: Question) -> tuple[list[Found], bool | None]:
        asked.append(question.id)
        return found("the harbour master"), silence[question.id]

    run = list(outcomes([ONE, TWO, NONE], search))
    assert asked == ["one", "two", "none"]
    figures = evaluated(run, 5)
    assert figures.hit is not None
    assert (figures.hit.value, figures.hit.count) == (0.5, 2)
    assert figures.mrr is not None
    assert figures.mrr.value == 0.5
    assert figures.ndcg is not None
    assert figures.ndcg.value == 0.5
    assert figures.abstained is not None
    assert (figures.abstained.value, figures.abstained.count) == (1.0, 1)
    assert figures.wrongly is not None
    assert (figures.wrongly.value, figures.wrongly.count) == (0.5, 2)


def test_what_nobody_asked_has_no_figure() -> None:
    alone = evaluated([outcome(NONE, found("x"))], 5)
    assert (alone.hit, alone.mrr, alone.ndcg, alone.abstained, alone.wrongly) == (None,) * 5
    assert evaluated([outcome(ONE, found("x"))], 5).wrongly is None


# ---- intervals -----------------------------------------------------------------------------------------------------


def test_wilson_as_it_is_printed() -> None:
    """Wilson's interval for 8 of 10, by hand; and it never leaves 0 to 1."""
    figure = wilson(8, 10)
    assert (figure.value, figure.count) == (0.8, 10)
    assert figure.low == pytest.approx(0.4902, abs=1e-4)
    assert figure.high == pytest.approx(0.9433, abs=1e-4)
    assert wilson(0, 5).low == 0.0
    assert wilson(5, 5).high == 1.0
    for good, of in ((1, 0), (-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="a share"):
            wilson(good, of)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_in_its_interval(share: tuple[int, int]) -> None:
    figure = wilson(*share)
    assert 0.0 <= figure.low <= figure.value <= figure.high <= 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_bootstrap_says_the_same_again(values: list[float]) -> None:
    figure = bootstrap(values)
    assert figure == bootstrap(values)
    assert min(values) - 1e-9 <= figure.low <= figure.high <= max(values) + 1e-9
    assert figure.count == len(values)


def test_a_bootstrap_covers_what_it_should() -> None:
    """The normal interval of 200 throws of a fair coin is 0.5 +- 0.069; the percentiles come near."""
    figure = bootstrap([0.0, 1.0] * 100)
    assert figure.low == pytest.approx(0.431, abs=0.02)
    assert figure.high == pytest.approx(0.569, abs=0.02)
    with pytest.raises(ValueError, match="a mean"):
        bootstrap([])


@given(runs)
def test_a_run_is_no_better_than_itself(run: list[Outcome]) -> None:
    figure = difference(run, run, lambda each: each.ndcg(5))
    assert (figure.value, figure.low, figure.high) == (0.0, 0.0, 0.0)


def test_a_difference_is_taken_question_by_question() -> None:
    """Kills: two unpaired intervals, which a difference of exactly 0.5 each time could not make a point."""
    easy, hard = Question("e", "?", (Wanted("x"),)), Question("h", "?", (Wanted("x"),))
    one = [outcome(easy, found("x")), outcome(hard, found("x")), outcome(NONE, found("x"))]
    two = [outcome(easy, found("", "x")), outcome(hard, found("", "x")), outcome(NONE, [])]
    figure = difference(one, two, lambda each: each.reciprocal(5))
    assert (figure.value, figure.low, figure.high, figure.count) == (0.5, 0.5, 0.5, 2)
    with pytest.raises(ValueError, match="same questions"):
        difference(one, two[:2], lambda each: each.hit(5))


# ---- the file ------------------------------------------------------------------------------------------------------


def test_a_file_of_questions() -> None:
    text = """
    corpus = "harbour"
    [[question]]
    id = "who"
    language = "en"
    kind = "names"
    text = "Who is the harbour master?"
    answers = [{ phrase = "Lise Anker", document = "handbook.txt" }, { phrase = "Anker", grade = 1 }]
    [[question]]
    text = "Quel opéra ?"
    """
    first, second = questions(text)
    assert first == Question(
        "who",
        "Who is the harbour master?",
        (Wanted("Lise Anker", "handbook.txt", 2), Wanted("Anker", "", 1)),
        "en",
        "names",
    )
    assert second == Question("question-2", "Quel opéra ?")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not = [toml", "no TOML"),
        ("", "1 to 10000"),
        ("question = []", "1 to 10000"),
        ("question = 3", "1 to 10000"),
        ("question = [3]", "Question 1 has no text"),
        ("[[question]]\nid = 'a'", "Question 1 has no text"),
        ("[[question]]\ntext = ' '", "Question 1 has no text"),
        ("[[question]]\ntext = 'a'\nid = 3", "Question 1: id"),
        ("[[question]]\ntext = 'a'\nanswers = 'b'", "answers is a list"),
        ("[[question]]\ntext = 'a'\nanswers = ['b']", "Question question-1: an answer"),
        ("[[question]]\ntext = 'a'\nanswers = [{ phrase = ' ' }]", "Question question-1: an answer"),
        ("[[question]]\ntext = 'a'\nanswers = [{ phrase = 'b', document = 3 }]", "an answer"),
        ("[[question]]\ntext = 'a'\nanswers = [{ phrase = 'b', grade = 4 }]", "a grade of 1 to 3"),
        ("[[question]]\ntext = 'a'\nanswers = [{ phrase = 'b', grade = true }]", "a grade of 1 to 3"),
        ("[[question]]\ntext = 'a'\nid = 'x'\n[[question]]\ntext = 'b'\nid = 'x'", "same id"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        questions(text)
    assert says in str(caught.value.facts["what"])
