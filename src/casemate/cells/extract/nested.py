"""Files inside a file: attachments, embedded workbooks, pictures. Read like any other, within one budget for them all.

Whatever stands inside may bear a mark, so nothing inside is passed over: what cannot be read makes the whole file
unreadable, with its name and the reason. Files inside each other end at a depth that no honest one has.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import NoText, Tally
from casemate.cells.extract.shape import Extracted
from casemate.cells.extract.sniff import DOCX, MAIL, PICTURES, PPTX, XLSX, media
from casemate.cells.serve import CannotRead

__all__ = ["Nest", "called"]

_READERS = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "application/json": "records",
    "application/x-ndjson": "records",
    "application/pdf": "pdf",
    "application/tei+xml": "tei",
    DOCX: "docx",
    XLSX: "xlsx",
    PPTX: "pptx",
    MAIL: "mail",
    **dict.fromkeys(PICTURES, "picture"),
}
"""Each is imported when the first file of its kind comes: a child that reads text never loads PDFium."""
_HOLDING = frozenset((DOCX, XLSX, PPTX, MAIL, *PICTURES))
"""Those whose readers are given the nest, because files stand in them or because they are read elsewhere."""
_KINDRED = frozenset(("table", "records"))
"""Readers of two kinds, which are told the one."""


@dataclass(slots=True)
class _Budget:
    """Of the outermost file and all inside it."""

    tally: Tally = field(default_factory=Tally)
    size: int = 0
    parts: int = 0


@dataclass(slots=True)
class Nest:
    """Where a file is read: how deep, and what the machine's text recognition has said of its pictures so far.

    `recognised`: the texts of the pictures in the order in which they are met; None where nothing recognises text.
    `pictures`: those that were met and are not among them.
    """

    recognised: tuple[str, ...] | None = None
    pictures: list[bytes] = field(default_factory=list)
    depth: int = 0
    seen: list[int] = field(default_factory=lambda: [0])
    _budget: _Budget = field(default_factory=_Budget)

    def read(self, name: str, data: bytes) -> Extracted:
        """The file, by its name's extension and by what it holds. Raises CannotRead."""
        kind = media(name, data)
        reader = importlib.import_module(f"casemate.cells.extract.{_READERS[kind]}")
        if kind in _HOLDING:
            found = reader.read(data, self)
        else:
            found = reader.read(data, kind) if _READERS[kind] in _KINDRED else reader.read(data)
        assert isinstance(found, Extracted)
        return found

    def inside(self, name: str, data: bytes, what: str) -> Extracted | None:
        """A file that stands inside this one; None where nothing is in it. `what`: "Its attachment"."""
        if not data:
            return None
        bounds.within(self.depth + 1, bounds.NESTED, "files inside each other")
        self._budget.size += len(data)
        bounds.within(self._budget.size, bounds.UNPACKED, "bytes in the files inside it")
        inner = Nest(self.recognised, self.pictures, self.depth + 1, self.seen, self._budget)
        try:
            found = inner.read(name, data)
        except NoText:
            return None
        except CannotRead as error:
            raise CannotRead(f"{what} {called(name)} cannot be read: {error}") from None
        self._count(found)
        return found

    def recognise(self, picture: bytes) -> str | None:
        """The text of a picture, or None where it is still to be recognised. Raises CannotRead."""
        if self.recognised is None:
            raise CannotRead("It is a picture; to read it, install Tesseract (the program `tesseract`) here.")
        at, self.seen[0] = self.seen[0], self.seen[0] + 1
        bounds.within(at + 1, bounds.PICTURES, "pictures")
        if at < len(self.recognised):
            return self.recognised[at]
        self.pictures.append(picture)
        return None

    def _count(self, found: Extracted) -> None:
        self._budget.parts += len(found.parts)
        bounds.within(self._budget.parts, bounds.PARTS, "documents")
        tally = self._budget.tally
        for part in found.parts:
            tally.pages += len(part.pages)
            for page in part.pages:
                for paragraph in page:
                    tally.count(paragraph.text)
        bounds.within(tally.pages, bounds.PAGES, "pages")


def called(name: str) -> str:
    """A stranger's name for a file, as a sentence may bear it."""
    shown = "".join(letter for letter in name if letter.isprintable())
    return repr(shown if len(shown) <= 60 else f"{shown[:40]}...{shown[-12:]}")
