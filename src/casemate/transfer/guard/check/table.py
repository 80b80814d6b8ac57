"""CSV, read again a cell at a time by one expression; a quote where none is needed is refused."""

from __future__ import annotations

import re
from typing import Final

from casemate.transfer.guard.check.scalars import date, number, whole
from casemate.transfer.guard.check.text import decoded, plain
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import Choice, Column, Columns, Date, Flag, Number, Text, Whole
from casemate.transfer.guard.verdict import held

__all__ = ["table"]

_CELL: Final = re.compile(r'(?:"((?:[^"]|"")*+)"|([^",\n]*+))(,|\n)')
_FORMULA: Final = re.compile(r"[=+\-@\t|%]")


def table(canonical: bytes, profile: Profile, schema: Columns) -> bytes:
    """A whole table. Raises Refused."""
    if len(canonical) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    found, columns = decoded(canonical), schema.columns
    at = row = place = 0
    made: list[str] = []
    while at < len(found):
        cell = _CELL.match(found, at)
        if cell is None or (place == len(columns) - 1) != (cell[3] == "\n"):
            raise held("guard-structure", f"row {row + 1}")
        quoted = cell[1] is not None
        said = cell[1].replace('""', '"') if quoted else cell[2]
        needs = "," in said or '"' in said or "\n" in said or (not said and len(columns) == 1)
        if quoted != needs:
            raise held("guard-structure", f"row {row + 1}")
        if row == 0:
            if said != columns[place].name:
                raise held("guard-schema", "names of columns")
        else:
            said = _value(said, columns[place], profile)
        made.append(('"' + said.replace('"', '""') + '"' if needs else said) + cell[3])
        at, place = cell.end(), place + 1
        if cell[3] == "\n":
            row, place = row + 1, 0
        if (row - 1) * len(columns) > profile.entries:
            raise held("guard-count", f"{profile.entries:,} cells")
    if row == 0 or place:
        raise held("guard-structure", "cut short")
    return "".join(made).encode()


def _value(said: str, column: Column, profile: Profile) -> str:
    of = column.of
    if said == "" and column.empty:
        return said
    match of:
        case Text():
            if _FORMULA.match(said):
                raise held("guard-formula", column.name[:40])
            if "\n" in said and not of.lines:
                raise held("guard-schema", "lines")
            if 1 <= len(said) <= of.most:
                return plain(said, profile)
        case Whole():
            return whole(said, of)
        case Number():
            return number(said, of)
        case Date():
            return date(said)
        case Flag() if said == "true" or said == "false":
            return said
        case Choice() if said in of.of:
            return said
        case _:
            pass
    raise held("guard-schema", column.name[:40])
