"""A view as a reader walks through it: nodes with their places, links, and the words that each stands on.

Made of one view and its measures, and of nothing else; places alone may begin as a view that flows to this one has
them, so that two that stand beside each other look alike. What is left out for want of room is counted within the view.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from casemate.missions import Link, Node, Quote, Seen
from casemate_intelligence.label import Scheme
from casemate_intelligence.view import Entity, Shown, View

if TYPE_CHECKING:
    from casemate_intelligence.measure import Measures

__all__ = ["MOST", "Places", "walked"]

MOST = 1000
"""Entities of a view on the page; of several views, fewer each."""
QUOTES = 24
ROOM = 30_000
"""Quotations of the page, shared by its views."""
LONG = 600
Places = Mapping[str, tuple[int, int]]


def walked(
    view: View, order: Sequence[str], measures: Measures, places: Places, scheme: Scheme, beside: int = 1
) -> Seen:
    """`order`: entities, most central first. `beside`: how many views share the page's room."""
    most = 2 * MOST // max(beside, 2)
    kept = order[:most]
    here, room = set(kept), _Room(ROOM // max(beside, 1))
    nodes = []
    for name in kept:
        one = view.entities[name]
        size = 5.0 + round(11 * math.sqrt(max(measures.betweenness[name], 0.0)), 1)
        quotes, more = room.take(one, scheme)
        (x, y), group = places[name], measures.community[name]
        head = (name, one.name[:LONG], one.schema, scheme.portion(one.label), one.members[:1000])
        nodes.append(Node(*head, float(x), float(y), size, group, quotes, more))
    links = []
    for edge in [each for each in view.edges if each.source in here and each.target in here][: 3 * most]:
        quotes, more = room.take(edge, scheme)
        ends = (edge.source, edge.target, edge.date, scheme.portion(edge.label))
        links.append(Link(edge.id, edge.schema, *ends, quotes, more))
    return Seen(scheme.write(view.label), tuple(nodes), tuple(links), len(view.entities))


class _Room:
    """What is left of a view's share: a function of what the view shows, in its own order."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, one: Shown, scheme: Scheme) -> tuple[tuple[Quote, ...], int]:
        """Its first quotations, and how many are left out."""
        every = list(_quotes(one, scheme))
        shown = every[: min(QUOTES, self._left)]
        self._left -= len(shown)
        return tuple(shown), len(every) - len(shown)


def _quotes(one: Shown, scheme: Scheme) -> Iterable[Quote]:
    for fact in one.facts:
        words = fact.source.quote[:LONG]
        yield Quote(
            fact.prop,
            fact.value[:LONG],
            scheme.portion(fact.label),
            words,
            _place(fact.source.name, fact.source.start, fact.source.end),
        )
    if isinstance(one, Entity):
        for merge in one.merges:
            told = f"{merge.left} = {merge.right}"
            yield Quote("merged", told, scheme.portion(merge.label), merge.source.quote[:LONG], merge.source.name)


def _place(name: str, start: int, end: int) -> str:
    return f"{name}, {start}–{end}" if start >= 0 else name
