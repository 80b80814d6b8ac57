"""A table: columns with names, rows of plain cells, and its CSV. The same table gives the same bytes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.errors import BadInput

__all__ = ["Cell", "Table", "cell", "csv_of"]

Cell = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: each with a cell for each column. None is an empty cell; a number is finite or None."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        if not self.columns or len(set(self.columns)) != len(self.columns):
            raise BadInput(what="A table has columns, each with a name of its own.")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise BadInput(what=f"Row {number + 1} has {len(row)} cells for {len(self.columns)} columns.")


def cell(value: object) -> Cell:
    """A plain cell: what other libraries call a number becomes one; not-a-number and infinity become None."""
    if value is None or isinstance(value, bool | int | str):
        return value
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float):
        return plain if math.isfinite(plain) else None
    return plain if isinstance(plain, bool | int | str) else str(plain)


def csv_of(table: Table, marking: str = "") -> str:
    """RFC 4180 with line feeds; `marking` stands in a first line of its own after `# `. Yes is true, no false."""
    out = io.StringIO()
    if marking:
        out.write(f"# {marking}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_told(cell(value)) for value in row])
    return out.getvalue()


def _told(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
