"""A view: visible shards laid end to end for questions, and what is reckoned from them alone.

The rows of a view are those of its first shard, then of its second, and so on. Nothing is copied but small columns
(a number or two per row) and the postings of terms that were asked lately; both are functions of the shards given, so
a view may be kept as long as its shards are those that somebody sees, and by one label domain alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index.analyse import key
from casemate.knowledge.index.rank import Floats, Statistics, leaning, weigh
from casemate.knowledge.index.shard import Ints, Shard
from casemate.knowledge.reading.passage import Passage

__all__ = ["Rows", "View", "statistics"]

_CELLS = 16  # postings that are kept, per row
_LEAST = 1 << 16
_PREFIX, _HEAD = 4, 12  # of an id: "psg_", and as much of the rest as one number holds


Rows = NDArray[np.int64]


@dataclass(slots=True)
class _Posting:
    """Where a term stands in the view: rows, ascending, how often there, and what it added when it was last asked."""

    rows: NDArray[np.uint32]
    times: Ints
    asked: tuple[float, int, int] = (0.0, 0, 0)
    adds: Floats | None = None


class View:
    """Made of shards that are visible together."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = tuple(shards)
        self.starts = tuple(accumulate((shard.count for shard in self.shards), initial=0))
        self.count = self.starts[-1]
        self._postings: OrderedDict[str, _Posting] = OrderedDict()
        self._cells = 0
        self._lean: tuple[int, int, Floats] | None = None

    @cached_property
    def total(self) -> int:
        """The sum of all passage lengths, in terms."""
        return sum(shard.total for shard in self.shards)

    @cached_property
    def embedders(self) -> tuple[str, ...]:
        """Who made vectors that it holds, by name."""
        return tuple(sorted({shard.embedder for shard in self.shards if shard.vectors.shape[1]}))

    @cached_property
    def lengths(self) -> Ints:
        """In terms, by row."""
        return _joined([shard.lengths for shard in self.shards], "<u4")

    @cached_property
    def roots(self) -> Floats:
        """The length of each row's vector; 1.0 where it has none."""
        squares = _joined([shard.norms for shard in self.shards], "<u4")
        roots: Floats = np.sqrt(np.maximum(squares, 1).astype(np.float64))
        return roots

    @property
    def kept(self) -> int:
        """How many postings it remembers just now."""
        return self._cells

    def places(self) -> Iterator[tuple[Shard, slice]]:
        """The shards, and which rows of the view are theirs."""
        for shard, start in zip(self.shards, self.starts, strict=False):
            yield shard, slice(start, start + shard.count)

    def place(self, row: int) -> tuple[Shard, int]:
        """The shard that holds a row, and the row's number there."""
        at = bisect_right(self.starts, row) - 1
        return self.shards[at], row - self.starts[at]

    def passage(self, row: int) -> Passage:
        shard, own = self.place(row)
        return shard.passage(own)

    def ids(self, rows: Rows) -> NDArray[np.bytes_]:
        """The passage ids of some rows."""
        places = [self.place(row) for row in rows.tolist()]
        return np.array([shard.ids[own] for shard, own in places], dtype=np.bytes_)

    def best(self, scores: Floats, size: int, among: Sequence[NDArray[np.uint32]] | None = None) -> Rows:
        """The rows of the best positive scores, best first; equal ones by passage id.

        `among`: lists of rows beside which there is no score, each row once at most in each.
        """
        if among is not None and sum(map(len, among)) < self.count // 2:
            rows = self._among(scores, size, among)
        elif size < np.count_nonzero(there := scores > 0) > self.count // 2:  # to part zeros takes long
            rows = np.flatnonzero(scores >= np.partition(scores, self.count - size)[self.count - size])
        else:
            rows = np.flatnonzero(there)
        return rows[self.order(rows, scores[rows], size)]

    def _among(self, scores: Floats, size: int, among: Sequence[NDArray[np.uint32]]) -> Rows:
        """Of listed rows, the best and some more: as many again as could be repeated among the best."""
        rows = _joined(among, np.uint32)
        found, most = scores.take(rows), size * len(among)
        least = float(np.partition(found, len(found) - most)[len(found) - most]) if len(found) > most else 0.0
        return np.unique(rows[found >= least] if least > 0 else rows[found > 0]).astype(np.int64)

    def order(self, rows: Rows, scores: Floats, size: int) -> Rows:
        """Which of these rows are the best, best first; equal ones by passage id."""
        if len(rows) > size:
            least = np.partition(scores, len(rows) - size)[len(rows) - size]
            kept = np.flatnonzero(scores >= least)
        else:
            kept = np.arange(len(rows))
        falling, heads = -scores[kept], self._heads
        if heads is not None:
            mine = heads[rows[kept]]
            order = np.lexsort((mine, falling))
            falling, mine = falling[order], mine[order]
            if not bool(np.any((falling[1:] == falling[:-1]) & (mine[1:] == mine[:-1]))):
                return kept[order[:size]]
        return kept[np.lexsort((self.ids(rows[kept]), -scores[kept]))[:size]]

    def statistics(self, terms: Iterable[str]) -> Statistics:
        """What BM25 knows of exactly these shards."""
        asked = sorted(set(terms))
        self._find(asked)
        return Statistics(self.count, self.total, tuple((term, len(self._postings[term].rows)) for term in asked))

    def bm25(self, stats: Statistics) -> Floats:
        """The score of each row; 0.0 where it holds no term of the question."""
        return self.scored(stats)[0]

    def scored(self, stats: Statistics) -> tuple[Floats, list[NDArray[np.uint32]]]:
        """The same, and the rows that hold each of the terms."""
        scores, among = np.zeros(self.count, dtype=np.float64), []
        self._find([term for term, _ in stats.df])
        for term, weight in stats.idf():
            posting = self._postings[term]
            if len(posting.rows):
                np.add.at(scores, posting.rows, self._adds(posting, weight, stats))
                among.append(posting.rows)
        self._trim()
        return scores, among

    def _adds(self, posting: _Posting, weight: float, stats: Statistics) -> Floats:
        asked = (weight, stats.count, stats.total)
        if posting.adds is None or posting.asked != asked:
            posting.adds = weigh(weight, posting.times, self._leaning(stats)[posting.rows])
            posting.asked = asked
        return posting.adds

    def _leaning(self, stats: Statistics) -> Floats:
        if self._lean is None or self._lean[:2] != (stats.count, stats.total):
            self._lean = (stats.count, stats.total, leaning(self.lengths, stats))
        return self._lean[2]

    def _find(self, terms: Iterable[str]) -> None:
        """Have the postings of these terms at hand, gathered from every shard."""
        missing = []
        for term in terms:
            if term in self._postings:
                self._postings.move_to_end(term)
            else:
                missing.append((key(term), term))
        missing.sort()
        if not missing:
            return
        wanted = np.array([one for one, _ in missing], dtype=np.uint64)
        shape = (len(self.shards), len(missing))
        first = np.array([shard.keys.searchsorted(wanted) for shard in self.shards]).reshape(shape)
        after = np.array([shard.keys.searchsorted(wanted, "right") for shard in self.shards]).reshape(shape)
        for at, (_, term) in enumerate(missing):
            holding = np.flatnonzero(after[:, at] > first[:, at])
            self._postings[term] = found = self._gathered(holding, first[holding, at])
            self._cells += len(found.rows)

    def _gathered(self, holding: NDArray[np.int64], places: NDArray[np.int64]) -> _Posting:
        """What these shards hold of a term, which is each one's so-and-so-many-th."""
        rows: list[Ints] = []
        times: list[Ints] = []
        for at, place in zip(holding.tolist(), places.tolist(), strict=True):
            shard = self.shards[at]
            start, stop = shard.starts.item(place), shard.starts.item(place + 1)
            rows.append(shard.rows[start:stop])
            times.append(shard.counts[start:stop])
        placed = _joined(rows, np.uint32)
        placed += np.repeat(np.array(self.starts, dtype=np.uint32)[holding], [len(each) for each in rows])
        return _Posting(placed, _joined(times))

    def _trim(self) -> None:
        """Let go of the terms that were asked longest ago."""
        while self._cells > _CELLS * self.count + _LEAST:
            _, gone = self._postings.popitem(last=False)
            self._cells -= len(gone.rows)

    @cached_property
    def _heads(self) -> NDArray[np.uint64] | None:
        """A number per row, in the order of ids as far as it goes; None where ids do not begin alike."""
        raw = _joined([shard.ids.astype(f"S{_HEAD}") for shard in self.shards if shard.count], f"S{_HEAD}")
        letters = np.frombuffer(raw.tobytes(), dtype=np.uint8).reshape(-1, _HEAD)
        if len(raw) and bool(np.any(letters[:, :_PREFIX] != letters[0, :_PREFIX])):
            return None
        return np.ascontiguousarray(letters[:, _PREFIX:]).view(">u8").ravel().astype(np.uint64)


def statistics(terms: Iterable[str], seen: View | Sequence[Shard]) -> Statistics:
    """What BM25 knows of exactly these shards."""
    return (seen if isinstance(seen, View) else View(seen)).statistics(terms)


def _joined(arrays: Sequence[NDArray[Any]], kind: Any = None) -> NDArray[Any]:
    """End to end; none at all gives an empty array."""
    if not arrays:
        return np.zeros(0, dtype=kind or np.uint8)
    return np.concatenate(arrays, dtype=kind)
