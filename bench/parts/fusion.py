"""Ways to make one order of full text and vectors, compared on questions that did not choose between them.

Each way has a number that is chosen on the even questions and judged on the odd ones. All numbers are told for both
halves, so whoever has read them may no longer choose by the odd half: that takes new questions.

- reciprocal ranks (Cormack, Clarke and Buettcher, SIGIR 2009): 1/(c + rank), summed over the two lists
- a weighted sum: (1 - a) * BM25 / most + a * cosine, where `most` is what a passage could at most score: (k1 + 1) times
  the question's idf, a function of the same visible world as the score itself
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.parts.quality import DEPTH, SHALLOW, Vectors, World, expected
from casemate.knowledge import Asked, Shard, terms
from casemate.knowledge.evaluate import Found, Outcome, Question, bootstrap, outcome
from casemate.knowledge.index.rank import K1

__all__ = ["compared"]

POOL = 200
CONSTANTS = (1, 5, 10, 20, 60, 100)
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Floats = NDArray[np.float64]
Order = Callable[["_Scored"], Floats]


@dataclass(frozen=True, slots=True)
class _Scored:
    """A question, and of each passage that any list holds: its score in both, and what it says."""

    question: Question
    text: Floats
    dense: Floats
    most: float
    found: tuple[Found, ...]


def compared(known: Sequence[World], made: Vectors) -> dict[str, Any]:
    """nDCG@10 and hit@5 of each way and number on either half, and how much the chosen ones differ on the odd half.

    `readers` are the exercise's own questions as each principal sees them.
    """
    scored = [_scored(each, list(one.shards.values()), made) for one in known for each in one.questions if each.answers]
    readers = [_scored(each, shards, made) for one in known if one.name == "exercise" for each, shards in expected(one)]
    halves = {"even": scored[1::2], "odd": scored[0::2], "readers": readers}
    ways: Mapping[str, Mapping[float, Order]] = {
        "ranks": {c: lambda one, c=c: _ranks(one, c) for c in CONSTANTS},  # type: ignore[misc]
        "sum": {a: lambda one, a=a: _sum(one, a) for a in WEIGHTS},  # type: ignore[misc]
    }
    told: dict[str, Any] = {"questions": {half: len(chosen) for half, chosen in halves.items()}}
    best: dict[str, Order] = {}
    for way, numbers in ways.items():
        told[way] = {
            str(number): {half: _half(one, order) for half, one in halves.items()} for number, order in numbers.items()
        }
        chosen = max(numbers, key=lambda number: (told[way][str(number)]["even"]["ndcg10"], number))
        told[f"{way}_chosen"] = chosen
        best[way] = numbers[chosen]
    odd = halves["odd"]
    told["sum_minus_ranks_odd"] = _gained(odd, best["sum"], best["ranks"])
    told["sum_minus_ranks_60_odd"] = _gained(odd, best["sum"], ways["ranks"][60])
    told["sum_minus_text_odd"] = _gained(odd, best["sum"], lambda one: one.text)
    told["sum_minus_dense_odd"] = _gained(odd, best["sum"], lambda one: one.dense)
    return told


def _scored(question: Question, shards: Sequence[Shard], made: Vectors) -> _Scored:
    asked = Asked(terms(question.text), made.asked(question.text))
    count = sum(shard.count for shard in shards)
    lists = {method: asked.search(shards, count, method=method) for method in ("text", "dense")}
    hits = {hit.passage.id: hit for results in lists.values() for hit in results.hits}
    chosen = [hits[id] for id in sorted(hits)]
    most = (K1 + 1) * sum(weight for _, weight in lists["text"].statistics.idf())
    return _Scored(
        question,
        np.array([hit.bm25 for hit in chosen]),
        np.array([max(hit.cosine, 0.0) for hit in chosen]),
        most,
        tuple(Found(hit.passage.text, frozenset((hit.passage.document,))) for hit in chosen),
    )


def _ranks(one: _Scored, constant: float) -> Floats:
    fused = np.zeros(len(one.found))
    for scores in (one.text, one.dense):
        best = _best(scores, POOL)
        fused[best] += 1 / (constant + 1 + np.arange(len(best)))
    return fused


def _sum(one: _Scored, weight: float) -> Floats:
    text = one.text / one.most if one.most > 0 else one.text
    return (1 - weight) * text + weight * one.dense


def _best(scores: Floats, size: int) -> NDArray[np.int64]:
    order = np.argsort(-scores, kind="stable")[:size]
    return order[scores[order] > 0]


def _outcome(one: _Scored, order: Order) -> Outcome:
    return outcome(one.question, [one.found[row] for row in _best(order(one), DEPTH)])


def _half(chosen: Sequence[_Scored], order: Order) -> dict[str, float]:
    run = [_outcome(one, order) for one in chosen]
    return {
        "ndcg10": round(float(np.mean([each.ndcg(DEPTH) for each in run])), 4),
        "hit5": round(float(np.mean([each.hit(SHALLOW) for each in run])), 4),
    }


def _gained(chosen: Sequence[_Scored], one: Order, other: Order) -> list[float]:
    gains = [_outcome(each, one).ndcg(DEPTH) - _outcome(each, other).ndcg(DEPTH) for each in chosen]
    figure = bootstrap(gains)
    return [round(figure.value, 4), round(figure.low, 4), round(figure.high, 4), figure.count]
