"""DOCX (ISO/IEC 29500, transitional and strict): the words of the body, headers, footers, notes and comments.

Headers and footers stand at the beginning and the end, because banners live there. Text that a style hides is read;
text that a tracked change deleted is not. Footnotes, endnotes and comments follow the body. A row of a table is one
paragraph, a line per paragraph in its cells.
"""

from __future__ import annotations

import posixpath
import re

from casemate.cells.extract.archive import Archive
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.drawing import PICTURED, drawn
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.office import Office
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, LIST, PARAGRAPH, TABLE, Extracted
from casemate.cells.extract.sniff import DOCX
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead

__all__ = ["BODY", "Story", "read"]

BODY = "word/document.xml"
_HEADING_STYLE = re.compile(r"heading \d|title|subtitle")
_BREAKS = {"w:br": "\n", "w:cr": "\n", "w:tab": "\t", "w:noBreakHyphen": "\u2011", "w:ptab": "\t"}
_HANGING = ("w:del", "w:moveFrom", "mc:Fallback")
"""Deleted text, text moved from here, and a second telling of what `mc:Choice` has told."""


class Story(Events):
    """The paragraphs of one story (the body, a header, the notes); a box inside a paragraph comes before it."""

    def __init__(self, draft: Draft, styles: dict[str, str], kind: str = "", pages: bool = False) -> None:
        self._draft, self._styles, self._kind, self._pages = draft, styles, kind, pages
        self._open: list[tuple[list[str], list[str]]] = []  # (pieces, kind) of the paragraphs that are open
        self._rows: list[list[str]] = []
        self._hidden = 0
        self._reading = False
        self._turn = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._hidden or name in _HANGING:
            self._hidden += 1
            return
        match name:
            case "w:p":
                self._open.append(([], [PARAGRAPH]))
            case "w:tr":
                self._rows.append([])
            case "w:t":
                self._reading = True
            case "w:pStyle" if self._open:
                style = self._styles.get(attributes.get("w:val", ""), "")
                self._open[-1][1][0] = HEADING if _HEADING_STYLE.match(style) else self._open[-1][1][0]
            case "w:numPr" if self._open and self._open[-1][1][0] == PARAGRAPH:
                self._open[-1][1][0] = LIST
            case "w:lastRenderedPageBreak":
                self._break()
            case "w:br" if attributes.get("w:type") == "page":
                self._break()
            case "w:br" | "w:cr" | "w:tab" | "w:noBreakHyphen" | "w:ptab" if self._open:
                self._open[-1][0].append(_BREAKS[name])

    def end(self, name: str) -> None:
        if self._hidden:
            self._hidden -= 1
        elif name == "w:t":
            self._reading = False
        elif name == "w:p":
            pieces, kind = self._open.pop()
            self._say("".join(pieces), kind[0])
        elif name == "w:tr":
            row = "\n".join(self._rows.pop())
            self._say(row, TABLE)

    def text(self, text: str) -> None:
        if self._reading and not self._hidden and self._open:
            self._open[-1][0].append(text)

    def _say(self, text: str, kind: str) -> None:
        if self._rows:
            if text.strip():
                self._rows[-1].append(text)
            return
        self._draft.add(text, self._kind or kind)
        if self._turn:
            self._draft.turn()
            self._turn = False

    def _break(self) -> None:
        """The next page: after this paragraph where it has begun to speak, at once where it has not."""
        if not self._pages or self._draft.empty:
            return
        if self._rows or any("".join(pieces).strip() for pieces, _ in self._open):
            self._turn = True
        else:
            self._draft.turn()


class _Styles(Events):
    """Style names by their ids: ids are in the language of whoever made the file, names are not."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._id = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "w:style":
            self._id = attributes.get("w:styleId", "")
        elif name == "w:name" and self._id:
            self.names.setdefault(self._id, attributes.get("w:val", "").lower())


def read(data: bytes, nest: Nest) -> Extracted:
    """One document; what is embedded in it follows on pages of its own."""
    office = Office(data, nest)
    archive = office.archive
    body = office.main(BODY)
    if not body.startswith("word/"):
        raise CannotRead("Its archive holds no Word document.")
    styles = _Styles()
    if "word/styles.xml" in archive:
        parse(archive.read("word/styles.xml"), styles)
    draft = Draft()
    for kind in ("header", "document", "footnotes", "endnotes", "comments", "footer"):
        for name in [body] if kind == "document" else _stories(archive, kind):
            edge = {"header": HEADER, "footer": FOOTER}.get(kind, "")
            parse(archive.read(name), Story(draft, styles.names, edge, pages=kind == "document"))
    for name in office.of_kind(body, "chart", "diagramData"):
        drawn(archive.read(name), draft)
    office.embedded(draft)
    if draft.empty:
        raise CannotRead(PICTURED) if office.notes() else NoText
    return Extracted(DOCX, (draft.part(office.title()),), notes=office.notes())


def _stories(archive: Archive, kind: str) -> list[str]:
    """word/header1.xml, word/header2.xml and so on, in order."""
    numbered = re.compile(rf"{kind}(\d{{0,6}})\.xml")
    found = [(match, name) for name in archive.names if (match := numbered.fullmatch(posixpath.basename(name)))]
    return [name for match, name in sorted(found, key=lambda x: int(x[0][1] or 0)) if name.startswith("word/")]
