"""The rows of a table as paragraphs: a line for each cell, after a line with the name of its column.

A value stands alone on its line, because it may be a mark. A row that says only one thing, in the first column or
before the columns have names, is a paragraph of its own: banners and captions are written so.
"""

from __future__ import annotations

import re

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft
from casemate.cells.extract.shape import PARAGRAPH, TABLE

__all__ = ["Rows"]

_NUMBER = re.compile(r"\s*[-+]?[\d.,\s%:/]*\d[\d.,\s%:/]*\s*")
_LONG = 100  # characters: a cell with more is no column's name


class Rows:
    """One table. Cells are (column, text), those without text left out."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._names: dict[int, str] | None = None

    def add(self, cells: list[tuple[int, str]]) -> None:
        """The next row."""
        said = [(column, text) for column, text in cells if text.strip()]
        bounds.within(len(said), bounds.COLUMNS, "columns")
        # before anything is joined: a text that many cells share is held once
        bounds.within(sum(len(text) for _, text in said), bounds.LINE, "characters in one row")
        if len(said) == 1 and (not self._names or not said[0][0]):
            self._draft.add(said[0][1], PARAGRAPH)
        elif said and self._names is None:
            texts = [text for _, text in said]
            named = len(set(texts)) == len(texts) and all(map(_is_name, texts))
            self._names = {column: " ".join(text.split()) for column, text in said} if named else {}
            self._draft.add("\n".join(texts), TABLE)
        elif said:
            names = self._names or {}
            lines = (f"{names[column]}:\n{text}" if names.get(column) else text for column, text in said)
            self._draft.add("\n".join(lines), TABLE)


def _is_name(text: str) -> bool:
    return len(text) <= _LONG and not _NUMBER.fullmatch(text)
