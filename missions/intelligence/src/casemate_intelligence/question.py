"""A standing question: which links, of whom, of what kind, how large, when; and an answer that can be compared.

    from=Viktor Maren; to=Quill Harbour Services; by=Ownership; least=100000; first=2023-01; last=2023-12; hops=3

Each part may be left out. With neither end it is every such link; with one, those within `hops` of it; with both, the
shortest way between them over such links, of at most `hops`. It is asked of one view, and the answer is of that view.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from casemate.errors import BadInput
from casemate_intelligence.view import Edge, View

__all__ = ["AMOUNTS", "Question", "answered", "digest_of", "named", "question"]

AMOUNTS = ("amountEur", "amountUsd", "amount")
_PARTS = ("from", "to", "by", "least", "first", "last", "hops")
MOST_HOPS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """`start`, `end`: names or ids. `by`: schemata of links, all where it is empty. `least`: of an amount."""

    start: str = ""
    end: str = ""
    by: frozenset[str] = frozenset()
    least: float | None = None
    first: str = ""
    last: str = ""
    hops: int = 1


def question(text: str, schemata: Mapping[str, Collection[str]]) -> Question:
    """Reads one. `schemata`: each kind of link, and those that it descends from. Raises BadInput."""
    parts = dict[str, str]()
    for part in filter(str.strip, text.split(";")):
        name, is_one, value = (each.strip() for each in part.partition("="))
        if not is_one or name not in _PARTS or not value or name in parts:
            raise BadInput(what=f"A question is {'=..; '.join(_PARTS)}=.., each at most once.")
        parts[name] = value
    by = frozenset(name for name, above in schemata.items() if parts.get("by") in (name, *above))
    if "by" in parts and not by:
        raise BadInput(what=f"{parts['by'][:80]} is no kind of link.")
    try:
        least = float(parts["least"]) if "least" in parts else None
        hops = int(parts.get("hops", MOST_HOPS if {"from", "to"} <= parts.keys() else 1))
    except ValueError as wrong:
        raise BadInput(what="In a question least and hops are numbers.") from wrong
    if not parts or not 1 <= hops <= MOST_HOPS or least != least:
        raise BadInput(what=f"A question has at least one part, and from 1 to {MOST_HOPS} hops.")
    ends = (parts.get("from", ""), parts.get("to", ""))
    return Question(*ends, by, least, parts.get("first", ""), parts.get("last", ""), hops)


def named(view: View, text: str) -> str:
    """The entity of that id, or the first that a search for the name finds; the text itself where there is none."""
    known = view.of.get(text, text)
    return known if known in view.entities else next((one.id for one in view.search(text)), text)


def answered(view: View, asked: Question) -> tuple[Edge, ...]:
    """The links that answer it in this view."""
    kept = tuple(edge for edge in view.edges if _fits(edge, asked))
    part = View(view.label, view.entities, kept, (), view.of)
    if asked.first or asked.last:
        part = View(view.label, view.entities, part.between(asked.first, asked.last or "9999").edges, (), view.of)
    ends = [named(view, text) for text in (asked.start, asked.end) if text]
    if len(ends) == 2:
        way = part.path(*ends)
        return way if len(way) <= asked.hops else ()
    return part.expand(ends[0], asked.hops).edges if ends else part.edges


def digest_of(edges: Collection[Edge]) -> str:
    """Of an answer: another as soon as a link, an end or a date of it is another. 16 hexadecimal digits."""
    told = [[edge.id, edge.schema, edge.source, edge.target, edge.date] for edge in edges]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _fits(edge: Edge, asked: Question) -> bool:
    if asked.by and edge.schema not in asked.by:
        return False
    return asked.least is None or any(amount >= asked.least for amount in _amounts(edge))


def _amounts(edge: Edge) -> list[float]:
    found = list[float]()
    for fact in edge.facts:
        if fact.prop in AMOUNTS:
            try:
                found.append(float(fact.value))
            except ValueError:
                continue  # what a source wrote there is no number
    return found
