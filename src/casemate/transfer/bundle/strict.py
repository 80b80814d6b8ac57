"""JSON from outside: one reading of it, bounded before it is parsed, or none.

    bytes | depth | number of values | whole numbers alone | no name twice | no lone surrogate | one spelling

A parser that is lenient where another is strict is how two readers of one signature come to see two things.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from casemate.errors import Damaged

__all__ = ["DEEPEST", "LARGEST", "MOST_VALUES", "read", "shaped", "spelled"]

DEEPEST, MOST_VALUES = 16, 400_000
LARGEST = (1 << 53) - 1
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STRUCTURE = re.compile(rb"[][{},]")
_T = TypeVar("_T")


def read(raw: bytes, most: int, what: str, *, spelling: bool = True) -> Any:
    """The value in these bytes; `spelling`: they must be the canonical ones. Raises Damaged naming `what`."""
    if len(raw) > most:
        raise Damaged(what=what)
    _bounded(raw, what)
    try:
        text = raw.decode("utf-8")
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refused, parse_float=_refused, parse_int=_whole
        )
        written = spelled(found)
    except (ValueError, RecursionError):
        raise Damaged(what=what) from None
    if spelling and written != raw:
        raise Damaged(what=what)
    return found


def spelled(value: Any) -> bytes:
    """The one spelling (RFC 8785 for texts, whole numbers, truth values, arrays and objects with ASCII names)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def shaped(value: Any, shape: type[_T], what: str) -> _T:
    """The value as that structure. Raises Damaged where it has not exactly that shape."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        raise Damaged(what=what) from None


def _bounded(raw: bytes, what: str) -> None:
    """Depth and number of values, counted outside texts, before anything is built of them."""
    depth = 0
    marks = _STRUCTURE.findall(_TEXT.sub(b"", raw))
    if len(marks) > MOST_VALUES:
        raise Damaged(what=what)
    for mark in marks:
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > DEEPEST:
            raise Damaged(what=what)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _whole(text: str) -> int:
    if len(text) > 17 or abs(found := int(text)) > LARGEST or text == "-0":
        raise ValueError("beyond what every reader counts to")
    return found


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")
