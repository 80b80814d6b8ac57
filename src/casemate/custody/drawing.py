"""A lineage as a picture: an SVG without a script, drawn in columns from what came first to what came last.

    (U) document ──▶ (U) part ──▶ (U) answer        each box under its own portion mark, the banner above and below

Pure: the same lineage gives the same bytes. Columns are as wide as their longest text, a box is never smaller than its
words, so fifty of them are as readable as five; nothing is cut but titles, and those say so. A marking that is longer
than the picture is wide, or than a box should be, goes on in the next line.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from xml.sax.saxutils import escape

from casemate.custody.lineage import Lineage, Node

__all__ = ["draw"]

TITLE = 44  # characters of a title
HEAD = 56  # characters of a line that tells mark and kind
NARROW = 640  # no picture is narrower
LINE, LETTER, PAD = 15, 7.2, 9  # of the text, in pixels
BANNER = LETTER * 1.3  # a letter of the banner
GAP, LANE, TOP = 14, 70, 46
INK, DIM, LINES, PAPER = "#16181d", "#4a5260", "#6b7482", "#ffffff"  # attributes: a style sheet a policy may forbid
_HEAD = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#6b7482"/></marker></defs>'
)


def draw(lineage: Lineage, banner: str) -> str:
    """The picture, with its marking above and below."""
    columns = _columns(lineage)
    widths = [max((_width(lineage.nodes[at]) for at in column), default=0.0) for column in columns]
    width = max(sum(widths) + LANE * max(0, len(widths) - 1) + 2 * LANE / 2, NARROW)
    said = _broken(banner, int((width - LANE) / BANNER))
    top = TOP + LINE * (len(said) - 1)
    tallest = max((sum(_height(lineage.nodes[at]) + GAP for at in column) for column in columns), default=0.0)
    height = top + tallest + top
    places: dict[int, tuple[float, float, float, float]] = {}
    left = LANE / 2
    for column, wide in zip(columns, widths, strict=True):
        down = float(top)
        for at in column:
            places[at] = (left, down, wide, _height(lineage.nodes[at]))
            down += places[at][3] + GAP
        left += wide + LANE
    size = f'width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}" {size}>',
        f"<title>{escape(banner)}</title>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/><g font-family="monospace" font-size="12" fill="{INK}">',
        _HEAD,
        *_banner(said, width, 24),
        *(_arrow(places[a], places[b]) for a, b in lineage.arrows),
        *(_box(lineage.nodes[at], places[at], at in lineage.roots) for at in sorted(places)),
        *_banner(said, width, height - 14 - LINE * (len(said) - 1)),
        "</g></svg>\n",
    ]
    return "\n".join(parts)


def _columns(lineage: Lineage) -> list[list[int]]:
    """The nodes by how many steps lead to them at most; a circle, which nobody should have made, ends at its size."""
    depth = [0] * len(lineage.nodes)
    for _ in lineage.nodes:
        moved = False
        for source, made in lineage.arrows:
            if depth[made] < depth[source] + 1 <= len(lineage.nodes):
                depth[made], moved = depth[source] + 1, True
        if not moved:
            break
    columns: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for at, place in enumerate(depth):
        columns[place].append(at)
    columns = [column for column in columns if column]
    before: dict[int, float] = {}
    for column in columns:
        column.sort(key=lambda at: (_middle(at, lineage.arrows, before), at))
        before.update((at, float(row)) for row, at in enumerate(column))
    return columns


def _middle(at: int, arrows: Sequence[tuple[int, int]], before: dict[int, float]) -> float:
    """Where the sources of a node stand, on the average, so that few arrows cross."""
    rows = [before[source] for source, made in arrows if made == at and source in before]
    return sum(rows) / len(rows) if rows else 0.0


def _height(node: Node) -> float:
    return len(_lines(node)) * LINE + 7


def _broken(text: str, room: int) -> list[str]:
    """A marking in lines of at most so many characters: behind its separators where it has any, else anywhere."""
    eased = text.replace("/", "/ ").replace(",", ", ") if len(text) > room else text
    lines = wrap(eased, room, break_on_hyphens=False)
    return [line.replace("/ ", "/").replace(", ", ",") for line in lines] if eased is not text else [text]


def _lines(node: Node) -> list[str]:
    """What stands in a box: mark and kind, the title where there is one, the id."""
    title = node.title if len(node.title) <= TITLE else node.title[: TITLE - 1] + "…"
    return [*_broken(f"{node.mark} {node.kind}", HEAD), *([title] if title else []), node.id]


def _width(node: Node) -> float:
    return max(len(line) for line in _lines(node)) * LETTER + 2 * PAD


def _banner(lines: Sequence[str], width: float, y: float) -> list[str]:
    place = f'font-size="14" font-weight="bold" text-anchor="middle" x="{width / 2:.0f}"'
    return [f'<text {place} y="{y + LINE * row:.0f}">{escape(line)}</text>' for row, line in enumerate(lines)]


def _arrow(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> str:
    x, y = one[0] + one[2], one[1] + one[3] / 2
    to, down = two[0], two[1] + two[3] / 2
    half = (x + to) / 2
    way = f"M{x:.0f} {y:.0f}C{half:.0f} {y:.0f} {half:.0f} {down:.0f} {to:.0f} {down:.0f}"
    return f'<path d="{way}" fill="none" stroke="{LINES}" marker-end="url(#a)"/>'


def _box(node: Node, place: tuple[float, float, float, float], root: bool) -> str:
    x, y, wide, high = place
    lines = _lines(node)
    heads = len(lines) - (2 if node.title else 1)
    edge = f'stroke="{INK}" stroke-width="3"' if root else f'stroke="{DIM}"'
    styles = [' font-weight="bold"'] * heads + [""] * (len(lines) - heads - 1) + [f' fill="{DIM}"']
    rows = "".join(
        f'<text{style} x="{x + PAD:.0f}" y="{y + LINE * (row + 1) + 1:.0f}">{escape(line)}</text>'
        for row, (line, style) in enumerate(zip(lines, styles, strict=True))
    )
    return (
        f'<g><title>{escape(node.label)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{high:.0f}" '
        f'rx="4" fill="{PAPER}" {edge}/>{rows}</g>'
    )
