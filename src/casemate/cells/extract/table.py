"""CSV (RFC 4180) and TSV: a paragraph for each row. What parts the cells is found in the first lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.rows import Rows
from casemate.cells.extract.shape import Extracted
from casemate.cells.extract.sniff import TSV
from casemate.cells.extract.text import decode
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_FIRST = 50  # lines that are looked at for what parts the cells
_PARTS = ",;\t|"


def read(data: bytes, kind: str) -> Extracted:
    """One document, on one page."""
    text = decode(data)
    lines = text.splitlines(keepends=True)
    for line in lines:
        bounds.within(len(line), bounds.LINE, "characters in one line")
    draft = Draft()
    rows = Rows(draft)
    for cells in _parsed(lines, "\t" if kind == TSV else _parting(lines[:_FIRST])):
        rows.add(list(enumerate(cells)))
    if draft.empty:
        raise NoText
    return Extracted(kind, (draft.part(),))


def _parsed(lines: list[str], parting: str) -> Iterator[list[str]]:
    csv.field_size_limit(bounds.LINE)
    reader = csv.reader(lines, delimiter=parting)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise CannotRead(f"Its table is not well formed (line {reader.line_num}).") from None
        bounds.within(len(cells), bounds.COLUMNS, "columns")
        yield cells


def _parting(lines: list[str]) -> str:
    """The sign that parts most lines into the same number of cells, outside of quotation marks; a comma in doubt."""
    bare = ["".join(line.split('"')[::2]) for line in lines if line.strip()]

    def agreed(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in bare]
        most = max(set(counts) - {0}, key=counts.count, default=0)
        return counts.count(most) if most else 0, most

    return max(_PARTS, key=agreed)
