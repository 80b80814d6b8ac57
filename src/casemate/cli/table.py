"""Columns of text that stand under each other, colours and wide characters included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["columns", "in_line", "width", "wrapped"]

WIDEST = 100
_BREAKS = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def width(text: str) -> int:
    """How many cells the text takes on a terminal."""
    return sum(_cells(character) for character in _COLOUR.sub("", text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def columns(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Each row as one line; the last column is as wide as it is. A cell beyond `WIDEST` moves its own row alone: one
    long marking would push every other row out of sight."""
    if not rows:
        return []
    rows = [[_BREAKS.sub("\ufffd", cell) for cell in row] for row in rows]  # a name makes no second line
    wide = [
        max((size for row in rows if (size := width(row[place])) <= WIDEST), default=0)
        for place in range(len(rows[0]) - 1)
    ]
    return [
        gap.join(
            [*(cell + " " * (size - width(cell)) for cell, size in zip(row, wide, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    ]


def in_line(text: object) -> str:
    """What a stranger wrote, in one line and without colours: it makes no line that reads as one of ours."""
    return _BREAKS.sub("\ufffd", str(text)).replace("\x1b", "\ufffd")


def wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells, broken between words; a word that is longer stands alone."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(lines[-1]) + 1 + width(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]
