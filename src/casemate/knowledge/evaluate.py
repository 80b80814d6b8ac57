"""How good a search is: questions whose answers somebody wrote down, put to it, and figures with their intervals.

An answer is a phrase of the passage that holds it. A passage is worth the grade of the best answer that it holds and
that no passage before it held: saying the same thing twice is worth nothing, and the best possible order is known
from the questions alone, without a look at what is stored.

    hit@k      the share of questions with an answer among the first k
    MRR        the mean of 1/rank of the first answer among the first k (0 where there is none)
    nDCG@k     sum of grade/log2(rank+1) over the first k, divided by that of the best order; Järvelin and Kekäläinen,
               Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4), 2002, with trec_eval's discount
    abstention the share of questions without an answer on which nothing was said, and of the others likewise

Shares have Wilson's interval, means and paired differences the percentile bootstrap's over questions (Efron and
Tibshirani 1993, chapter 13), with a fixed seed; 95 % both. Pure: the searcher is given, and nothing is looked up.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.errors import BadInput

__all__ = [
    "Evaluated",
    "Figure",
    "Found",
    "Outcome",
    "Question",
    "Wanted",
    "bootstrap",
    "difference",
    "evaluated",
    "gains",
    "outcome",
    "outcomes",
    "questions",
    "wilson",
]

GRADES = range(1, 4)
QUESTIONS = 10_000
RESAMPLES = 1_000
SEED = 20261121
_Z = 1.959963984540054  # the 97.5th percentile of the normal distribution
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An answer: a phrase, the document that holds it ("": any), and its worth: 1 (helps), 2 (answers) or 3."""

    phrase: str
    document: str = ""
    grade: int = 2


@dataclass(frozen=True, slots=True)
class Question:
    """`answers` is empty where nothing answers. `kind` and `language` are for whoever reads the figures."""

    id: str
    text: str
    answers: tuple[Wanted, ...] = ()
    language: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as a searcher gave it; `documents` are the names that its document goes by, none where unknown."""

    text: str
    documents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each place of the order was worth. `silent`: whether nothing was said to it; None where nobody asked."""

    question: Question
    gains: tuple[int, ...]
    silent: bool | None = None

    def hit(self, k: int) -> float:
        return float(any(self.gains[:k]))

    def reciprocal(self, k: int) -> float:
        return next((1 / rank for rank, gain in enumerate(self.gains[:k], start=1) if gain), 0.0)

    def ndcg(self, k: int) -> float:
        best = sorted((answer.grade for answer in self.question.answers), reverse=True)
        return _dcg(self.gains[:k]) / _dcg(best[:k]) if best else 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval, and of how many questions it was made."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The figures of one run at one depth. A share of no questions at all is None."""

    k: int
    hit: Figure | None
    mrr: Figure | None
    ndcg: Figure | None
    abstained: Figure | None
    wrongly: Figure | None


Searched = tuple[Sequence[Found], bool | None]  # best first; whether the assistant would say nothing


def questions(text: str) -> tuple[Question, ...]:
    """The questions of a TOML file. Raises BadInput, which says what is wrong and with which question.

    [[question]]
    text = "..."             and if wanted: id, language, kind
    answers = [{ phrase = "...", document = "...", grade = 2 }]
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(what=f"The questions are no TOML: {error}") from None
    listed = table.get("question")
    if not isinstance(listed, list) or not 0 < len(listed) <= QUESTIONS:
        raise BadInput(what=f"The file holds 1 to {QUESTIONS} tables [[question]].")
    found = tuple(_question(entry, place) for place, entry in enumerate(listed, start=1))
    if len({question.id for question in found}) != len(found):
        raise BadInput(what="Two questions have the same id.")
    return found


def outcomes(
    asked: Iterable[Question], search: Callable[[Question], Searched], names: bool = True
) -> Iterator[Outcome]:
    """Each question put to the searcher, in order. `names`: whether an answer must stand in the document it names."""
    for question in asked:
        passages, silent = search(question)
        yield outcome(question, passages, silent, names)


def outcome(question: Question, passages: Sequence[Found], silent: bool | None = None, names: bool = True) -> Outcome:
    """What the passages were worth."""
    return Outcome(question, gains(question.answers, passages, names), silent)


def gains(answers: Sequence[Wanted], passages: Sequence[Found], names: bool = True) -> tuple[int, ...]:
    """The worth of each passage in its place; an answer counts where it is first found."""
    left = list(answers)
    worth: list[int] = []
    for passage in passages:
        text = _squeezed(passage.text)
        held = [answer for answer in left if _holds(answer, text, passage, names)]
        worth.append(max((answer.grade for answer in held), default=0))
        left = [answer for answer in left if answer not in held]
    return tuple(worth)


def evaluated(run: Sequence[Outcome], k: int) -> Evaluated:
    """The figures of a run."""
    answered = [each for each in run if each.question.answers]
    silent, wrongly = (_silence([each for each in run if bool(each.question.answers) is has]) for has in (False, True))
    if not answered:
        return Evaluated(k, None, None, None, silent, wrongly)
    return Evaluated(
        k,
        wilson(sum(each.hit(k) > 0 for each in answered), len(answered)),
        bootstrap([each.reciprocal(k) for each in answered]),
        bootstrap([each.ndcg(k) for each in answered]),
        silent,
        wrongly,
    )


def _silence(run: Sequence[Outcome]) -> Figure | None:
    asked = [each.silent for each in run if each.silent is not None]
    return wilson(sum(asked), len(asked)) if asked else None


def wilson(good: int, of: int) -> Figure:
    """A share and its score interval (Wilson, JASA 22, 1927)."""
    if not 0 <= good <= of or not of:
        raise ValueError("a share of at least one")
    share, square = good / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Figure(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), of)


def bootstrap(values: Sequence[float], seed: int = SEED) -> Figure:
    """The mean, and the percentile interval of the means of samples drawn from these with replacement."""
    table = np.array(values, dtype=np.float64)
    if not len(table):
        raise ValueError("a mean of at least one")
    drawn = np.random.default_rng(seed).integers(0, len(table), (RESAMPLES, len(table)))
    means: Floats = table[drawn].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Figure(float(table.mean()), float(low), float(high), len(table))


def difference(one: Sequence[Outcome], two: Sequence[Outcome], measure: Callable[[Outcome], float]) -> Figure:
    """How much better the first run is than the second, question by question, over those that have an answer."""
    if [each.question.id for each in one] != [each.question.id for each in two]:
        raise ValueError("two runs of the same questions")
    pairs = [(first, second) for first, second in zip(one, two, strict=True) if first.question.answers]
    return bootstrap([measure(first) - measure(second) for first, second in pairs])


def _dcg(grades: Iterable[int]) -> float:
    return math.fsum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def _squeezed(text: str) -> str:
    return " ".join(text.split()).casefold()


def _holds(answer: Wanted, text: str, passage: Found, names: bool) -> bool:
    named = not names or not answer.document or answer.document in passage.documents
    return named and _squeezed(answer.phrase) in text


def _question(entry: Any, place: int) -> Question:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str) or not entry["text"].strip():
        raise BadInput(what=f"Question {place} has no text.")
    name, language, kind = (entry.get(key, "") for key in ("id", "language", "kind"))
    answers = entry.get("answers", [])
    if not all(isinstance(value, str) for value in (name, language, kind)) or not isinstance(answers, list):
        raise BadInput(what=f"Question {place}: id, language and kind are texts, answers is a list.")
    id = name or f"question-{place}"
    return Question(id, entry["text"], tuple(_wanted(answer, id) for answer in answers), language, kind)


def _wanted(entry: Any, id: str) -> Wanted:
    told = entry if isinstance(entry, Mapping) else {}
    phrase, document, grade = told.get("phrase", ""), told.get("document", ""), told.get("grade", 2)
    texts = isinstance(phrase, str) and isinstance(document, str)
    if not texts or not phrase.strip() or type(grade) is not int or grade not in GRADES:
        raise BadInput(what=f"Question {id}: an answer is a phrase, and if wanted a document and a grade of 1 to 3.")
    return Wanted(phrase, document, grade)
