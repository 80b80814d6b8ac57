"""The paragraphs of one document as they are found, page by page, cleaned and counted."""

from __future__ import annotations

import re

from casemate.cells.extract import bounds
from casemate.cells.extract.shape import PARAGRAPH, Paragraph, Part
from casemate.cells.serve import CannotRead

__all__ = ["Draft", "NoText", "Tally", "clean", "one_line"]

# Controls, what has no width, and what turns the direction of writing: none is text, and each can hide a mark.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BREAKS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NoText(CannotRead):
    """Nothing is in it: a file that holds it among others can be read all the same."""

    def __init__(self) -> None:
        super().__init__("It holds no text.")


def clean(text: str) -> str:
    """Lines with single spaces and no empty ones."""
    text = _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))
    return "\n".join(line for part in _BREAKS.split(text) if (line := " ".join(part.split())))


def one_line(text: str) -> str:
    """The same as one line: for titles."""
    return " ".join(clean(text).split())


class Tally:
    """What a file has held so far, all documents in it together."""

    def __init__(self) -> None:
        self.characters = 0
        self.paragraphs = 0
        self.pages = 0

    def count(self, text: str) -> None:
        """One more paragraph."""
        bounds.within(len(text), bounds.LINE, "characters in one paragraph")
        self.characters += len(text)
        self.paragraphs += 1
        bounds.within(self.characters, bounds.CHARACTERS, "characters of text")
        bounds.within(self.paragraphs, bounds.PARAGRAPHS, "paragraphs")


class Draft:
    """One document being read. Pages that stay empty are kept: a page's number is its place."""

    def __init__(self, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._pages: list[list[Paragraph]] = [[]]

    def add(self, text: str, kind: str = PARAGRAPH) -> None:
        """One paragraph on the current page; nothing where there is no text in it."""
        if cleaned := clean(text):
            self._tally.count(cleaned)
            self._pages[-1].append(Paragraph(cleaned, kind))

    def ahead(self, text: str, kind: str) -> None:
        """One paragraph at the beginning of the current page."""
        if cleaned := clean(text):
            self._tally.count(cleaned)
            self._pages[-1].insert(0, Paragraph(cleaned, kind))

    def turn(self) -> None:
        """The next page."""
        self._tally.pages += 1
        bounds.within(self._tally.pages, bounds.PAGES, "pages")
        self._pages.append([])

    @property
    def empty(self) -> bool:
        return not any(self._pages)

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """All of them, whatever the page."""
        return tuple(paragraph for page in self._pages for paragraph in page)

    def part(self, title: str = "", key: str = "") -> Part:
        """The document as it stands."""
        return Part(one_line(title)[:500], key, tuple(tuple(page) for page in self._pages))
