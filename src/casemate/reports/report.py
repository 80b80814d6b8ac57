"""A report: a title and parts in order, as values, as JSON, and back from JSON that a stranger's program wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from casemate.errors import BadInput
from casemate.reports.chart import KINDS, Chart, Series
from casemate.reports.given import items as _list
from casemate.reports.given import number as _number
from casemate.reports.given import text as _text
from casemate.reports.network import Network, network_of
from casemate.reports.table import Cell, Table, cell

__all__ = ["MOST_PARTS", "Check", "Checks", "Figures", "Part", "Picture", "Report", "Shown", "Text", "plain", "read"]

MOST_PARTS = 200
MOST_TEXT = 200_000
MOST_ROWS = 500
MOST_POINTS = 50_000
MOST_PICTURE = 4 << 20
MOST_VALUES = 400_000
"""Numbers and texts of a whole report: each is drawn, and takes some forty times the room that it took here."""


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, parted by an empty line. Plain text: nothing in it is a command to the page."""

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Names and numbers, in order; a text where a unit stands with it."""

    figures: Mapping[str, float | int | str]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The first `most` rows of a table, and how many it has."""

    table: Table
    title: str = ""
    most: int = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG that the mission wrote. It is shown as a picture: no script and no address in it is followed."""

    svg: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, against what, and whether it holds. `told`: the two values, or why it does not."""

    what: str
    against: str
    passed: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """What a reader can rely on: printed with each run."""

    checks: Sequence[Check]
    title: str = ""


Part = Text | Figures | Shown | Chart | Picture | Network | Checks


@dataclass(frozen=True, slots=True)
class Report:
    """What a person of the field reads. It carries no marking: whoever renders it puts the one of its label there."""

    title: str
    parts: Sequence[Part]


def plain(report: Report) -> dict[str, Any]:
    """As JSON holds it: each part with `part`, the name of its kind."""
    return {"title": report.title, "parts": [_plain(part) for part in report.parts]}


def _plain(part: Part) -> dict[str, Any]:
    kind = type(part).__name__.lower()
    if isinstance(part, Shown):
        rows = [[cell(value) for value in row] for row in part.table.rows[: part.most]]
        told = {"columns": list(part.table.columns), "rows": rows, "of": len(part.table.rows), "title": part.title}
        return {"part": kind, **told}
    if isinstance(part, Figures):
        return {"part": kind, "title": part.title, "figures": {k: cell(v) for k, v in part.figures.items()}}
    return {"part": kind, **{name: _even(value) for name, value in asdict(part).items()}}


def _even(value: Any) -> Any:
    """Plain numbers all the way down: what is not finite is nothing in JSON."""
    if isinstance(value, dict):
        return {name: _even(one) for name, one in value.items()}
    return [_even(one) for one in value] if isinstance(value, list | tuple) else cell(value)


def read(value: object) -> Report:
    """A report from JSON. Raises BadInput for anything that is not one, or that is too large to be shown."""
    if not isinstance(value, dict) or not isinstance(value.get("parts"), list):
        raise BadInput(what="A report is an object with title and parts.")
    if len(value["parts"]) > MOST_PARTS:
        raise BadInput(what=f"A report has at most {MOST_PARTS} parts.")
    if _values(value) > MOST_VALUES:
        raise BadInput(what=f"A report has at most {MOST_VALUES} numbers and texts.")
    return Report(_text(value, "title", 400), [_part(each) for each in value["parts"]])


def _values(value: object) -> int:
    """How many there are, however deep; nobody counts far beyond the most."""
    count, waiting = 0, [value]
    while waiting and count <= MOST_VALUES:
        each = waiting.pop()
        if isinstance(each, dict | list):
            waiting += each.values() if isinstance(each, dict) else each
        else:
            count += 1
    return count + len(waiting)


def _part(value: object) -> Part:
    if not isinstance(value, dict):
        raise BadInput(what="A part of a report is an object.")
    title = _text(value, "title", 400)
    match value.get("part"):
        case "text":
            return Text(_text(value, "text", MOST_TEXT), title)
        case "figures":
            return Figures({str(k)[:200]: _shown(v) for k, v in _map(value, "figures").items()}, title)
        case "shown":
            columns = tuple(str(name)[:200] for name in _list(value, "columns", 256))
            rows = [[_cell(one) for one in _rows(row)] for row in _list(value, "rows", MOST_ROWS)]
            of = value.get("of", len(rows))
            return _Cut(Table(columns, rows), title, len(rows), of if isinstance(of, int) else len(rows))
        case "picture":
            return Picture(_text(value, "svg", MOST_PICTURE), title)
        case "checks":
            return Checks([_check(each) for each in _list(value, "checks", 200)], title)
        case "chart":
            return _chart(value, title)
        case "network":
            return network_of(value, title)
    raise BadInput(what="A report has a part of a kind that nobody knows.")


@dataclass(frozen=True, slots=True)
class _Cut(Shown):
    """What was read back of a table that has more rows than it shows."""

    of: int = 0


def _chart(value: dict[str, Any], title: str) -> Chart:
    kind = value.get("kind")
    if kind not in KINDS:
        raise BadInput(what="A chart is of a kind that nobody knows.")
    series = [
        Series(
            _text(one, "name", 200),
            tuple(_axis(x) for x in _list(one, "x", MOST_POINTS)),
            *(tuple(_number(y) for y in _list(one, name, MOST_POINTS)) for name in ("y", "low", "high")),
        )
        for one in _list(value, "series", 64)
        if isinstance(one, dict)
    ]
    return Chart(
        kind,
        tuple(series),
        title,
        _text(value, "x", 200),
        _text(value, "y", 200),
        tuple(str(one)[:200] for one in _list(value, "rows", 500)),
        tuple(str(one)[:200] for one in _list(value, "columns", 500)),
        tuple(tuple(_number(one) for one in _rows(row)) for row in _list(value, "values", 500)),
        value.get("log") is True,
    )


def _check(value: object) -> Check:
    if not isinstance(value, dict):
        raise BadInput(what="A check is an object.")
    texts = [_text(value, name, 2000) for name in ("what", "against", "told")]
    return Check(texts[0], texts[1], value.get("passed") is True, texts[2])


def _map(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict) or len(found) > 500:
        raise BadInput(what=f"{name} in a report is an object of at most 500 names.")
    return found


def _rows(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > 500:
        raise BadInput(what="A row in a report is a list of at most 500.")
    return value


def _cell(value: object) -> Cell:
    return cell(value if value is None or isinstance(value, bool | int | float | str) else str(value))


def _shown(value: object) -> float | int | str:
    found = _cell(value)
    return "" if found is None else found


def _axis(value: object) -> float | str:
    return value[:200] if isinstance(value, str) else _number(value)
