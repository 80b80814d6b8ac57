"""Colours and print sheets of labels, as style sheets, and the labels that somebody may choose from.

A colour is never alone: the words of the marking are always text. On paper the words stand in the margin of every
sheet, which only a style sheet can put there; so that sheet is written for one label, for a caller who may act at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from casemate.access import Flow
from casemate.assistants import order
from casemate.errors import MarkingError
from casemate.labels import Label, Policies

__all__ = ["Choice", "acting", "between", "palette", "raising", "sheet", "stating", "told", "tone", "version"]

MOST = 8  # authorizations that are offered one by one
_GREY = "#6b7280"
_PALE = ("#000000", "#ffffff")


@dataclass(frozen=True, slots=True)
class Choice:
    """A label that may be chosen: canonical text, and its marking as people read it."""

    text: str
    marking: str


def acting(flow: Flow, language: str) -> tuple[Choice, ...]:
    """Labels to act at: those of visible classes and of the policies' levels, between floor and ceiling."""
    session, region = flow.session, flow.gate.vault.region
    levels = [region.reach(text) for text in _levels(region.policies)]
    return between(flow, [session.floor, session.ceiling, *levels], session.floor, session.ceiling, language)


def stating(flow: Flow, language: str) -> tuple[Choice, ...]:
    """Labels that somebody may state for a document, between the floor and the acting label."""
    region = flow.gate.vault.region
    levels = [region.label(text) for text in _levels(region.policies)]
    return between(flow, levels, flow.floor, flow.acting.without_needs | flow.floor, language)


def raising(flow: Flow, language: str) -> tuple[Choice, ...]:
    """Labels above the acting one, to the ceiling, lower ones first; of those that look alike, the lowest."""
    session, region, here = flow.session, flow.gate.vault.region, flow.acting
    levels = (region.label(text) for text in _levels(region.policies))
    found = {label | here for label in (*levels, *(c.label for c in flow.classes()))}
    shown: dict[str, Label] = {}
    for label in order(label for label in found if label is not here and label <= session.ceiling):
        shown.setdefault(told(region.policies, label, language), label)
    return tuple(Choice(label.text, marking) for marking, label in shown.items())


def between(flow: Flow, levels: Iterable[Label], low: Label, high: Label, language: str) -> tuple[Choice, ...]:
    """Labels from `low` to `high`, lower ones first; of those that look alike, one that dominates the others.

    Authorizations are chosen too: none, each of those that `high` has, and all of them.
    """
    policies = flow.gate.vault.region.policies
    found = {label for label in (*levels, *(c.label | low for c in flow.classes())) if low <= label <= high}
    found |= {high, high.without_needs | low}
    few = sorted(high.needs)[:MOST]
    found |= {label.with_needs(names) for label in found for names in (*((name,) for name in few), high.needs)}
    shown: dict[str, Label] = {}
    for label in order(found):
        marking = told(policies, label, language)
        if marking not in shown or shown[marking] <= label:
            shown[marking] = label
    return tuple(Choice(label.text, marking) for marking, label in shown.items())


def told(policies: Policies, label: Label, language: str) -> str:
    """A label's marking, and the authorizations that one needs beside, which no marking shows."""
    return " · ".join((policies.banner(label, language), *sorted(label.needs)))


@cache
def _levels(policies: Policies) -> tuple[str, ...]:
    """Every level of every policy as a marking that names its policy."""
    texts = [f"{name}:{level.banner['en']}" for name, policy in policies.listed.items() for level in policy.levels]
    return tuple(text for text in texts if _reads(policies, text))


def _reads(policies: Policies, text: str) -> bool:
    try:
        policies.parse(text)
    except MarkingError:
        return False
    return True


def tone(policies: Policies, label: str) -> str:
    """The class that gives a label its colours."""
    try:
        return _class(policies.colour(policies.parse(label)))
    except MarkingError:
        return ""


def version(policies: Policies) -> str:
    """Changes with the palette."""
    return hashlib.sha256(palette(policies).encode()).hexdigest()[:12]


def _class(pair: tuple[str, str]) -> str:
    return f"c-{pair[0][1:]}-{pair[1][1:]}"


@cache
def palette(policies: Policies) -> str:
    """A class for each pair of colours of the listed policies: `--bg`, `--fg`, and `--edge` for a line beside text."""
    pairs = {level.colour for policy in policies.listed.values() for level in policy.levels}
    return "".join(f".{_class(pair)}{{{_colours(pair)}}}\n" for pair in sorted(pairs))


def _colours(pair: tuple[str, str]) -> str:
    edge = next((colour for colour in pair if colour not in _PALE), _GREY)
    return f"--bg:{pair[0]};--fg:{pair[1]};--edge:{edge}"


def sheet(policies: Policies, label: Label, language: str) -> str:
    """The style sheet of one label: the colours of its banners, its words on every printed sheet."""
    words = _quoted(policies.banner(label, language))
    box = "font:bold 9pt sans-serif;color:#000;white-space:normal;text-align:center"
    return (
        f".banner{{{_colours(policies.colour(label))}}}\n"
        "@media print{@page{margin:20mm 15mm;"
        f"@top-center{{content:{words};{box}}}"
        f'@bottom-center{{content:{words} "  \\2013  " counter(page) "/" counter(pages);{box}}}'
        "}}\n"
    )


def _quoted(words: str) -> str:
    """A CSS string: what is no letter, digit or space is an escape (CSS Syntax 3, section 4.3.7)."""
    return '"' + "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in words) + '"'
