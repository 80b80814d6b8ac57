"""The readable definition of the order and of its bounds: what one integer in `labels.bits` is held to.

It knows nothing of bits. Whoever wants to know what a label means reads this.
"""

from __future__ import annotations

from casemate.labels import Element, Label

Permissive = dict[str, frozenset[str]]


def flows(a: Label, b: Label) -> bool:
    """Whether what bears a may flow to b."""
    theirs = dict(b.elements)
    if not (a.agencies <= b.agencies and a.needs <= b.needs):
        return False
    return all(element_flows(element, theirs.get(policy, Element(0, "bottom"))) for policy, element in a.elements)


def element_flows(a: Element, b: Element) -> bool:
    """No level lower, no RESTRICTIVE token missing, and nobody released to who was not."""
    released: Permissive = dict(b.permissive)
    return (
        a.level <= b.level
        and a.restrictive <= b.restrictive
        and all(category in released and released[category] <= tokens for category, tokens in a.permissive)
    )


def parts(label: Label) -> object:
    """A label's value without its text: agencies, needs, and per policy level, RESTRICTIVE and PERMISSIVE."""
    return (
        label.agencies,
        label.needs,
        {name: (e.level, e.restrictive, dict(e.permissive)) for name, e in label.elements},
    )


def join(a: Label, b: Label) -> object:
    """The parts of the least label that both flow to."""
    found = {}
    for name in a_or_b(a, b):
        one, other = element(a, name), element(b, name)
        sets = dict(one.permissive)
        for category, tokens in other.permissive:
            sets[category] = sets[category] & tokens if category in sets else tokens
        found[name] = (max(one.level, other.level), one.restrictive | other.restrictive, sets)
    return a.agencies | b.agencies, a.needs | b.needs, found


def meet(a: Label, b: Label) -> object:
    """The parts of the greatest label that flows to both."""
    found = {}
    for name in a_or_b(a, b):
        one, other = element(a, name), element(b, name)
        mine, theirs = dict(one.permissive), dict(other.permissive)
        sets = {category: mine[category] | theirs[category] for category in mine.keys() & theirs.keys()}
        said = (min(one.level, other.level), one.restrictive & other.restrictive, sets)
        if said != (0, frozenset(), {}):
            found[name] = said
    return a.agencies & b.agencies, a.needs & b.needs, found


def a_or_b(a: Label, b: Label) -> set[str]:
    return {name for label in (a, b) for name, _ in label.elements}


def element(label: Label, policy: str) -> Element:
    return dict(label.elements).get(policy, Element(0, "bottom"))
