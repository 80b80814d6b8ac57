"""Points and results, made columns: each has one type, and a cell that is not there is None. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["LARGEST", "Cell", "Column", "columns", "result", "spoken"]

LARGEST = 16 << 10
"""Bytes of a result; the region lends none that is larger."""
FIELDS = 256
NAME = 128
TEXT = 4096
_WHOLE = 1 << 63
Cell = bool | int | float | str | None
Column = tuple[str, str, list[Cell]]
"""Name, type (bool, int, float or text) and cells."""


def result(raw: bytes) -> tuple[dict[str, Cell], str]:
    """The fields of a result and "", or nothing and why it is none."""
    if len(raw) > LARGEST:
        return {}, "too large"
    try:
        told: Any = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}, "not JSON"
    if not isinstance(told, dict):
        return {}, "not an object"
    if len(told) > FIELDS:
        return {}, "too many fields"
    for name, value in told.items():
        if not name or len(name) > NAME or not name.isprintable():
            return {}, "bad name"  # also half of a pair of surrogates is not printable
        if isinstance(value, dict | list):
            return {}, "not flat"
        if isinstance(value, str) and (len(value) > TEXT or not _whole(value)):
            return {}, "bad text"
    return told, ""


def columns(told: dict[str, Any], results: list[tuple[dict[str, Cell], str]]) -> list[Column]:
    """Index, job, state, exit and problem; then the parameters, then what the results have, in the order met.

    A field whose name is taken by one of the others is called `result.NAME`.
    """
    rows = told["rows"]
    full = [(fields, why) for fields, why in results]
    names: dict[str, None] = {}
    for at, (fields, _) in enumerate(full):
        if len({**names, **dict.fromkeys(fields)}) > FIELDS:
            full[at] = ({}, "too many fields")
        else:
            names.update(dict.fromkeys(fields))
    found: list[Column] = [
        ("index", "int", [row["index"] for row in rows]),
        ("job", "text", [row["job"] for row in rows]),
        ("state", "text", [row["state"] for row in rows]),
        ("exit", "int", [row["exit"] for row in rows]),
        ("problem", "text", [why for _, why in full]),
    ]
    for name in told["parameters"]:
        found.append(_column(_free(name, found, "point"), [row["point"].get(name) for row in rows]))
    for name in names:
        found.append(_column(_free(name, found, "result"), [fields.get(name) for fields, _ in full]))
    return found


def _free(name: str, found: list[Column], kind: str) -> str:
    taken = {each[0] for each in found}
    while name in taken:
        name = f"{kind}.{name}"
    return name


def _column(name: str, cells: list[Cell]) -> Column:
    """The narrowest type that holds all of them; text holds everything."""
    there = [cell for cell in cells if cell is not None]
    if there and all(isinstance(cell, bool) for cell in there):
        return name, "bool", cells
    if not any(isinstance(cell, bool | str) for cell in there):
        if all(isinstance(cell, int) and -_WHOLE <= cell < _WHOLE for cell in there):
            return name, "int", cells
        if all(_real(cell) for cell in there):
            return name, "float", [None if cell is None else float(cell) for cell in cells]
    return name, "text", [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]


def _real(cell: Cell) -> bool:
    """Whether it is the same number as a float; a whole number beyond 2**53 may not be."""
    return isinstance(cell, float) or (isinstance(cell, int) and abs(cell) <= 1 << 53)


def _whole(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def spoken(cell: Cell) -> str:
    """A cell as a CSV has it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if cell != cell else "Infinity" if cell > 0 else "-Infinity"
    return cell if isinstance(cell, str) else repr(cell)
