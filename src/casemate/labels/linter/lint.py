"""The linter: what is wrong with the marks of a text, where, by which rule, and what may be written instead.

    text --spots--> places --hearing--> marks and findings --roll-up--> what the banner has to be --> Linted

    one mark        the findings of its grammar, at their places; a mark in brackets, unclosed, or glued to its text
    the whole       a banner that is missing, below its portions, above them without a reason, or not the same at both
                    ends; paragraphs without a mark beside marked ones; a classified text without any portion mark

What is unknown is read as the higher, and what bears no mark is held at the label of the whole: nothing is passed over.
A fix never changes what a mark means, and a banner is only ever raised. Nothing is remembered from one text to the
next. It must never say who may see what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from casemate.labels.linter.linted import Linted, Placed
from casemate.labels.linter.said import Hearing, words_of
from casemate.labels.linter.text import BANNER, PORTION, UNMARKED, Scanner
from casemate.labels.linter.whole import Look
from casemate.labels.listed import Policies

__all__ = ["lint"]

_LIST = re.compile(r"^\W*\(A\)\s(?:.*\n)+?\W*\(B\)\s", re.MULTILINE)
_SCANNERS: WeakKeyDictionary[Policies, Scanner] = WeakKeyDictionary()  # made of policies alone, never of a text


def lint(policies: Policies, text: str) -> Linted:
    """What is wrong with the marks of a text, in the order of their places."""
    scanner = _SCANNERS.get(policies)
    if scanner is None:
        scanner = _SCANNERS[policies] = Scanner(policies.listed.values())
    spots = scanner.spots(text)
    hearing = Hearing(policies)
    for spot in spots:
        if spot.kind != UNMARKED:
            hearing.hear(spot.kind, words_of(spot, text))
    said = hearing.all()
    placed = [Placed(spot, said[spot.kind, words_of(spot, text)]) for spot in spots if spot.kind != UNMARKED]
    placed = [each for each in placed if each.said.marks or each.said.findings]
    if _numbered(placed, text):
        placed = []
    look = Look(policies, hearing, text, hearing.own if placed else "")
    look.placed = placed
    look.banners = [each for each in placed if each.spot.kind == BANNER and each.said.marks]
    look.portions = [each for each in placed if each.spot.kind == PORTION and each.said.marks]
    look.unmarked = [spot for spot in spots if spot.kind == UNMARKED]
    return look.at_all()


def _numbered(placed: Sequence[Placed], text: str) -> bool:
    """Whether the only marks are a (C) that follows (A) and (B)."""
    return bool(placed) and all(each.spot.inside == "C" for each in placed) and _LIST.search(text) is not None
