"""The shapes that values of JSON must have, each a question that ends in the value or in ValueError."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from casemate_verify.jsontext import GREATEST, Value

__all__ = ["HEX128", "NAMED", "array", "digits", "members", "number", "pattern", "rising", "table", "text"]

HEX128 = re.compile(r"[0-9a-f]{128}")
NAMED = re.compile(r"sha512:[0-9a-f]{128}")  # as OCI names what it holds


def members(value: Value, *names: str) -> list[Value]:
    """The values of exactly these members, in this order."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise ValueError(f"no object of {', '.join(names)}")
    return [value[name] for name in names]


def table(value: Value, most: int) -> dict[str, Value]:
    """An object whose names are data."""
    if not isinstance(value, dict) or len(value) > most:
        raise ValueError("no object, or too large")
    return value


def array(value: Value, least: int, most: int) -> list[Value]:
    """An array of so many."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError("no array, or not of that length")
    return value


def number(value: Value, least: int = 0, most: int = GREATEST) -> int:
    """A whole number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError("no number of that range")
    return value


def text(value: Value, most: int = 1000) -> str:
    """A text of at most so many characters."""
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("no text, or too long")
    return value


def pattern(value: Value, shape: re.Pattern[str]) -> str:
    """A text of that pattern."""
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise ValueError("a text of another form")
    return value


def rising(items: Sequence[Any]) -> bool:
    """Whether each is greater than the one before it."""
    return all(one < other for one, other in itertools.pairwise(items))


def digits(value: Value, size: int) -> str:
    """So many bytes in lower-case hex."""
    return pattern(value, re.compile(f"[0-9a-f]{{{2 * size}}}"))
