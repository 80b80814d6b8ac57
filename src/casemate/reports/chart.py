"""A chart as data, and the small SVG that is drawn of it: lines, bars, bands, scatter and heat map. Pure.

The same chart gives the same bytes. What is not finite is left out. Colours are those of Okabe and Ito, which readers
who see fewer colours tell apart; lines differ in their dashes as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from xml.sax.saxutils import escape

from casemate.errors import BadInput

__all__ = ["KINDS", "Chart", "Series", "svg_of"]

Kind = Literal["lines", "bars", "bands", "scatter", "heat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WIDE, HIGH = 720, 400
LEFT, RIGHT, TOP, FOOT = 76, 20, 30, 64
INK, DIM, PAPER = "#16181d", "#6b7482", "#ffffff"
SHADES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7f00", "#000000")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
DARK, LIGHT = (0x08, 0x30, 0x6B), (0xF7, 0xFB, 0xFF)
LARGEST = 1e300
"""What lies beyond, or on an axis of powers below its inverse, is not drawn."""
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, one colour of bars, one cloud. `low` and `high`: the edges of its band, as long as `y`."""

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or any(edge and len(edge) != len(self.y) for edge in (self.low, self.high)):
            raise BadInput(what=f"The series {self.name} has not as many values for each axis.")


@dataclass(frozen=True, slots=True)
class Chart:
    """`kind`: lines, bars, bands, scatter (of `series`), or heat (of `values`, a row for each of `rows`).

    `x` and `y` say what the axes are, with their units. `log`: the upright axis goes in powers of ten.
    """

    kind: Kind
    series: tuple[Series, ...] = ()
    title: str = ""
    x: str = ""
    y: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    log: bool = False

    def __post_init__(self) -> None:
        if self.kind == "heat" and [len(row) for row in self.values] != [len(self.columns)] * len(self.rows):
            raise BadInput(what="A heat map has a value for each of its rows and columns.")


def svg_of(chart: Chart) -> str:
    """The picture, without script, style sheet or address."""
    tall = HIGH if chart.kind != "heat" else TOP + FOOT + 40 + 18 * max(len(chart.rows), 1)
    size = f'width="{WIDE}" height="{tall}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDE} {tall}" {size}>',
        f"<title>{_safe(chart.title)}</title>",
        f'<rect width="{WIDE}" height="{tall}" fill="{PAPER}"/>',
        f'<g font-family="sans-serif" font-size="12" fill="{INK}">',
    ]
    parts += _heat(chart) if chart.kind == "heat" else _drawn(chart)
    return "\n".join([*parts, "</g></svg>\n"])


def _drawn(chart: Chart) -> list[str]:
    words = list(dict.fromkeys(x for one in chart.series for x in one.x if isinstance(x, str)))
    spots = {word: float(at) for at, word in enumerate(words)}
    if chart.kind == "bars" and not words:
        words = list(dict.fromkeys(_number(x) for one in chart.series for x in one.x if not isinstance(x, str)))
        spots = {word: float(at) for at, word in enumerate(words)}

    def at(x: float | str) -> float:
        return spots.get(x if isinstance(x, str) else _number(x), math.nan) if words else float(x)

    heights = [y for one in chart.series for y in (*one.y, *one.low, *one.high) if _there(y, chart.log)]
    heights += [0.0] if chart.kind == "bars" and not chart.log else []
    places = [at(x) for one in chart.series for x in one.x if _there(at(x), False)]
    across, ticks = _scale(places, LEFT, WIDE - RIGHT, pad=0.6 if words else 0.0)
    up, levels = _powers(heights) if chart.log else _scale(heights, HIGH - FOOT, TOP, pad=0.0, nice=True)
    if words:
        every = max(1, math.ceil(len(words) / 12))
        ticks = [(across(spots[word]), word[:16]) for word in words[::every]]
    parts = _axes(chart, ticks, levels)
    for number, one in enumerate(chart.series):
        points = [
            (at(x), y, edge) for x, y, edge in zip(one.x, one.y, _edges(one), strict=True) if _there(at(x), False)
        ]
        shade = SHADES[number % len(SHADES)]
        if chart.kind == "bars":
            parts += _bars(points, number, len(chart.series), across, up, chart.log, shade)
        elif chart.kind == "scatter":
            parts += [
                f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{shade}" fill-opacity="0.75"/>'
                for x, y, _ in points
                if _there(y, chart.log)
            ]
        else:
            parts += _band(points, across, up, chart.log, shade)
            parts += _line(points, across, up, chart.log, shade, DASHES[number // len(SHADES) % len(DASHES)])
    return parts + _key(chart)


def _edges(one: Series) -> list[tuple[float, float]]:
    if not one.low or not one.high:
        return [(math.nan, math.nan)] * len(one.y)
    return list(zip(one.low, one.high, strict=True))


def _bars(
    points: Sequence[tuple[float, float, tuple[float, float]]],
    number: int,
    many: int,
    across: Place,
    up: Place,
    log: bool,
    shade: str,
) -> list[str]:
    """Beside each other where there are several series; from zero, or from the foot where the axis has no zero."""
    wide = max(1.0, (across(1.0) - across(0.0)) * 0.8 / max(many, 1))
    zero = HIGH - FOOT if log else up(0.0)
    parts = []
    for x, y, _ in points:
        if _there(y, log):
            left, top, foot = across(x) - wide * many / 2 + wide * number, min(up(y), zero), max(up(y), zero)
            parts.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{foot - top:.1f}" fill="{shade}"/>'
            )
    return parts


def _line(
    points: Sequence[tuple[float, float, tuple[float, float]]],
    across: Place,
    up: Place,
    log: bool,
    shade: str,
    dash: str,
) -> list[str]:
    """A stretch for each run of values that are there: a gap stays a gap."""
    stretches: list[list[str]] = [[]]
    for x, y, _ in points:
        if _there(y, log):
            stretches[-1].append(f"{across(x):.1f},{up(y):.1f}")
        elif stretches[-1]:
            stretches.append([])
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return [
        f'<polyline points="{" ".join(run)}" fill="none" stroke="{shade}" stroke-width="1.6"{dashes}/>'
        for run in stretches
        if run
    ]


def _band(
    points: Sequence[tuple[float, float, tuple[float, float]]], across: Place, up: Place, log: bool, shade: str
) -> list[str]:
    there = [(x, low, high) for x, _, (low, high) in points if _there(low, log) and _there(high, log)]
    if len(there) < 2:
        return []
    over = [f"{across(x):.1f},{up(high):.1f}" for x, _, high in there]
    under = [f"{across(x):.1f},{up(low):.1f}" for x, low, _ in reversed(there)]
    return [f'<polygon points="{" ".join([*over, *under])}" fill="{shade}" fill-opacity="0.2"/>']


def _heat(chart: Chart) -> list[str]:
    numbers = [one for row in chart.values for one in row if math.isfinite(one)] or [0.0]
    least, most = min(numbers), max(numbers)
    left = LEFT + 110
    wide = (WIDE - RIGHT - left) / max(len(chart.columns), 1)
    parts = []
    for down, (name, row) in enumerate(zip(chart.rows, chart.values, strict=True)):
        top = TOP + 18 * down
        parts.append(f'<text x="{left - 6}" y="{top + 13}" text-anchor="end">{_safe(name[:26])}</text>')
        for at, value in enumerate(row):
            if math.isfinite(value):
                part = (value - least) / (most - least) if most > least else 1.0
                tint = "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(LIGHT, DARK, strict=True))
                told = f"{name}, {chart.columns[at]}: {_spoken(value)}"
                parts.append(
                    f'<rect x="{left + wide * at:.1f}" y="{top}" width="{wide:.1f}" height="17" fill="{tint}">'
                    f"<title>{_safe(told)}</title></rect>"
                )
    foot = TOP + 18 * len(chart.rows)
    every = max(1, math.ceil(len(chart.columns) * 40 / max(WIDE - RIGHT - left, 1)))
    for at, name in enumerate(chart.columns):
        if at % every == 0:
            x = left + wide * (at + 0.5)
            parts.append(
                f'<text transform="translate({x:.1f} {foot + 10}) rotate(40)" font-size="10">{_safe(name[:16])}</text>'
            )
    parts.append(
        f'<text x="{LEFT - 70}" y="{foot + FOOT + 24}" fill="{DIM}">'
        f"{_safe(_spoken(least))} – {_safe(_spoken(most))}</text>"
    )
    return parts


def _axes(chart: Chart, ticks: list[tuple[float, str]], levels: list[tuple[float, str]]) -> list[str]:
    foot = HIGH - FOOT
    parts = [f'<path d="M{LEFT} {TOP}V{foot}H{WIDE - RIGHT}" fill="none" stroke="{DIM}"/>']
    for x, text in ticks:
        parts.append(f'<path d="M{x:.1f} {foot}v5" stroke="{DIM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{foot + 18}" text-anchor="middle">{_safe(text)}</text>')
    for y, text in levels:
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDE - RIGHT}" stroke="{DIM}" stroke-opacity="0.25"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_safe(text)}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDE - RIGHT) / 2:.0f}" y="{foot + 36}" text-anchor="middle">{_safe(chart.x)}</text>'
    )
    return [*parts, f'<text x="{LEFT - 66}" y="{TOP - 12}">{_safe(chart.y)}</text>']


def _key(chart: Chart) -> list[str]:
    named = [(number, one.name) for number, one in enumerate(chart.series) if one.name]
    if len(named) < 1:
        return []
    step = (WIDE - LEFT - RIGHT) / len(named)
    parts = []
    for place, (number, name) in enumerate(named):
        x = LEFT + step * place
        parts.append(
            f'<rect x="{x:.1f}" y="{HIGH - 18}" width="10" height="10" fill="{SHADES[number % len(SHADES)]}"/>'
        )
        parts.append(f'<text x="{x + 15:.1f}" y="{HIGH - 9}">{_safe(name[: max(6, int(step / 7) - 2)])}</text>')
    return parts


def _scale(
    values: Sequence[float], low: float, high: float, pad: float, nice: bool = False
) -> tuple[Place, list[tuple[float, str]]]:
    """From a value to a place on the paper, and where the ticks stand."""
    least, most = (min(values), max(values)) if values else (0.0, 1.0)
    if most - least <= max(abs(most) * 1e-12, 1 / LARGEST):
        least, most = least - (abs(least) * 0.5 or 0.5), most + (abs(most) * 0.5 or 0.5)
    least, most = least - pad, most + pad
    step = _step((most - least) / 5)
    if nice:
        least, most = math.floor(least / step) * step, math.ceil(most / step) * step
    first = math.ceil(least / step - 1e-9)

    def place(value: float) -> float:
        return low + (value - least) / (most - least) * (high - low)

    ticks = [step * n for n in range(first, first + 12) if step * n <= most + step * 1e-9]
    return place, [(place(value), _spoken(value)) for value in ticks]


def _powers(values: Sequence[float]) -> tuple[Place, list[tuple[float, str]]]:
    least, most = (math.log10(min(values)), math.log10(max(values))) if values else (0.0, 1.0)
    least, most = math.floor(least), max(math.ceil(most), math.floor(least) + 1)

    def place(value: float) -> float:
        return (HIGH - FOOT) + (math.log10(value) - least) / (most - least) * (TOP - HIGH + FOOT)

    every = max(1, math.ceil((most - least) / 8))
    return place, [(place(10.0**power), f"1e{power}") for power in range(int(least), int(most) + 1, every)]


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * part for part in (1.0, 2.0, 5.0, 10.0) if power * part >= rough * 0.999)


def _there(value: float, log: bool) -> bool:
    return math.isfinite(value) and abs(value) <= LARGEST and (value >= 1 / LARGEST or not log)


def _number(value: float) -> str:
    return f"{value:g}"


def _spoken(value: float) -> str:
    size = abs(value)
    return f"{value:.3g}" if size and (size < 1e-3 or size >= 1e5) else f"{round(value, 6):g}"


def _safe(text: str) -> str:
    """Text of an XML document: what it cannot hold is left out."""
    kept = "".join(each for each in text if each in "\t\n\r" or (each >= " " and not "\ud800" <= each <= "\udfff"))
    return escape(kept.replace("\ufffe", "").replace("\uffff", ""))
