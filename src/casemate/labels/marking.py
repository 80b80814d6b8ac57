"""From an element of one policy to its marking: a projection, so several elements may look alike.

What is written is never less than the element's level, and never a wider release than the element allows: a set that
cannot be written is written as the owner alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from casemate.labels.label import Element
from casemate.labels.policy import Category, Control, Listing, Policy

__all__ = ["evicted", "mark"]

_PORTION = "portion"


class _Part(NamedTuple):
    section: int
    order: int
    glue: str
    text: str


def mark(policy: Policy, element: Element, form: str) -> str:
    """The marking of an element. `form`: a language ("en", "fr") for a banner, "portion" for a portion mark."""
    level = policy.levels[element.level]
    head = level.portion if form == _PORTION else level.banner.get(form, level.banner["en"])
    parts: list[_Part] = []
    for category in policy.categories:
        if category.permissive:
            parts += _release(category, dict(element.permissive).get(category.name), form)
            continue
        shown = [category.tokens[token] for name, token in sorted(element.restrictive) if name == category.name]
        shown = [control for control in shown if not evicted(control, element)]
        for control in [each for each in shown if each.instead and element.level == 0]:
            head = _written(control, form)
            shown.remove(control)
        if category.tree:
            parts += [_Part(category.section, 0, "//", text) for text in _tree([each.name for each in shown])]
        else:
            parts += [_Part(category.section, each.order, "//", _written(each, form)) for each in shown]
    return head + "".join(_joined(sorted(parts), form))


def evicted(control: Control, element: Element) -> bool:
    """Whether the source takes this control out of a marking of that element."""
    beside = any(token in control.evicted_with for _, token in element.restrictive)
    return control.evicted and (element.level_name not in control.levels or beside)


def _release(category: Category, allowed: frozenset[str] | None, form: str) -> list[_Part]:
    if allowed is None:
        return []
    if category.listing and {category.owner} < allowed:
        order, text = category.listing.order, _recipients(category, category.listing, allowed, form)
        return [_Part(category.section, order, category.glue, text)]
    if category.only:
        return [_Part(category.section, category.only.order, "//", _written(category.only, form))]
    return []


def _recipients(category: Category, listing: Listing, allowed: frozenset[str], form: str) -> str:
    group = next((name for name in sorted(category.expand) if category.expand[name] == allowed), "")
    others = [group] if group else sorted(allowed - {category.owner})
    if form == _PORTION:
        prefix, names = listing.portion, [category.tokens[token].portion for token in others]
    else:
        prefix = listing.prefix.get(form, listing.prefix["en"])
        names = [_written(category.tokens[token], form) for token in others]
    # Register order: trigraphs before longer codes, each alphabetical; names in full simply alphabetical.
    coded = all(token == name for token, name in zip(others, names, strict=True))
    names.sort(key=_code if coded else None)
    return prefix + ", ".join([category.owner, *names] if listing.owner_first else names)


def _code(name: str) -> tuple[bool, str]:
    return len(name) != 3, name


def _written(control: Control, form: str) -> str:
    return control.portion if form == _PORTION else control.banner.get(form, control.banner["en"])


def _tree(tokens: Iterable[str]) -> list[str]:
    """System-compartment sub sub-compartment sub: ascending at each step, numbers before letters."""
    systems: dict[str, dict[str, list[str]]] = {}
    for token in sorted(tokens):
        system, *rest = token.split("-", 2)
        compartments = systems.setdefault(system, {})
        if rest:
            compartments.setdefault(rest[0], []).extend(rest[1:])
    return [
        "-".join([system, *(" ".join([name, *subs]) for name, subs in compartments.items())])
        for system, compartments in systems.items()
    ]


def _joined(parts: list[_Part], form: str) -> Iterable[str]:
    section = None
    for part in parts:
        glue = "//" if form == _PORTION else part.glue
        yield ("/" if part.section == section else glue) + part.text
        section = part.section
