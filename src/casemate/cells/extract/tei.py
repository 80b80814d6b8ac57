"""TEI P5: each `div type="document"` is a document of its own; a file without such divisions is one document.

What stands outside the documents of a volume (title page, contents, titles of chapters, index) is handed over beside
them, because a marking may stand there. Notes come as paragraphs after the block that they stand in. A paragraph that
runs over a page break belongs to the page where it begins.
"""

from __future__ import annotations

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText, Tally
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, LIST, PARAGRAPH, TABLE, Extracted, Paragraph, Part
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_KINDS = {"head": HEADING, "item": LIST, "label": LIST}
_BLOCKS = frozenset(
    "ab argument body back byline castList cit closer dateline div docAuthor docDate docImprint docTitle epigraph "
    "figDesc figure floatingText front group head imprimatur item l label lg list opener p postscript quote salute "
    "signed sp speaker stage table text titlePage titlePart trailer bibl listBibl entry attachment row".split()
)
_SILENT = frozenset(("tei:del", "tei:teiHeader", "tei:graphic", "tei:orig", "tei:sic"))
_FORM_WORK = {"header": HEADER, "footer": FOOTER}


class _Volume(Events):
    """`_text` is what the innermost open block has said so far; a note sets it aside until it ends."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._outside = Draft(self._tally)
        self._draft = self._outside
        self._parts: list[Part] = []
        self._path: list[str] = []
        self._kinds: list[str] = [PARAGRAPH]
        self._text: list[str] = []
        self._aside: list[list[str]] = []
        self._notes: list[str] = []
        self._turned = False
        self._row: list[str] | None = None
        self._silent = 0
        self._depth_of_document = 0
        self._key = self._title = self._volume = ""
        self._in_title = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name not in ("tei:TEI", "tei:teiCorpus", "TEI", "teiCorpus"):
            raise CannotRead("It is XML of a vocabulary that is not read; TEI is.")
        self._path.append(name)
        local = name.rpartition(":")[2]
        self._in_title = self._in_title or (local == "title" and "tei:titleStmt" in self._path and not self._volume)
        if self._silent or name in _SILENT:
            self._silent += 1
        elif local == "note":
            self._aside.append(self._text)
            self._text = []
        elif local == "pb":
            self._turn()
        elif local == "lb":
            self._text.append("\n")
        elif local == "cell" or local in _BLOCKS:
            self._flush()
            if local == "div" and attributes.get("type") == "document" and not self._depth_of_document:
                self._open(attributes)
            self._row = [] if local == "row" else self._row
            self._kinds.append(_KINDS.get(local, _FORM_WORK.get(attributes.get("type", ""), PARAGRAPH)))

    def end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        local = name.rpartition(":")[2]
        if self._in_title and local == "title":
            self._in_title = False
        if self._silent:
            self._silent -= 1
        elif local == "note":
            self._notes.append(" ".join("".join(self._text).split()))
            self._text = self._aside.pop()
            if not "".join(self._text).strip():
                self._flush()
        elif local == "cell" or local in _BLOCKS:
            self._flush()
            self._kinds.pop()
            if local == "row":
                row, self._row = self._row or [], None
                self._say("\n".join(row), TABLE)
            if depth == self._depth_of_document:
                self._close()

    def text(self, text: str) -> None:
        if self._in_title:
            self._volume += text
        if not self._silent:
            self._text.append(text.replace("\n", " "))

    def _open(self, attributes: dict[str, str]) -> None:
        self._depth_of_document = len(self._path)
        self._key = attributes.get("xml:id", "") or f"n{len(self._parts) + 1}"
        self._title = ""
        self._draft = Draft(self._tally)
        self._turned = False

    def _close(self) -> None:
        bounds.within(len(self._parts) + 1, bounds.PARTS, "documents")
        if not self._draft.empty:
            self._parts.append(self._draft.part(self._title, self._key))
        self._draft = self._outside
        self._depth_of_document = 0

    def _flush(self) -> None:
        """The text since the last block began or ended, as a paragraph; then the notes that stood in it."""
        if self._aside:
            self._text.append(" ")  # a note is one paragraph, whatever blocks are in it
            return
        text = "".join(self._text)
        self._text = []
        kind = self._kinds[-1]
        if text.strip() and self._row is not None:
            self._row.append(text)
        elif text.strip():
            if kind == HEADING and self._depth_of_document and not self._title:
                self._title = text
            self._say(text, kind)
        notes, self._notes = self._notes, []
        for note in notes:
            self._say(note, PARAGRAPH)

    def _turn(self) -> None:
        """A page break: at once between blocks, after the block where it stands in one."""
        within = self._aside or self._row or "".join(self._text).strip()
        if within:
            self._turned = True
        elif not self._draft.empty:
            self._draft.turn()

    def _say(self, text: str, kind: str) -> None:
        self._draft.add(text, kind)
        if self._turned:
            self._draft.turn()
            self._turned = False

    def extracted(self) -> Extracted:
        self._flush()
        if self._parts:
            outside: tuple[Paragraph, ...] = self._outside.paragraphs
            return Extracted("application/tei+xml", tuple(self._parts), outside)
        if self._outside.empty:
            raise NoText
        return Extracted("application/tei+xml", (self._outside.part(self._volume),))


def read(data: bytes) -> Extracted:
    """The documents of one TEI file, in order."""
    volume = _Volume()
    parse(data, volume)
    return volume.extracted()
