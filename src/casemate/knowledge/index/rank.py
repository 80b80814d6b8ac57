"""Scores that are exact: the same bytes whatever the layout of the shards, the threads or the arithmetic library.

BM25 (Robertson and Zaragoza 2009, with the idf of Lucene) over statistics that are integers, merged from the shards
given and from nothing else, and summed term by term in the order of the terms. Cosines of integer vectors: a float32
product of int8 values whose partial sums stay below 2**24 is an integer, however it is cut or ordered.
It must never see a shard that the acting label does not dominate: statistics leak what they count (Büttcher and
Clarke 2005).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index.form import DIMENSIONS
from casemate.knowledge.index.shard import Ints

__all__ = ["Floats", "Statistics", "cosine", "dots", "idf_share", "leaning", "query_vector", "scratch", "weigh"]

K1, B = 1.2, 0.75
_STRETCH = 512 * 384  # values widened to float32 at a time: 0.8 MB, which stays in a cache
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


def leaning(lengths: Ints, stats: Statistics) -> Floats:
    """What a row's length, against the mean, adds to how often it holds a term."""
    return K1 * (1 - B + B * (lengths.astype(np.float64) * stats.count / stats.total))


def weigh(weight: float, times: Ints, lean: Floats) -> Floats:
    """What one term adds to the score of the rows that hold it, so many times each."""
    often = times.astype(np.float64)
    return weight * (often * (K1 + 1)) / (often + lean)


def query_vector(raw: bytes) -> NDArray[np.float32]:
    """A question's int8 vector, ready to be multiplied. ValueError beyond the bounds that keep products exact."""
    vector = np.frombuffer(raw, dtype=np.int8)
    if not 0 < len(vector) <= DIMENSIONS or bool(np.any(vector == -128)):
        raise ValueError("a vector of 1 to 1040 integers in -127..127")
    return vector.astype(np.float32)


def scratch(width: int) -> NDArray[np.float32]:
    """Room for `dots` to widen rows in, for as many shards as are multiplied with one question."""
    return np.empty((max(1, _STRETCH // width), width), dtype=np.float32)


def dots(
    matrix: NDArray[np.int8], vector: NDArray[np.float32], out: NDArray[np.float32], wide: NDArray[np.float32]
) -> None:
    """The exact product of each row with the question, into `out`.

    Rows are read as the bytes that they are and widened where they are multiplied: what bounds a scan of a large shard
    is how much memory it reads, and a matrix kept as float32 is four times as large.
    """
    for start in range(0, len(matrix), len(wide)):
        part = matrix[start : start + len(wide)]
        np.copyto(wide[: len(part)], part)
        np.dot(wide[: len(part)], vector, out=out[start : start + len(part)])


def cosine(products: NDArray[np.float32], vector: NDArray[np.float32], roots: Floats) -> Floats:
    """The cosines from exact products; `roots` are the lengths of the rows, 1.0 for one without a vector."""
    own = float(np.dot(vector.astype(np.float64), vector.astype(np.float64)))
    if own <= 0:
        return np.zeros(len(products), dtype=np.float64)
    return products.astype(np.float64) / (math.sqrt(own) * roots)


def idf_share(terms: Iterable[str], stats: Statistics) -> float:
    """How much of the question's idf mass these terms of a passage hold: 0.0 (or no question) to 1.0."""
    held = frozenset(terms)
    weights = stats.idf()
    whole = math.fsum(weight for _, weight in weights)
    return math.fsum(weight for term, weight in weights if term in held) / whole if whole > 0 else 0.0
