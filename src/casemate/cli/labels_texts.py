"""The texts of files whose marks are looked at: text and Markdown as they are, documents through a fenced child.

Of a text every place is known by line and column, of a document by page and paragraph. It reads no mark.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from casemate.cli.files import LIMIT, Skipped, files
from casemate.cli.tongue import t
from casemate.errors import Unreadable
from casemate.labels import Lines

__all__ = ["DOCX", "STDIN", "Paragraph", "Source", "Text", "sources", "texts"]

STDIN = "-"
DOCX = ".docx"
_DOCUMENTS = frozenset({".html", ".htm", ".xhtml", ".pdf", DOCX, ".xml", ".tei"})
_PAGED = frozenset({".pdf"})
_OURS = "Casemate · "  # how each of our own comments in a document begins
_EDGES = ("header", "footer")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a document and where it begins in the text that was made of it. Both numbers from 1."""

    start: int
    page: int
    number: int
    kind: str


@dataclass(frozen=True)
class Text:
    """What is looked at as a whole: a file's text, or one document in it.

    `paragraphs` where it was made of a document; `data` are the file's own bytes, `mark` the byte order mark in front.
    """

    path: str
    text: str
    key: str = ""
    paragraphs: tuple[Paragraph, ...] = ()
    data: bytes = field(default=b"", repr=False)
    mark: bytes = b""

    @property
    def name(self) -> str:
        return f"{self.path}#{self.key}" if self.key else self.path

    @property
    def kind(self) -> str:
        return Path(self.path).suffix.lower()

    @cached_property
    def lines(self) -> Lines:
        return Lines(self.text)

    def paragraph(self, place: int) -> Paragraph | None:
        """The paragraph of a document in which a place stands."""
        at = bisect_right(self.paragraphs, place, key=lambda each: each.start)
        return self.paragraphs[max(0, at - 1)] if self.paragraphs else None


Source = Path | Skipped


def sources(paths: tuple[Path, ...]) -> list[Source]:
    """Every file that is named, and what can be read in and below every folder."""
    found: list[Source] = []
    for path in paths:
        found += files((path,)) if path.is_dir() else [path]
    return found


def texts(chosen: Iterator[Source]) -> Iterator[Text | Skipped]:
    """The texts in these, one after the other; what cannot be read says why. Raises SandboxMissing."""
    with ExitStack() as opened:
        documents: list[Any] = []
        for each in chosen:
            if isinstance(each, Skipped):
                yield each
            elif each.suffix.lower() not in _DOCUMENTS:
                yield _plain(each)
            else:
                if not documents:
                    from casemate.wiring import Documents

                    documents.append(opened.enter_context(Documents()))
                yield from _extracted(each, documents[0])


def _plain(path: Path) -> Text | Skipped:
    data = _bytes(path)
    if isinstance(data, Skipped):
        return data
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    try:
        text = data.removeprefix(mark).decode("utf-8")
    except UnicodeDecodeError:
        return Skipped(str(path), t("labels.not_utf8"))
    return Skipped(str(path), t("labels.not_text")) if "\0" in text else Text(str(path), text, data=data, mark=mark)


def _bytes(path: Path) -> bytes | Skipped:
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read(LIMIT + 1)
        else:
            with path.open("rb") as opened:
                data = opened.read(LIMIT + 1)
    except OSError as error:
        return Skipped(str(path), t("add.unreadable", why=error.strerror))
    return Skipped(str(path), t("add.large", limit=LIMIT >> 20)) if len(data) > LIMIT else data


def _extracted(path: Path, documents: Any) -> Iterator[Text | Skipped]:
    data = _bytes(path)
    if isinstance(data, Skipped):
        yield data
        return
    try:
        found = documents.read(path.name, data)
    except Unreadable as error:
        yield Skipped(str(path), str(error.facts["why"]))
        return
    around = [(0, each) for each in found.outside]
    if around:
        yield _joined(path, "outside", around, data)
    for part in found.parts:
        placed = [(number, each) for number, page in enumerate(part.pages, 1) for each in page]
        yield _joined(path, part.key, placed, data)


def _joined(path: Path, key: str, placed: list[tuple[int, Any]], data: bytes) -> Text:
    """One text of a document's paragraphs; pages stay pages where they have edges of their own."""
    pieces: list[str] = []
    paragraphs: list[Paragraph] = []
    start = last = 0
    for number, (page, each) in enumerate(placed, 1):
        gap = "" if not pieces else "\n\f\n" if page != last and path.suffix.lower() in _PAGED else "\n\n"
        said = "" if each.text.startswith(_OURS) else each.text
        pieces += [gap, said]
        paragraphs.append(Paragraph(start + len(gap), page, number, each.kind))
        start += len(gap) + len(said)
        last = page
    return Text(str(path), "".join(pieces), key, tuple(paragraphs), data)
