"""Which rows of a shard may be found at all: phrases, exclusions, fields and filters, before anything is ranked.

A mask is a function of the query and of one shard. It must never look into another shard: a phrase that stands in a
hidden passage has not been found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index.filed import Attribute
from casemate.knowledge.index.filter import Filter, holds
from casemate.knowledge.index.query import Need
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.index.tokens import Tokens

__all__ = ["Mask", "allowed", "matching"]

Mask = NDArray[np.bool_]


def allowed(
    shard: Shard, needs: Sequence[Need], rule: Filter | None, extra: Mapping[str, Attribute], tokens: Tokens
) -> Mask | None:
    """The rows that satisfy all of it; None: every row, since nothing was asked. `tokens` is the request's own."""
    if not needs and rule is None:
        return None
    rows = np.ones(shard.count, dtype=np.bool_)
    if rule is not None:
        filed = np.array([holds(rule, each, extra) for each in shard.filed], dtype=np.bool_)
        rows &= filed[shard.owners]
    for need in needs:
        if need.field == "title":
            titled = [_runs(tokens.terms(each.title), need.terms) for each in shard.filed]
            held = np.array(titled, dtype=np.bool_)[shard.owners]
        else:
            held = np.zeros(shard.count, dtype=np.bool_)
            held[_held(shard, need, rows, tokens)] = True
        rows &= ~held if need.absent else held
    return rows


def matching(shard: Shard, terms: Sequence[str], mask: Mask | None) -> NDArray[np.intp]:
    """The rows that may be found and hold a term of the question; without terms, all that may be found."""
    if terms:
        rows = np.zeros(shard.count, dtype=np.bool_)
        for term in terms:
            rows[shard.postings(term)[0]] = True
    else:
        rows = np.ones(shard.count, dtype=np.bool_)
    return np.flatnonzero(rows if mask is None else rows & mask)


def _held(shard: Shard, need: Need, among: Mask, tokens: Tokens) -> list[int]:
    """The rows that hold the run of terms, of those that are still in question: postings first, then the passages."""
    rows = None
    for term in sorted(set(need.terms), key=shard.df):
        places = shard.postings(term)[0]
        rows = places[among[places]] if rows is None else np.intersect1d(rows, places, assume_unique=True)
        if not len(rows):
            return []
    found = [] if rows is None else [int(row) for row in rows]
    if len(need.terms) == 1 and not need.field:
        return found
    kept: list[int] = []
    for row in found:
        passage = shard.passage(row)
        said = {"": passage.indexed, "heading": passage.heading, "text": passage.text}[need.field]
        if _runs(tokens.terms(said), need.terms):
            kept.append(row)
    return kept


def _runs(held: list[str], run: tuple[str, ...]) -> bool:
    """Whether the terms stand in there, one after the other."""
    wanted, at = list(run), -1
    for _ in range(held.count(run[0])):
        at = held.index(run[0], at + 1)
        if held[at : at + len(wanted)] == wanted:
            return True
    return False
