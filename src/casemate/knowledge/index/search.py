"""One search over visible shards: full text and vectors, fused by reciprocal rank (Cormack and others 2009).

Vectors of several embedders are ranked each among their own, since their cosines do not compare. The order of hits is
total and says nothing of layout: equal scores are ordered by passage id, which is unguessable and made inside its
class. No I/O, no check: what a caller may not see is not among the shards that it passes. A mask is the caller's own
choice among visible rows; it restricts what is ranked, never what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.rank import Floats, Statistics, cosine, dots, query_vector, scratch
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.view import Rows, View, statistics
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Label

__all__ = ["POOL", "RRF", "Asked", "Hit", "Mask", "Method", "Results", "fuse", "search"]

POOL = 200
RRF = 60
Method = Literal["hybrid", "text", "dense"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage, its label and how well it answers: BM25, cosine (0.0 without vectors) and the fused score.

    `base` is the knowledge base that holds it; `filed` what is known of its document there.
    """

    passage: Passage
    label: Label
    bm25: float
    cosine: float
    fused: float
    base: str = ""
    filed: Filed | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """The hits, best first, and the statistics of the world in which they were found.

    `total`: how many passages hold a term of the question, of those that the mask leaves.
    """

    hits: tuple[Hit, ...]
    statistics: Statistics
    total: int = 0


@dataclass(slots=True)
class Asked:
    """A question made ready: its terms, and its vector for each embedder by name.

    It remembers its products with each shard, so that the rungs of one answer share them: a product depends on question
    and passage alone. Nothing else is kept between searches, and an `Asked` lives no longer than its request.
    """

    terms: Sequence[str]
    vectors: Mapping[str, bytes] = field(default_factory=dict)
    _dots: dict[int, tuple[Shard, NDArray[np.float32]]] = field(default_factory=dict, repr=False)

    def search(
        self, seen: View | Sequence[Shard], k: int, mask: Mask | None = None, method: Method = "hybrid"
    ) -> Results:
        """The best k passages of exactly these shards, among the rows that the mask leaves.

        By vectors alone no word is looked up: no passage has a score of text, and none holds a term.
        """
        view = seen if isinstance(seen, View) else View(seen)
        stats = statistics(self.terms if method != "dense" else (), view)
        text, among = view.scored(stats)
        dense = self.cosines(view) if method != "text" else {}
        if mask is not None:
            for scores in (text, *dense.values()):
                scores[~mask] = 0.0
        depth = max(k, POOL) if (method != "dense") + len(dense) > 1 else k
        bests = [] if method == "dense" else [view.best(text, depth, among)]
        bests += [view.best(dense[name], depth) for name in sorted(dense)]
        return Results(fuse(view, text, dense, bests, k), stats, int(np.count_nonzero(text > 0)))

    def cosines(self, view: View) -> dict[str, Floats]:
        """For each embedder that has a vector of the question, the cosine of each row; 0.0 where it has no other."""
        found: dict[str, Floats] = {}
        for name in view.embedders:
            if name in self.vectors:
                vector = query_vector(self.vectors[name])
                found[name] = cosine(self._products(view, name, vector), vector, view.roots)
        return found

    def _products(self, view: View, name: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        products = np.zeros(view.count, dtype=np.float32)
        wide = scratch(len(vector))
        for shard, rows in view.places():
            if shard.embedder == name and shard.vectors.shape[1] == len(vector):
                held = self._dots.get(id(shard))
                if held is not None:
                    products[rows] = held[1]
                else:
                    dots(shard.vectors, vector, products[rows], wide)
                    self._dots[id(shard)] = (shard, products[rows])
        return products


def search(terms: Sequence[str], vectors: Mapping[str, bytes], shards: Sequence[Shard], k: int) -> list[Hit]:
    """The best k passages of these shards for a question's terms and its vectors by embedder."""
    return list(Asked(terms, vectors).search(shards, k).hits)


def fuse(view: View, text: Floats, dense: Mapping[str, Floats], bests: Sequence[Rows], k: int) -> tuple[Hit, ...]:
    """The best k by the sum of reciprocal ranks in lists of rows, best first; `text` and `dense` are their scores."""
    if not bests:
        return ()
    if len(bests) == 1:
        found = bests[0][:k]
        fused = _shares(found)
    else:
        found, which = np.unique(np.concatenate(bests), return_inverse=True)
        fused = np.zeros(len(found), dtype=np.float64)
        np.add.at(fused, which, np.concatenate([_shares(best) for best in bests]))
        order = view.order(found, fused, k)
        found, fused = found[order], fused[order]
    best = zip(found.tolist(), fused.tolist(), strict=True)
    return tuple(_hit(view, row, score, text, dense) for row, score in best)


def _shares(best: Rows) -> Floats:
    """What each row of a list adds by its rank there."""
    return 1 / (RRF + np.arange(1, len(best) + 1, dtype=np.float64))


def _hit(view: View, row: int, fused: float, text: Floats, dense: Mapping[str, Floats]) -> Hit:
    shard, own = view.place(row)
    near = dense.get(shard.embedder)
    return Hit(
        passage=shard.passage(own),
        label=shard.label,
        bm25=float(text[row]),
        cosine=float(near[row]) if near is not None else 0.0,
        fused=fused,
        base=shard.base,
        filed=shard.filed[shard.owners[own]],
    )
