"""One search over visible shards: full text and vectors, fused by reciprocal rank (Cormack and others 2009).

The order of hits is total and says nothing of layout: equal scores are ordered by passage id, which is unguessable and
made inside its class. No I/O, no filter: what a caller may not see is not among the shards that it passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.passage import Passage
from casemate.knowledge.rank import Statistics, bm25, cosines, query_vector, statistics
from casemate.knowledge.shard import Shard
from casemate.labels import Label

__all__ = ["POOL", "Asked", "Hit", "Results", "fuse", "search"]

POOL = 200
_RRF = 60
Floats = NDArray[np.float64]
Place = tuple[int, int]  # (which shard, which row)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage, its label and how well it answers: BM25, cosine (0.0 without vectors) and the fused score."""

    passage: Passage
    label: Label
    bm25: float
    cosine: float
    fused: float


@dataclass(frozen=True, slots=True)
class Results:
    """The hits, best first, and the statistics of the world in which they were found."""

    hits: tuple[Hit, ...]
    statistics: Statistics


@dataclass(slots=True)
class Asked:
    """A question made ready; it remembers its cosines per shard, so that the rungs of one answer share them.

    A cosine depends on question and passage alone. Nothing else is kept between searches, and an `Asked` lives no
    longer than its request.
    """

    terms: Sequence[str]
    vector: bytes | None = None
    _cosines: dict[int, tuple[Shard, Floats]] = field(default_factory=dict, repr=False)

    def search(self, shards: Sequence[Shard], k: int) -> Results:
        """The best k passages of exactly these shards."""
        stats = statistics(self.terms, shards)
        text = [bm25(shard, stats) for shard in shards]
        dense = [self._cosine(shard) for shard in shards]
        return Results(fuse(shards, text, dense, k), stats)

    def _cosine(self, shard: Shard) -> Floats:
        if self.vector is None:
            return np.zeros(shard.count, dtype=np.float64)
        if id(shard) not in self._cosines:
            self._cosines[id(shard)] = (shard, cosines(shard, query_vector(self.vector)))
        return self._cosines[id(shard)][1]


def search(terms: Sequence[str], vector: bytes | None, shards: Sequence[Shard], k: int) -> list[Hit]:
    """The best k passages of these shards for a question's terms and, if there is one, its vector."""
    return list(Asked(terms, vector).search(shards, k).hits)


def fuse(shards: Sequence[Shard], text: Sequence[Floats], dense: Sequence[Floats], k: int) -> tuple[Hit, ...]:
    """The best k by the sum of reciprocal ranks in the two orders; `text` and `dense` hold a score per row."""
    fused: dict[Place, float] = {}
    for scores in (text, dense):
        for rank, place in enumerate(_best(shards, scores, max(k, POOL)), start=1):
            fused[place] = fused.get(place, 0.0) + 1 / (_RRF + rank)
    order = sorted(fused, key=lambda place: (-fused[place], _key(shards, place)))[:k]
    return tuple(_hit(shards, place, text, dense, fused) for place in order)


def _best(shards: Sequence[Shard], scores: Sequence[Floats], size: int) -> list[Place]:
    """The places of the best positive scores over all shards; equal ones by passage id."""
    found: list[tuple[float, bytes, Place]] = []
    for at, score in enumerate(scores):
        rows = np.flatnonzero(score > 0)
        if len(rows) > size:
            least = np.partition(score[rows], len(rows) - size)[len(rows) - size]
            rows = rows[score[rows] >= least]
        found.extend((-float(score[row]), bytes(shards[at].ids[row]), (at, int(row))) for row in rows)
    found.sort()
    return [place for _, _, place in found[:size]]


def _key(shards: Sequence[Shard], place: Place) -> bytes:
    return bytes(shards[place[0]].ids[place[1]])


def _hit(
    shards: Sequence[Shard],
    place: Place,
    text: Sequence[Floats],
    dense: Sequence[Floats],
    fused: Mapping[Place, float],
) -> Hit:
    at, row = place
    shard = shards[at]
    return Hit(shard.passage(row), shard.label, float(text[at][row]), float(dense[at][row]), fused[place])
