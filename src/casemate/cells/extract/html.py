"""HTML: the text that a reader would see, block by block. Scripts, styles and comments are no text.

Parsed by the standard library, never rendered: nothing is fetched, no style is obeyed, so what a style would hide is
read like the rest.
"""

from __future__ import annotations

from html.parser import HTMLParser

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, LIST, PARAGRAPH, TABLE, Extracted
from casemate.cells.extract.text import decode

__all__ = ["read"]

_SILENT = frozenset(("script", "style", "template"))
_KINDS = {"li": LIST, "dt": LIST, "dd": LIST, "caption": TABLE, "header": HEADER, "footer": FOOTER}
_KINDS |= {f"h{level}": HEADING for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "dl"))
_BLOCKS = frozenset(
    "address article aside blockquote body center details dialog div dl fieldset figcaption figure form hr html legend "
    "main nav ol option p pre section select summary table tbody tfoot thead ul".split()
) | frozenset(_KINDS)


class _Reader(HTMLParser):
    """Keeps the text since the last block began or ended; a table's cells until its row ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.draft = Draft()
        self.title = ""
        self._text: list[str] = []
        self._open: list[str] = []  # the tags that give a kind, and the lists that they are in
        self._row: list[str] | None = None
        self._silent = ""
        self._entitled = False
        self._verbatim = 0
        self._elements = 0
        self._endless = 0

    def parse_starttag(self, i: int) -> int:
        return self._ended(super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        return self._ended(super().parse_endtag(i))

    def parse_html_declaration(self, i: int) -> int:
        return self._ended(super().parse_html_declaration(i))

    def parse_comment(self, i: int, report: bool = True) -> int:
        return self._ended(super().parse_comment(i, report))

    def parse_pi(self, i: int) -> int:
        return self._ended(super().parse_pi(i))

    def _ended(self, place: int) -> int:
        """Each tag that never ends costs a look at all that follows, so there may be few of them."""
        if place < 0:
            self._endless += 1
            bounds.within(self._endless, bounds.ENDLESS, "tags that never end")
        return place

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._elements += 1
        bounds.within(self._elements, bounds.ELEMENTS, "elements")
        if self._silent:
            return
        if tag in _SILENT:
            self._silent = tag
        elif tag == "title":
            self._entitled = not self.title
        elif tag == "br":
            self._text.append("\n")
        elif tag == "tr":
            self._flush()
            self._end_row()
            self._row = []
        elif tag in ("td", "th"):
            self._flush()
        elif tag in _BLOCKS:
            self._flush()
            self._verbatim += tag == "pre"
            self._enter(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent = "" if tag == self._silent else self._silent
        elif tag == "title":
            self._entitled = False
        elif tag in ("tr", "table"):
            self._flush()
            self._end_row()
        elif tag in _BLOCKS or tag in ("td", "th"):
            self._flush()
            self._verbatim = max(0, self._verbatim - (tag == "pre"))
            if tag in self._open:
                self._leave(tag)

    def handle_data(self, data: str) -> None:
        if self._entitled:
            self.title += data
        elif not self._silent:
            self._text.append(data if self._verbatim else " ".join(data.split("\n")).replace("\r", " "))

    def close(self) -> None:
        super().close()
        self._flush()
        self._end_row()

    def _enter(self, tag: str) -> None:
        """Items and headings that were never closed end where the next one of their list begins."""
        if _KINDS.get(tag) in (LIST, HEADING):
            for before in reversed(self._open):
                if before in _LISTS:
                    break
                if _KINDS.get(before) == _KINDS[tag]:
                    self._leave(before)
                    break
        if tag in _KINDS or tag in _LISTS:
            self._open.append(tag)
            bounds.within(len(self._open), bounds.DEPTH, "elements inside each other")

    def _leave(self, tag: str) -> None:
        """Whatever was opened inside ends with it."""
        del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if not text.strip():
            return
        if self._row is not None:
            self._row.append(text)
        else:
            self.draft.add(text, self._kind())

    def _end_row(self) -> None:
        if self._row:
            self.draft.add("\n".join(self._row), TABLE)
        self._row = None

    def _kind(self) -> str:
        return next((_KINDS[tag] for tag in reversed(self._open) if tag in _KINDS), PARAGRAPH)


def read(data: bytes) -> Extracted:
    """One document, on one page."""
    reader = _Reader()
    reader.feed(decode(data))
    reader.close()
    if reader.draft.empty:
        raise NoText
    return Extracted("text/html", (reader.draft.part(reader.title),))
