"""Labels by the words of a channel's state: which levels and categories there are, and nothing else.

It must never guess: a text that is not the one spelling of a label of this lattice is no label.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from casemate.errors import MarkingError
from casemate.labels import Element, Label, Policies, make_label

__all__ = ["Lattice", "Ranks", "lattice_of", "read_label"]

_Word = Annotated[str, Meta(min_length=1, max_length=64)]


class Ranks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One policy: its levels from the lowest, and which categories add up and which open."""

    levels: Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=256)]
    permissive: Annotated[tuple[_Word, ...], Meta(max_length=256)]
    restrictive: Annotated[tuple[_Word, ...], Meta(max_length=256)]


Lattice = dict[str, Ranks]


def lattice_of(policies: Policies) -> Lattice:
    """What those policies know, as a state keeps it."""
    found: Lattice = {}
    for name, policy in policies.listed.items():
        by = sorted(policy.categories, key=lambda each: each.name)
        levels = tuple(each.name for each in policy.levels)
        permissive = tuple(each.name for each in by if each.permissive)
        found[name] = Ranks(levels, permissive, tuple(each.name for each in by if not each.permissive))
    return found


def read_label(lattice: Lattice, text: str) -> Label | None:
    """The label of that canonical text; None where it is none of this lattice."""
    agencies, needs, elements = list[str](), list[str](), dict[str, Element]()
    for part in [] if text == "bottom" else text.split(" + "):
        kind, _, name = part.partition("=")
        if kind in {"agency", "need"}:
            (agencies if kind == "agency" else needs).append(name)
            continue
        policy, _, body = part.partition(":")
        element = _element(lattice.get(policy), body)
        if element is None:
            return None
        elements[policy] = element
    try:
        found = make_label(elements, agencies, needs)
    except MarkingError:
        return None
    return found if found.text == text else None


def _element(ranks: Ranks | None, body: str) -> Element | None:
    """One policy's part; None where the policy, the level or a category is unknown."""
    level, *said = body.split("//")
    if ranks is None or level not in ranks.levels:
        return None
    restrictive: set[tuple[str, str]] = set()
    permissive: list[tuple[str, frozenset[str]]] = []
    for each in said:
        category, _, listed = each.partition("=")
        tokens = frozenset(listed.split(",")) if listed else frozenset[str]()
        if category in ranks.restrictive and tokens:
            restrictive.update((category, token) for token in tokens)
        elif category in ranks.permissive:
            permissive.append((category, tokens))
        else:
            return None
    return Element(ranks.levels.index(level), level, frozenset(restrictive), tuple(sorted(permissive)))
