"""Passages: what is indexed, ranked, quoted and cited. A passage lies inside one portion, so its label is exact.

Everything that a passage carries is a function of the portions that flow to its own label: its ordinal counts the
passages of its class alone, its title and heading are visible ones, and a page number stays only where the document
bears no portion marks (between marked portions a page number would measure the hidden ones).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from casemate.ids import short
from casemate.knowledge.reading.portions import HEADING, PARAGRAPH, Portion
from casemate.knowledge.reading.sentences import spans
from casemate.labels import Label

__all__ = ["WORDS", "Passage", "document_title", "passages", "split"]

WORDS = 120
_BLANK = re.compile(r"\n[^\S\n]*\n")
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
    shown = " ".join(title.split()) or document_title(visible)
    made: list[Passage] = []
    heading = ""
    for portion, riding in _stretches(_titled(visible)):
        own_heading = portion.kind == HEADING
        if own_heading:
            heading = " ".join(portion.text.split())
        if portion.label is not label or riding:
            continue
        page = 0 if portion.mark else portion.page
        for text in split(portion.text):
            id, under = _id(document, label, len(made)), "" if own_heading else heading
            made.append(Passage(id, document, len(made), shown, under, portion.mark, page, text))
    return made


def _titled(visible: Iterable[Portion]) -> Iterator[Portion]:
    """Two headings of one label that follow each other as one; of more than two, only the first is a heading.

    A longer run of what looks like headings is a list of short lines, and would be lost for quoting.
    """
    for is_heading, group in groupby(visible, key=lambda portion: (portion.kind == HEADING, portion.label)):
        run = list(group)
        if not is_heading[0] or len(run) == 1:
            yield from run
        elif len(run) == 2:
            yield replace(run[0], text=f"{run[0].text} {run[1].text}")
        else:
            yield run[0]
            yield from (replace(portion, kind=PARAGRAPH) for portion in run[1:])


def _stretches(visible: Iterable[Portion]) -> Iterator[tuple[Portion, bool]]:
    """The portions, unmarked ones that follow each other on a page taken together; and whether a heading rides on.

    A heading rides on what follows it under its own label: then it is no passage of its own.
    """
    held: Portion | None = None
    for portion in visible:
        if held is not None and _together(held, portion):
            held = replace(held, text=f"{held.text}\n\n{portion.text}")
            continue
        if held is not None:
            rides = held.kind == HEADING and portion.kind != HEADING and portion.label is held.label
            yield held, rides
        held = portion
    if held is not None:
        yield held, False


def _together(one: Portion, two: Portion) -> bool:
    unmarked = not one.mark and not two.mark and HEADING not in (one.kind, two.kind)
    return unmarked and one.label is two.label and one.page == two.page


def document_title(visible: Sequence[Portion]) -> str:
    """The first heading, else the opening words of the first portion: a title made of what may be seen."""
    if not visible:
        return ""
    first = next((portion for portion in visible if portion.kind == HEADING), visible[0])
    text = " ".join(first.text.split())
    if len(text) <= _TITLE:
        return text
    return text[:_TITLE].rsplit(" ", 1)[0] + "…"


def split(text: str, limit: int = WORDS) -> list[str]:
    """The text in pieces of at most `limit` words, cut between sentences; a longer sentence is cut between words.

    Paragraphs (blank lines between them) become lines of a piece; other white space becomes single spaces.
    """
    pieces: list[str] = []
    room = 0
    for paragraph in _BLANK.split(text):
        clean, gap = " ".join(paragraph.split()), "\n"
        for start, end in spans(clean):
            words = clean[start:end].split(" ")
            if pieces and len(words) <= room:
                pieces[-1] += gap + clean[start:end]
                room -= len(words)
            else:
                for at in range(0, len(words), limit):
                    pieces.append(" ".join(words[at : at + limit]))
                    room = limit - len(words[at : at + limit])
            gap = " "
    return pieces


def _id(document: str, label: Label, ordinal: int) -> str:
    named = f"passage\0{document}\0{ordinal}\0".encode() + label.id
    return "psg_" + short(hashlib.sha256(named).digest()[:16])
