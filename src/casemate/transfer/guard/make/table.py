"""CSV by a schema, read with the standard library's reader, written with commas, line feeds and the fewest quotes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

from casemate.transfer.guard.make.numbers import number, whole
from casemate.transfer.guard.make.text import clean
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import Choice, Column, Columns, Date, Flag, Number, Text, Whole
from casemate.transfer.guard.verdict import held

__all__ = ["day", "table"]

_STARTS = ("=", "+", "-", "@", "\t", "|", "%")


def table(raw: bytes, profile: Profile, schema: Columns) -> bytes:
    """A whole table, its names first. Raises Refused."""
    if len(raw) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    if raw.count(b",") + raw.count(b"\n") > 4 * profile.entries:  # before a row of them is built
        raise held("guard-count", f"{profile.entries:,} cells")
    try:
        found = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise held("guard-encoding", "UTF-8") from None
    wide, cells, made = len(schema.columns), 0, [",".join(_quoted(column.name, False) for column in schema.columns)]
    rows = csv.reader(io.StringIO(found, newline=""), strict=True)
    try:
        if next(rows, None) != [column.name for column in schema.columns]:
            raise held("guard-schema", "names of columns")
        for line, row in enumerate(rows, 2):
            cells += wide
            if cells > profile.entries:
                raise held("guard-count", f"{profile.entries:,} cells")
            if len(row) != wide:
                raise held("guard-schema", f"cells in row {line}")
            made.append(
                ",".join(
                    _cell(cell, column, profile, wide == 1) for cell, column in zip(row, schema.columns, strict=True)
                )
            )
    except csv.Error:
        raise held("guard-structure", "quotes") from None
    return ("\n".join(made) + "\n").encode()


def _cell(cell: str, column: Column, profile: Profile, alone: bool) -> str:
    if not cell and column.empty:
        return '""' if alone else ""
    of = column.of
    if isinstance(of, Text):
        said = clean(cell, profile, of.lines)
        if said.startswith(_STARTS):
            raise held("guard-formula", column.name[:40])
        if not 0 < len(said) <= of.most:
            raise held("guard-schema", column.name[:40])
        return _quoted(said, alone)
    if isinstance(of, Whole):
        return whole(cell, of)
    if isinstance(of, Number):
        return number(cell, of)
    if isinstance(of, Date):
        return day(cell)
    if (isinstance(of, Flag) and cell in ("true", "false")) or (isinstance(of, Choice) and cell in of.of):
        return _quoted(cell, alone)
    raise held("guard-schema", column.name[:40])


def day(said: str) -> str:
    """A date as the schema means it. Raises Refused."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", said):
            raise ValueError
        return dt.date.fromisoformat(said).isoformat()
    except ValueError:
        raise held("guard-schema", "date") from None


def _quoted(cell: str, alone: bool) -> str:
    if not cell and alone:
        return '""'
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell
