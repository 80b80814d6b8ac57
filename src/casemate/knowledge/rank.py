"""Scores that are exact: the same bytes whatever the layout of the shards, the threads or the arithmetic library.

BM25 (Robertson and Zaragoza 2009, with the idf of Lucene) over statistics that are integers, merged from the shards
given and from nothing else, and summed term by term in the order of the terms. Cosines of integer vectors: a float32
product of int8 values whose partial sums stay below 2**24 is an integer, however it is cut or ordered.
It must never see a shard that the acting label does not dominate: statistics leak what they count (Büttcher and
Clarke 2005).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.form import DIMENSIONS
from casemate.knowledge.shard import Shard

__all__ = ["Statistics", "bm25", "cosines", "idf_share", "query_vector", "statistics"]

K1, B = 1.2, 0.75
_STRETCH = 1024  # rows widened to float32 at a time: 1.5 MB at 384 dimensions, which stays in a cache
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 knows of a visible world: passages, terms in all, and how many passages hold each question term."""

    count: int
    total: int
    df: tuple[tuple[str, int], ...]

    def idf(self) -> tuple[tuple[str, float], ...]:
        """(term, weight) in term order; a term that no passage holds weighs most."""
        return tuple((term, math.log(1 + (self.count - df + 0.5) / (df + 0.5))) for term, df in self.df)


def statistics(terms: Iterable[str], shards: Sequence[Shard]) -> Statistics:
    """Merged over exactly these shards."""
    df = tuple((term, sum(shard.df(term) for shard in shards)) for term in sorted(set(terms)))
    return Statistics(sum(shard.count for shard in shards), sum(shard.total for shard in shards), df)


def bm25(shard: Shard, stats: Statistics) -> Floats:
    """The score of each row of a shard; 0.0 where it holds no term of the question."""
    scores = np.zeros(shard.count, dtype=np.float64)
    for term, weight in stats.idf():
        rows, counts = shard.postings(term)
        if not len(rows):
            continue
        times = counts.astype(np.float64)
        relative = shard.lengths[rows].astype(np.float64) * stats.count / stats.total
        scores[rows] += weight * (times * (K1 + 1)) / (times + K1 * (1 - B + B * relative))
    return scores


def query_vector(raw: bytes) -> NDArray[np.float32]:
    """A question's int8 vector, ready to be multiplied. ValueError beyond the bounds that keep products exact."""
    vector = np.frombuffer(raw, dtype=np.int8)
    if not 0 < len(vector) <= DIMENSIONS or bool(np.any(vector == -128)):
        raise ValueError("a vector of 1 to 1040 integers in -127..127")
    return vector.astype(np.float32)


def cosines(shard: Shard, vector: NDArray[np.float32]) -> Floats:
    """The cosine of each row with the question; 0.0 where a row has no vector or one of another length."""
    found = np.zeros(shard.count, dtype=np.float64)
    if shard.vectors.shape[1] != len(vector):
        return found
    dots = _dots(shard.vectors, vector)
    own = float(np.dot(vector.astype(np.float64), vector.astype(np.float64)))
    there = shard.norms > 0
    if own > 0:
        found[there] = dots[there] / (math.sqrt(own) * np.sqrt(shard.norms[there].astype(np.float64)))
    return found


def _dots(matrix: NDArray[np.int8], vector: NDArray[np.float32]) -> Floats:
    dots = np.empty(len(matrix), dtype=np.float64)
    wide = np.empty((min(_STRETCH, len(matrix)), len(vector)), dtype=np.float32)
    for start in range(0, len(matrix), _STRETCH):
        part = matrix[start : start + _STRETCH]
        np.copyto(wide[: len(part)], part)
        dots[start : start + len(part)] = wide[: len(part)] @ vector
    return dots


def idf_share(terms: Iterable[str], stats: Statistics) -> float:
    """How much of the question's idf mass these terms of a passage hold: 0.0 (or no question) to 1.0."""
    held = frozenset(terms)
    weights = stats.idf()
    whole = math.fsum(weight for _, weight in weights)
    return math.fsum(weight for term, weight in weights if term in held) / whole if whole > 0 else 0.0
