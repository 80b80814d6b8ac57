"""Two columns of a table against each other, a third as colour: an SVG without a script, its marking above and below.

Pure: the same table gives the same bytes. A point without a finite number on both axes is not drawn, and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from textwrap import wrap
from xml.sax.saxutils import escape

from casemate.cells.table.rows import Cell, Column

__all__ = ["plot"]

WIDE, HIGH = 720, 480
LEFT, RIGHT, TOP, FOOT = 84, 180, 58, 78
INK, DIM, LINES, PAPER = "#16181d", "#4a5260", "#6b7482", "#ffffff"
SHADES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7f00", "#000000")  # Okabe and Ito
DARK, LIGHT = (0x44, 0x01, 0x54), (0x2A, 0xA1, 0x6B)
_XML = "\t\n\r"
Scale = tuple[Callable[[float], float], list[tuple[float, str]]]


def plot(columns: Sequence[Column], x: str, y: str, colour: str, logs: Sequence[str], banner: str) -> str:
    """The picture. `logs`: the parameters that stand on a scale of powers. Raises KeyError for no such column."""
    by_name = {name: (kind, cells) for name, kind, cells in columns}
    (across, along), (up, rising) = by_name[x], by_name[y]
    shade = by_name[colour][1] if colour else []
    places = [at for at in range(len(along)) if _there(along[at]) and _there(rising[at])]
    right = _scale(across, [along[at] for at in places], x in logs, LEFT, WIDE - RIGHT)
    height = _scale(up, [rising[at] for at in places], y in logs, HIGH - FOOT, TOP)
    key, dyed = _dyed([shade[at] for at in places] if colour else [])
    said = wrap(_clean(banner), 60, break_on_hyphens=False) or [""]
    more = 15 * (len(said) - 1)
    tall = HIGH + 2 * more
    size = f'viewBox="0 {-more} {WIDE} {tall}" width="{WIDE}" height="{tall}"'
    middle = (LEFT + WIDE - RIGHT) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        f"<title>{_safe(banner)}</title>",
        f'<rect y="{-more}" width="{WIDE}" height="{tall}" fill="{PAPER}"/>',
        f'<g font-family="monospace" font-size="12" fill="{INK}">',
        *_banner(said, 24 - more),
        *_axes(right[1], height[1]),
        f'<text x="{middle:.0f}" y="{HIGH - FOOT + 38}" text-anchor="middle">{_safe(_cut(x))}</text>',
        f'<text x="{LEFT - 60}" y="{TOP - 12}">{_safe(_cut(y))}</text>',
        f'<text x="{WIDE - RIGHT + 16}" y="{HIGH - FOOT}" fill="{DIM}">{len(places)} / {len(along)}</text>',
    ]
    for number, at in enumerate(places):
        cx, cy = right[0](_value(across, along[at], right)), height[0](_value(up, rising[at], height))
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4" fill="{dyed[number] if colour else SHADES[0]}"/>')
    for row, (text, tint) in enumerate([(colour, ""), *key] if colour else []):
        down = TOP + 8 + 18 * row
        parts += [f'<circle cx="{WIDE - RIGHT + 20}" cy="{down - 4}" r="4" fill="{tint}"/>'] if tint else []
        parts.append(f'<text x="{WIDE - RIGHT + (32 if tint else 16)}" y="{down}">{_safe(_cut(text))}</text>')
    return "\n".join([*parts, *_banner(said, HIGH - 14), "</g></svg>\n"])


def _there(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, float) or math.isfinite(cell))


def _value(kind: str, cell: Cell, scale: Scale) -> float:
    if kind in ("int", "float") and isinstance(cell, int | float):
        return float(cell)
    return float([text for _, text in scale[1]].index(_cut(str(cell))))


def _scale(kind: str, cells: list[Cell], log: bool, low: float, high: float) -> Scale:
    """From a value to a place, and where its ticks are. Words stand side by side in the order met."""
    if kind not in ("int", "float"):
        words = list(dict.fromkeys(_cut(str(cell)) for cell in cells))
        step = (high - low) / max(len(words), 1)
        return (lambda at: low + step * (at + 0.5)), [(low + step * (at + 0.5), text) for at, text in enumerate(words)]
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float)] or [0.0, 1.0]
    least, most = min(numbers), max(numbers)
    if log and least > 0:
        first, last = math.log10(least), math.log10(most)
        span = last - first or 1.0
        ticks = [10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]
        ticks = ticks if len(ticks) > 1 else [least, most]
        place: Callable[[float], float] = lambda at: low + (high - low) * (math.log10(at) - first) / span  # noqa: E731
        return place, [(place(tick), f"{tick:g}") for tick in dict.fromkeys(ticks)]
    half = most / 2 - least / 2 or 0.5  # of what may be as far apart as floats go
    centre = least / 2 + most / 2

    def linear(at: float) -> float:
        return (low + high) / 2 + (high - low) / 2 * ((at - centre) / half)

    ticks = [centre + half * step for step in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    return linear, [(linear(tick), f"{tick:.4g}") for tick in ticks]


def _dyed(cells: list[Cell]) -> tuple[list[tuple[str, str]], list[str]]:
    """The key, and the colour of each: a few words or numbers each have one, more numbers lie between two."""
    words = list(dict.fromkeys(_cut(str(cell)) for cell in cells))
    numbers = [float(cell) for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
    if len(words) > len(SHADES) and len(numbers) == len(cells) and all(map(math.isfinite, numbers)):
        least, half = min(numbers), max(numbers) / 2 - min(numbers) / 2
        tints = [_between((number / 2 - least / 2) / half if half else 0.0) for number in numbers]
        return [(f"{least:.4g}", _between(0)), (f"{max(numbers):.4g}", _between(1))], tints
    tint = {word: SHADES[at] if at < len(SHADES) - 1 else SHADES[-1] for at, word in enumerate(words)}
    key = [(word, tint[word]) for word in words[: len(SHADES)]]
    if len(words) > len(SHADES):
        key[-1] = ("…", SHADES[-1])
    return key, [tint[_cut(str(cell))] for cell in cells]


def _between(part: float) -> str:
    share = min(max(part, 0.0), 1.0)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(DARK, LIGHT, strict=True))


def _axes(across: list[tuple[float, str]], up: list[tuple[float, str]]) -> list[str]:
    foot = HIGH - FOOT
    parts = [f'<path d="M{LEFT} {TOP}V{foot}H{WIDE - RIGHT}" fill="none" stroke="{LINES}"/>']
    for at, text in across[:12]:
        parts.append(f'<path d="M{at:.1f} {foot}v5" stroke="{LINES}"/>')
        parts.append(f'<text x="{at:.1f}" y="{foot + 18}" text-anchor="middle" fill="{DIM}">{_safe(_cut(text))}</text>')
    for at, text in up[:12]:
        parts.append(f'<path d="M{LEFT - 5} {at:.1f}h5" stroke="{LINES}"/>')
        parts.append(f'<text x="{LEFT - 9}" y="{at + 4:.1f}" text-anchor="end" fill="{DIM}">{_safe(_cut(text))}</text>')
    return parts


def _banner(lines: Sequence[str], y: float) -> list[str]:
    place = f'font-size="14" font-weight="bold" text-anchor="middle" x="{WIDE / 2:.0f}"'
    return [f'<text {place} y="{y + 15 * row:.0f}">{_safe(line)}</text>' for row, line in enumerate(lines)]


def _cut(text: str) -> str:
    return text if len(text) <= 18 else text[:17] + "…"


def _clean(text: str) -> str:
    """Without what XML may not have."""
    return "".join(one for one in text if one in _XML or (one >= " " and one not in "￾￿"))


def _safe(text: str) -> str:
    return escape(_clean(text))
