"""Equivalences between policies: one-way, each naming the agreement that it rests on. A site states them; none is ours.

    [[equivalences]]
    from = "fr:DIFFUSION RESTREINTE"
    to = "nato:NATO RESTRICTED"
    agreement = "..."

What is labelled exactly `from` in its policy is labelled `to` in the other as well. Nothing is ever taken away: the
first policy's element stays until a release door takes it. Agreements do not compose, nor does one reach what is above,
below or beside what it names. It must never lower a label, and never apply an agreement backwards.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from casemate.errors import MarkingError, Misconfigured
from casemate.labels.label import Element, Label, make_label
from casemate.labels.listed import Policies

__all__ = ["Equated", "Equivalence", "equated", "read_equivalences"]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What bears `source` in its policy bears `target` in another too, by `agreement`."""

    policy: str
    source: Element
    target: Label
    agreement: str


@dataclass(frozen=True, slots=True)
class Equated:
    """A label with what agreements add to it, and the agreements that did, each once."""

    label: Label
    agreements: tuple[str, ...] = ()


def read_equivalences(policies: Policies, text: str, where: str) -> tuple[Equivalence, ...]:
    """The equivalences of a file. Misconfigured, naming `where`, if one is not between two listed policies."""
    try:
        entries = tomllib.loads(text)["equivalences"]
        return tuple(_read(policies, entry) for entry in entries)
    except MarkingError as error:
        raise Misconfigured(setting=where, why=f"{error.facts['marking']}: {error.facts['why']}") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Misconfigured(setting=where, why=f"not equivalences: {type(error).__name__}: {error}") from None


def equated(label: Label, equivalences: Iterable[Equivalence]) -> Equated:
    """The label joined with the target of each equivalence whose source it bears; what one adds moves no other."""
    held = dict(label.elements)
    whole, agreements = label, dict[str, None]()
    for each in equivalences:
        if held.get(each.policy) == each.source:
            whole |= each.target
            agreements[each.agreement] = None
    return Equated(whole, tuple(agreements))


def _read(policies: Policies, entry: Any) -> Equivalence:
    source, target, agreement = (str(entry[key]).strip() for key in ("from", "to", "agreement"))
    if len(entry) != 3 or not agreement:
        raise ValueError("an equivalence holds from, to and the agreement that it rests on")
    policy, element = _one(policies.parse(source), source)
    other, added = _one(policies.parse(target), target)
    if policy == other:
        raise ValueError(f"{source} and {target} are of one policy")
    return Equivalence(policy, element, make_label({other: added}), agreement)


def _one(label: Label, text: str) -> tuple[str, Element]:
    if len(label.elements) != 1 or label.agencies:
        raise ValueError(f"{text} is not a mark of one policy above its bottom")
    return label.elements[0]
