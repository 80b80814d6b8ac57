"""Passages: what is indexed, ranked, quoted and cited. A passage lies inside one portion, so its label is exact.

Everything that a passage carries is a function of the portions that flow to its own label: its ordinal counts the
passages of its class alone, its title and heading are visible ones, and a page number stays only where the document
bears no portion marks (between marked portions a page number would measure the hidden ones).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec

from casemate.ids import short
from casemate.knowledge.portions import HEADING, Portion
from casemate.knowledge.sentences import spans
from casemate.labels import Label

__all__ = ["WORDS", "Passage", "document_title", "passages", "split"]

WORDS = 120
_SPACE = re.compile(r"\s+")
_TITLE = 120


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """Some sentences of one portion. The shard that holds it knows its label."""

    id: str
    document: str
    ordinal: int
    title: str
    heading: str
    mark: str
    page: int
    text: str

    @property
    def indexed(self) -> str:
        """What the terms and the vector are made of: the passage under its nearest visible heading."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


def passages(portions: Iterable[Portion], label: Label, document: str, title: str = "") -> list[Passage]:
    """The passages of exactly that label, read as somebody would who sees nothing above it."""
    visible = [portion for portion in portions if portion.label <= label]
    shown = _SPACE.sub(" ", title).strip() or document_title(visible)
    made: list[Passage] = []
    heading = ""
    for place, portion in enumerate(visible):
        if portion.kind == HEADING:
            heading = _SPACE.sub(" ", portion.text).strip()
        if portion.label is not label or _folded(visible, place):
            continue
        under = "" if portion.kind == HEADING else heading
        page = 0 if portion.mark else portion.page
        for text in split(portion.text):
            ordinal = len(made)
            made.append(
                Passage(_id(document, label, ordinal), document, ordinal, shown, under, portion.mark, page, text)
            )
    return made


def document_title(visible: Sequence[Portion]) -> str:
    """The first heading, else the opening words of the first portion: a title made of what may be seen."""
    if not visible:
        return ""
    first = next((portion for portion in visible if portion.kind == HEADING), visible[0])
    text = _SPACE.sub(" ", first.text).strip()
    if len(text) <= _TITLE:
        return text
    return text[:_TITLE].rsplit(" ", 1)[0] + "…"


def split(text: str, limit: int = WORDS) -> list[str]:
    """The text in pieces of at most `limit` words, cut between sentences; a longer sentence is cut between words."""
    clean = _SPACE.sub(" ", text).strip()
    pieces: list[str] = []
    room = 0
    for start, end in spans(clean):
        words = clean[start:end].split(" ")
        if pieces and len(words) <= room:
            pieces[-1] += " " + clean[start:end]
            room -= len(words)
            continue
        for at in range(0, len(words), limit):
            pieces.append(" ".join(words[at : at + limit]))
            room = limit - len(words[at : at + limit])
    return pieces


def _folded(visible: Sequence[Portion], place: int) -> bool:
    """A heading whose next portion has its label rides on that portion and is no passage of its own."""
    if visible[place].kind != HEADING or place + 1 == len(visible):
        return False
    following = visible[place + 1]
    return following.kind != HEADING and following.label is visible[place].label


def _id(document: str, label: Label, ordinal: int) -> str:
    named = f"passage\0{document}\0{ordinal}\0".encode() + label.id
    return "psg_" + short(hashlib.sha256(named).digest()[:16])
