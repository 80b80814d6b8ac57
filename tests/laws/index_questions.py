"""Questions to the index, everything that they give as bytes, and searchers that leak on purpose.

Each leak is a searcher as somebody might write it, named after what it opens; the law must see it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from casemate.engines.hashing import hashed
from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.filter import Compare, Every, Filter, Some
from casemate.knowledge.index.find import Finding, Wanted, find
from casemate.knowledge.index.query import parse
from casemate.knowledge.index.rank import Statistics, query_vector
from casemate.knowledge.index.search import Asked
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.view import View
from tests.laws.index_worlds import LABELS, History, told

__all__ = ["LEAKS", "Question", "honest", "question"]

_FACETS = ("base", "mark", "media", "language", "document", "month", "attr.rank", "attr.author")
_MARKS = {label: f"({at})" for at, label in enumerate(LABELS)}
_ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True)
class Question:
    """What is asked: a text with operators, a filter of a program's, and how many hits."""

    text: str
    wanted: Wanted
    vectors: Mapping[str, bytes] = field(default_factory=dict)

    def asked(self) -> Asked:
        return Asked(terms(parse(self.text).text), self.vectors)


def question(seed: int, embed: Callable[[str], bytes] = hashed) -> Question:
    """A question of the same words that documents are made of, sometimes with a slip of the pen."""
    rng = random.Random(seed ^ 0x5EED)
    words = list(told(rng.randint(0, 5), rng))
    if words and rng.random() < 0.3:
        slip = words[0]
        words[0] = slip[:1] + slip[2:]
    text = " ".join(words)
    draw = rng.random()
    if draw < 0.15:
        text += f' "{" ".join(told(2, rng))}"'
    elif draw < 0.25:
        text += f" -{told(1, rng)[0]}"
    elif draw < 0.35:
        text += f" {rng.choice(('title', 'heading', 'text'))}:{told(1, rng)[0]}"
    elif draw < 0.45:
        text += rng.choice((" base:port", " media:pdf", " lang:fr", " after:1970-01-20", " mark:(1)", " attr.rank:2"))
    wanted = Wanted(
        k=rng.choice((1, 3, 10)),
        filter=_filter(rng) if rng.random() < 0.25 else None,
        facets=_FACETS,
        method=rng.choice(("hybrid", "hybrid", "hybrid", "text", "dense")),
        marks=_MARKS,
    )
    plain = parse(text).text
    vectors = {"hashing": embed(plain), "other": hashed(plain[::-1])} if plain.strip() and rng.random() < 0.9 else {}
    return Question(text, wanted, vectors)


def _filter(rng: random.Random) -> Filter:
    one = Compare("rank", rng.choice(("eq", "ne", "gt", "lte")), float(rng.randrange(4)))
    two = Compare("author", rng.choice(("in", "nin")), ("ann", "eve"))
    return rng.choice((one, two, Every((one, two)), Some((one, two))))


def told_of(finding: Finding) -> bytes:
    """All that a search gives."""
    hits = [
        (h.hit.passage, h.hit.label.text, h.hit.bm25, h.hit.cosine, h.hit.fused, h.hit.base, h.hit.filed, h.snippet)
        for h in finding.hits
    ]
    rest = (finding.total, finding.facets, finding.suggestions, finding.statistics)
    return _ENCODER.encode((hits, rest))


Searcher = Callable[[Question, Sequence[Shard], Sequence[Shard]], bytes]


def honest(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """The product's own: it is given the visible shards and no others."""
    del everything
    return told_of(find(parse(asked.text), asked.asked(), View(visible), asked.wanted))


def _with(view: View, asked: Question) -> bytes:
    return told_of(find(parse(asked.text), asked.asked(), view, asked.wanted))


class _Counting(View):
    """A view whose statistics somebody else has counted."""

    def __init__(self, shards: Sequence[Shard], counted: Callable[[Statistics, Statistics], Statistics], by: View):
        super().__init__(shards)
        self._counted, self._by = counted, by

    def statistics(self, terms: Sequence[str]) -> Statistics:  # type: ignore[override]
        return self._counted(super().statistics(terms), self._by.statistics(terms))


def global_df(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """One table of document frequencies for the whole base."""
    return _with(_Counting(visible, lambda own, every: replace(own, df=every.df), View(everything)), asked)


def shared_length(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """The average length of a passage is the region's."""

    def counted(own: Statistics, every: Statistics) -> Statistics:
        return replace(own, count=every.count, total=every.total)

    return _with(_Counting(visible, counted, View(everything)), asked)


def post_filter(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """Everything is searched, then what may not be seen is dropped."""
    seen = {shard.label for shard in visible}
    found = find(parse(asked.text), asked.asked(), View(everything), asked.wanted)
    own = find(parse(asked.text), asked.asked(), View(visible), asked.wanted)
    return told_of(replace(own, hits=tuple(each for each in found.hits if each.hit.label in seen)))


def mixed_graph(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """Neighbours are walked in one graph over all labels; of those that are met, the visible ones are ranked."""
    own = find(parse(asked.text), asked.asked(), View(visible), asked.wanted)
    if "hashing" not in asked.vectors:
        return told_of(own)
    met = _walk(query_vector(asked.vectors["hashing"]), everything)
    kept = tuple(each for each in own.hits if each.hit.cosine == 0.0 or each.hit.passage.id in met)
    return told_of(replace(own, hits=kept))


def _walk(vector: np.ndarray, everything: Sequence[Shard]) -> set[str]:
    """Greedy steps from the first passage through the three nearest neighbours of each."""
    rows = [
        (bytes(i).decode(), v) for s in everything if s.vectors.shape[1] for i, v in zip(s.ids, s.vectors, strict=True)
    ]
    if not rows:
        return set()
    matrix = np.array([v for _, v in rows], dtype=np.float32)
    near = np.argsort(-(matrix @ matrix.T), axis=1, kind="stable")[:, :4]
    scores, at, met = matrix @ vector, 0, {0}
    while True:
        around = near[at]
        met.update(around.tolist())
        best = int(around[np.argmax(scores[around])])
        if scores[best] <= scores[at]:
            return {rows[each][0] for each in met}
        at = best


def calibrated_floor(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """Hits below the mean score of the whole base are left out."""
    own = find(parse(asked.text), asked.asked(), View(visible), asked.wanted)
    every = asked.asked().search(View(everything), 1000)
    floor = sum(hit.bm25 for hit in every.hits) / max(1, len(every.hits))
    return told_of(replace(own, hits=tuple(each for each in own.hits if each.hit.bm25 >= floor)))


def mixed_batch(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """A vector is scaled by the largest value of the batch in which it was embedded, whoever's that was."""
    largest = max((int(np.abs(s.vectors).max(initial=0)) for s in everything if s.vectors.shape[1]), default=1)

    def scaled(shard: Shard) -> Shard:
        vectors = (shard.vectors.astype(np.int32) * 100 // largest).astype(np.int8)
        return replace(shard, vectors=vectors, norms=(vectors.astype(np.uint32) ** 2).sum(axis=1, dtype=np.uint32))

    return _with(View([scaled(shard) if shard.vectors.shape[1] else shard for shard in visible]), asked)


def facets_of_all(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """Facets are counted over the whole base."""
    own = find(parse(asked.text), asked.asked(), View(visible), asked.wanted)
    every = find(parse(asked.text), asked.asked(), View(everything), asked.wanted)
    return told_of(replace(own, facets=every.facets))


def suggestions_of_all(asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
    """A word is looked up in the whole base's vocabulary."""
    own = find(parse(asked.text), asked.asked(), View(visible), asked.wanted)
    every = find(parse(asked.text), asked.asked(), View(everything), asked.wanted)
    return told_of(replace(own, suggestions=every.suggestions))


class CacheWithoutClass:
    """What a question gave is kept by its words: the next who asks has another label."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, str], bytes] = {}

    def __call__(self, asked: Question, visible: Sequence[Shard], everything: Sequence[Shard]) -> bytes:
        key = (asked.text, asked.wanted.k, asked.wanted.method)
        self._kept.setdefault(key, honest(asked, everything, everything))  # somebody above has asked it before
        return self._kept[key]


LEAKS: dict[str, Callable[[], Searcher]] = {
    "global-df": lambda: global_df,
    "shared-average-length": lambda: shared_length,
    "mixed-label-graph": lambda: mixed_graph,
    "post-filter": lambda: post_filter,
    "cache-without-class": CacheWithoutClass,
    "mixed-batch": lambda: mixed_batch,
    "calibrated-floor-over-all": lambda: calibrated_floor,
    "facets-over-all": lambda: facets_of_all,
    "suggestions-over-all": lambda: suggestions_of_all,
}


def told_alone(asked: Question, history: History) -> bytes:
    """What the index of nothing but the visible world says."""
    return honest(asked, history.alone(), ())
