"""DrawingML, the text of slides, charts, diagrams and boxes: its paragraphs, and a row of a table as one."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemate.cells.extract.draft import Draft
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, PARAGRAPH, TABLE
from casemate.cells.extract.xml import Events, parse

__all__ = ["PICTURED", "Drawing", "Shape", "drawn"]

PICTURED = "Its pages are pictures of text; it needs text recognition (OCR) first."
_PLACES = {"title": HEADING, "ctrTitle": HEADING, "ftr": FOOTER, "dt": FOOTER, "sldNum": FOOTER, "hdr": HEADER}
_SHAPES = frozenset(("p:sp", "p:graphicFrame", "p:cxnSp", "p:pic"))
_FIRST = -1 << 62


@dataclass(slots=True)
class Shape:
    """What is said in one place. `top`, `left`: in EMU from the corner of the page; `holder`: it is a place holder."""

    top: int
    left: int = 0
    kind: str = PARAGRAPH
    holder: bool = False
    said: list[tuple[str, str]] = field(default_factory=list)


class Drawing(Events):
    """The shapes of a page in the order of the file. What the file says twice (`mc:Fallback`) is read once."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = [Shape(0)]
        self._open: list[list[str]] = []
        self._row: list[str] | None = None
        self._groups: list[tuple[int, int]] = []
        self._silent = 0
        self._reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._silent or name == "mc:Fallback":
            self._silent += 1
        elif name == "p:grpSp":
            self._groups.append((_FIRST, 0))
        elif name in _SHAPES:
            top, left = self._groups[0] if self._groups else (_FIRST, 0)
            self.shapes.append(Shape(top if top != _FIRST else self.shapes[-1].top, left))
        elif name == "p:ph":
            shape = self.shapes[-1]
            shape.holder = True
            shape.kind = _PLACES.get(attributes.get("type", ""), PARAGRAPH)
            shape.top = _FIRST if shape.kind == HEADING else shape.top
        elif name == "a:off":
            self._placed(_number(attributes.get("y", "")), _number(attributes.get("x", "")))
        elif name == "a:p":
            self._open.append([])
        elif name == "a:tr":
            self._row = []
        elif name == "a:t":
            self._reading = True
        elif name == "a:br" and self._open:
            self._open[-1].append("\n")

    def end(self, name: str) -> None:
        if self._silent:
            self._silent -= 1
        elif name == "p:grpSp":
            self._groups.pop()
        elif name == "a:t":
            self._reading = False
        elif name == "a:p" and self._open:
            self._say("".join(self._open.pop()))
        elif name == "a:tr":
            row, self._row = self._row or [], None
            self.shapes[-1].said.append(("\n".join(row), TABLE))

    def text(self, text: str) -> None:
        if self._reading and not self._silent:
            if self._open:
                self._open[-1].append(text)
            else:  # not in a paragraph, where the standard has it; it is read all the same
                self.shapes[-1].said.append((text, PARAGRAPH))

    def _placed(self, top: int, left: int) -> None:
        if self._groups and self._groups[-1][0] == _FIRST:
            self._groups[-1] = (top, left)
        elif not self._groups:
            self.shapes[-1].top, self.shapes[-1].left = top, left

    def _say(self, text: str) -> None:
        if self._row is not None:
            if text.strip():
                self._row.append(text)
        else:
            self.shapes[-1].said.append((text, self.shapes[-1].kind))

    def by_place(self) -> list[tuple[str, str]]:
        """(text, kind) from the top of the page to its end; a title is first, what names no place follows its like."""
        ordered = sorted(self.shapes, key=lambda shape: (shape.top, shape.left))
        return [said for shape in ordered for said in shape.said]


def drawn(data: bytes, draft: Draft) -> None:
    """All that a chart, a diagram or a drawing says."""
    drawing = Drawing()
    parse(data, drawing)
    for text, kind in drawing.by_place():
        draft.add(text, kind)


def _number(text: str) -> int:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 16 else 0
