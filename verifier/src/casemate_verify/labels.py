"""Labels as the lattice of a state has them: read from their one canonical text, and compared. Nothing is rounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemate_verify.shape import rising

__all__ = ["Label", "Policy", "read_label"]

_AGENCY = _TOKEN = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
_NEED = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy knows: levels from the lowest, and its categories by how tokens of them add up."""

    levels: tuple[str, ...]
    permissive: frozenset[str]
    restrictive: frozenset[str]


@dataclass(frozen=True, slots=True)
class Label:
    """`needed`: all of these, agencies and authorizations too. `open_to`: of a category, any one of these."""

    levels: Mapping[str, int]
    needed: frozenset[tuple[str, str, str]]
    open_to: Mapping[tuple[str, str], frozenset[str]]

    def __le__(self, other: Label) -> bool:
        """Whether what bears this may flow to the other."""
        higher = any(level > other.levels.get(policy, 0) for policy, level in self.levels.items())
        opened = all(
            category in other.open_to and other.open_to[category] <= tokens for category, tokens in self.open_to.items()
        )
        return not higher and self.needed <= other.needed and opened


def read_label(text: str, lattice: Mapping[str, Policy]) -> Label:
    """The label of that text. ValueError where it is no canonical text, or says what the lattice does not know."""
    levels: dict[str, int] = {}
    needed: set[tuple[str, str, str]] = set()
    open_to: dict[tuple[str, str], frozenset[str]] = {}
    parts = [] if text == "bottom" else text.split(" + ")
    _ordered(parts)
    for part in parts:
        kind, is_name, name = part.partition("=")
        if is_name and kind in ("agency", "need"):
            if not (_AGENCY if kind == "agency" else _NEED).fullmatch(name):
                raise ValueError("a name in another form")
            needed.add(("", kind, name))
            continue
        head, *categories = part.split("//")
        policy, _, level = head.partition(":")
        if policy in levels or policy not in lattice:
            raise ValueError("an unknown policy, or one that is said twice")
        levels[policy] = lattice[policy].levels.index(level)  # ValueError where there is none
        if not levels[policy] and not categories:
            raise ValueError("the lowest level is not written")
        _read_categories(policy, lattice[policy], categories, needed, open_to)
    return Label(levels, frozenset(needed), open_to)


def _read_categories(
    policy: str,
    known: Policy,
    said: list[str],
    needed: set[tuple[str, str, str]],
    open_to: dict[tuple[str, str], frozenset[str]],
) -> None:
    names = []
    for one in said:
        category, is_listed, listed = one.partition("=")
        names.append(category)
        tokens = listed.split(",") if listed else []
        _ordered(tokens)
        if not is_listed or not all(_TOKEN.fullmatch(token) for token in tokens):
            raise ValueError("a token in another form")
        if category in known.restrictive and tokens:
            needed.update((policy, category, token) for token in tokens)
        elif category in known.permissive:
            open_to[policy, category] = frozenset(tokens)
        else:
            raise ValueError("an unknown category, or none of its tokens")
    _ordered(names)


def _ordered(items: Sequence[str]) -> None:
    if not rising(items):
        raise ValueError("out of order")
