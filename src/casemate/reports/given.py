"""What a stranger's JSON holds, read with its type and its bound. Pure; it never takes one thing for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.errors import BadInput

__all__ = ["items", "number", "text"]


def text(value: Mapping[str, Any], name: str, most: int) -> str:
    """A text of at most so many characters; "" where there is none. Raises BadInput."""
    found = value.get(name, "")
    if not isinstance(found, str) or len(found) > most:
        raise BadInput(what=f"{name} in a report is a text of at most {most} characters.")
    return found


def items(value: Mapping[str, Any], name: str, most: int) -> list[Any]:
    """A list of at most so many; an empty one where there is none. Raises BadInput."""
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > most:
        raise BadInput(what=f"{name} in a report is a list of at most {most}.")
    return found


def number(value: object) -> float:
    """A point of a picture: a number, or not-a-number for null. Raises BadInput."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise BadInput(what="A point of a chart is a number.")
    return float(value)
