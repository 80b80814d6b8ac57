"""One search as people and programs ask it: hits with snippets, how many there are, facets and suggestions.

All of it is a function of the query and of the shards of the view, which are those that the acting label dominates and
no others. Masks restrict rows before they are ranked, so k hits come back wherever k rows may be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casemate.knowledge.index.facets import Facet, Matched, count
from casemate.knowledge.index.filed import Attribute, Filed
from casemate.knowledge.index.filter import Every, Filter
from casemate.knowledge.index.mask import Mask, allowed, matching
from casemate.knowledge.index.query import Query
from casemate.knowledge.index.rank import Statistics
from casemate.knowledge.index.search import Asked, Hit, Method, Results
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.snippet import Snippet, snippet
from casemate.knowledge.index.suggest import Suggestion, suggest
from casemate.knowledge.index.tokens import Tokens
from casemate.knowledge.index.view import View
from casemate.labels import Label

__all__ = ["Finding", "Narrowed", "Shown", "Wanted", "find", "narrow", "tell"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked beside the query. `marks`: the portion mark of each label, for filters and facets."""

    k: int = 10
    filter: Filter | None = None
    facets: tuple[str, ...] = ()
    method: Method = "hybrid"
    marks: Mapping[Label, str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit, and the stretch of it that is shown first."""

    hit: Hit
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Finding:
    """`total`: passages that hold a word of the question, of those that may be found; without words, all of these."""

    hits: tuple[Shown, ...]
    total: int
    facets: tuple[Facet, ...]
    suggestions: tuple[Suggestion, ...]
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What may be found of each shard, and of that what holds a word of the question."""

    mask: Mask | None
    matched: tuple[Matched, ...]
    tokens: Tokens


def find(query: Query, asked: Asked, view: View, wanted: Wanted) -> Finding:
    """Everything that a search gives. `asked` is made of the query's text; without words the newest come first."""
    narrowed = narrow(query, asked, view.shards, wanted)
    results = asked.search(view, wanted.k, narrowed.mask, wanted.method)
    return tell(query, asked, narrowed, results, wanted)


def narrow(query: Query, asked: Asked, shards: Sequence[Shard], wanted: Wanted) -> Narrowed:
    """Masks, before anything is ranked."""
    tokens = Tokens()
    both = tuple(each for each in (query.filter, wanted.filter) if each is not None)
    rule = Every(both) if len(both) == 2 else next(iter(both), None)
    masks: list[Mask | None] = []
    matched: list[Matched] = []
    for shard in shards:
        extra: dict[str, Attribute] = {"base": shard.base, "mark": (wanted.marks or {}).get(shard.label, "")}
        mask = allowed(shard, query.needs, rule, extra, tokens)
        masks.append(mask)
        matched.append(Matched(shard, matching(shard, asked.terms, mask), extra))
    return Narrowed(_joined(shards, masks), tuple(matched), tokens)


def tell(query: Query, asked: Asked, narrowed: Narrowed, results: Results, wanted: Wanted) -> Finding:
    """What is shown of the results, and what is counted."""
    hits = results.hits if query.text.strip() else newest(narrowed.matched, wanted.k)
    terms = frozenset(asked.terms)
    return Finding(
        tuple(Shown(hit, snippet(hit.passage.text, terms, narrowed.tokens)) for hit in hits),
        sum(len(each.rows) for each in narrowed.matched),
        count(narrowed.matched, wanted.facets),
        suggest(query.text, [each.shard for each in narrowed.matched]),
        results.statistics,
    )


def newest(matched: Sequence[Matched], k: int) -> tuple[Hit, ...]:
    """The first passages of the documents that came last: what there is to see where no word was asked."""
    documents: dict[tuple[int, str], list[tuple[Shard, int, Filed]]] = {}
    for each in matched:
        shard = each.shard
        for owner in np.unique(shard.owners[each.rows]).tolist():
            filed = shard.filed[owner]
            documents.setdefault((-filed.at, filed.document), []).append((shard, owner, filed))
    rows = {id(each.shard): each.rows for each in matched}
    hits: list[Hit] = []
    for place in sorted(documents):
        found = [
            Hit(shard.passage(row), shard.label, 0.0, 0.0, 0.0, shard.base, filed)
            for shard, owner, filed in documents[place]
            for row in rows[id(shard)][shard.owners[rows[id(shard)]] == owner].tolist()
        ]
        hits.extend(sorted(found, key=lambda hit: (hit.passage.ordinal, hit.passage.id)))
        if len(hits) >= k:
            break
    return tuple(hits[:k])


def _joined(shards: Sequence[Shard], masks: Sequence[Mask | None]) -> Mask | None:
    """One mask over the rows of the view; None where nothing is restricted."""
    if all(mask is None for mask in masks):
        return None
    return np.concatenate(
        [
            np.ones(shard.count, dtype=np.bool_) if mask is None else mask
            for shard, mask in zip(shards, masks, strict=True)
        ]
    )
