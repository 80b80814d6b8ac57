"""From the lines of pages, with their places, to paragraphs: pure geometry, no library.

A paragraph ends where the page shows it: by a wider gap, another size, a bullet, a short line that ends a sentence. A
line is never joined to another but by a newline, and never dropped. What runs along the edges of pages comes first
(headers) and last (footers) on its page, each line a paragraph of its own.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, LIST, PARAGRAPH, Paragraph

__all__ = ["Line", "PageLines", "compose"]

_EDGE = 0.12  # of the page's height, where running lines stand
_REPEATED = 0.2  # of the pages, and three at least
_HEADING = 200  # characters, at most
_BULLET = re.compile(r"[•◦▪‣·●○■□\ue000-\uf8ff*-]\s")
_PRIVATE = re.compile(r"^[\ue000-\uf8ff]\s*")
_MARKED = re.compile(r"[(\[]/{0,2}[A-Z][^a-z]*?[)\]]")
_ENDED = re.compile(r"[.!?:;…]['\"”’»)\]]*$")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its box in points; the origin is the lower left corner of the page as it is shown."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    bold: bool = False

    @property
    def height(self) -> float:
        return max(self.top - self.bottom, 0.1)


@dataclass(frozen=True, slots=True)
class PageLines:
    """The lines of a page in the order in which the file draws them."""

    width: float
    height: float
    lines: tuple[Line, ...]


def compose(pages: Sequence[PageLines]) -> list[list[Paragraph]]:
    """The paragraphs of each page."""
    running = _running(pages)
    heights = [line.height for page in pages for line in page.lines]
    usual = statistics.median(heights) if heights else 1.0
    return [_page(page, running, usual) for page in pages]


def _page(page: PageLines, running: frozenset[str], usual: float) -> list[Paragraph]:
    edges: dict[str, list[Line]] = {HEADER: [], FOOTER: []}
    body: list[Line] = []
    for line in page.lines:
        edge = _edge(page, line)
        runs = edge and (_shape(line.text) in running or (not running and line.text == line.text.upper()))
        (edges[edge] if runs else body).append(line)
    made = [Paragraph(line.text, HEADER) for line in _downward(edges[HEADER])]
    made += [_told(block, usual) for block in _blocks(body)]
    return made + [Paragraph(line.text, FOOTER) for line in _downward(edges[FOOTER])]


def _edge(page: PageLines, line: Line) -> str:
    middle = (line.bottom + line.top) / 2 / page.height
    return HEADER if middle > 1 - _EDGE else FOOTER if middle < _EDGE else ""


def _running(pages: Sequence[PageLines]) -> frozenset[str]:
    """The shapes of lines that many pages repeat at an edge; empty where there are too few pages to tell."""
    if len(pages) < 3:
        return frozenset()
    often = Counter(shape for page in pages for shape in {_shape(x.text) for x in page.lines if _edge(page, x)})
    return frozenset(shape for shape, count in often.items() if count >= max(3, _REPEATED * len(pages)))


def _shape(text: str) -> str:
    return _DIGITS.sub("#", " ".join(text.split()))


def _downward(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-line.bottom, line.left))


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that belong together."""
    pitches = [a.bottom - b.bottom for a, b in pairwise(lines)]
    usual = [pitch for pitch, line in zip(pitches, lines, strict=False) if 0.5 < pitch / line.height < 2.5]
    pitch = statistics.median_low(usual) if usual else 0.0
    margin = max((line.right for line in lines), default=0.0)
    left = min((line.left for line in lines), default=0.0)
    block: list[Line] = []
    for line in lines:
        if block and _parted(block[-1], line, pitch, margin - 0.15 * (margin - left)):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _parted(before: Line, line: Line, usual: float, short: float) -> bool:
    """Whether a paragraph ends between these two."""
    pitch = before.bottom - line.bottom
    if pitch < -0.5 * line.height or (usual and pitch > 1.35 * usual) or pitch > 2.5 * line.height:
        return True
    if max(before.height, line.height) > 1.25 * min(before.height, line.height):
        return True
    if before.bold != line.bold and pitch > 0.5 * line.height and before.right < short:
        return True
    if _BULLET.match(line.text) or line.left < before.left - 8 * line.height:
        return True
    ended = bool(_ENDED.search(before.text))
    return ended and (before.right < short or line.left > before.left + line.height or bool(_MARKED.match(line.text)))


def _told(block: list[Line], usual: float) -> Paragraph:
    text = "\n".join(_PRIVATE.sub("• ", line.text) for line in block)
    if _BULLET.match(block[0].text):
        return Paragraph(text, LIST)
    large = min(line.height for line in block) > 1.2 * usual
    weighty = len(block) <= 2 and all(line.bold for line in block) and not text.endswith((".", ";", ","))
    return Paragraph(text, HEADING if len(text) <= _HEADING and (large or weighty) else PARAGRAPH)
