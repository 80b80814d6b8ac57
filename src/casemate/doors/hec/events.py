"""Events as the collector takes them: objects of JSON one behind the other, each an envelope around an `event`.

Pure. What is no such body is refused whole, with the number of the event that is wrong.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

__all__ = ["EVENTS", "NotWhole", "concatenated", "lined", "placed"]

EVENTS = 50_000
"""Of one request."""
DEEP = 64
_TEXTS = ("host", "source", "sourcetype", "index")
_SPACE = re.compile(r"[ \t\r\n]*")


class NotWhole(Exception):
    """The code of what is wrong, and the number of the event, from 0; None where it is the body."""

    def __init__(self, code: int, number: int | None = None) -> None:
        super().__init__(code, number)
        self.code, self.number = code, number


def concatenated(body: bytes) -> list[dict[str, Any]]:
    """The envelopes of a body, in order. Raises NotWhole."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotWhole(6) from None
    decoder = json.JSONDecoder(parse_constant=_constant)
    found: list[dict[str, Any]] = []
    at = _space(text, 0)
    while at < len(text):
        if len(found) == EVENTS:
            raise NotWhole(6, len(found))
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise NotWhole(6, len(found)) from None
        _held(value, len(found))
        found.append(value)
        at = _space(text, at)
    return found


def placed(envelope: dict[str, Any], said: dict[str, str], received: float) -> tuple[str, bytes]:
    """Its index, and the line that is kept: the envelope with what the query says of all, and a time."""
    more = {name: text for name, text in said.items() if name not in envelope and name != "index"}
    told = {"time": received, **more, **envelope}
    if isinstance(told["time"], str):
        told["time"] = float(told["time"])
    try:
        line = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        line = json.dumps(told, allow_nan=False, separators=(",", ":")).encode()
    return str(envelope.get("index") or ""), line + b"\n"


def lined(body: bytes) -> list[bytes]:
    """The lines of a raw body that say anything, each with its end."""
    return [line + b"\n" for line in re.split(rb"[\r\n\x00]+", body) if line.strip()]


def _held(value: Any, number: int) -> None:
    """Raises NotWhole where an envelope is not what the collector takes."""
    if not isinstance(value, dict):
        raise NotWhole(6, number)
    if value.get("event") is None:
        raise NotWhole(12, number)
    if value["event"] == "" or (isinstance(value["event"], str) and not value["event"].strip()):
        raise NotWhole(13, number)
    if any(not isinstance(value.get(name, ""), str | None) for name in _TEXTS) or not _timed(value.get("time", 0)):
        raise NotWhole(6, number)
    fields = value.get("fields", {})
    if not isinstance(fields, dict) or any(not _flat(each) for each in fields.values()):
        raise NotWhole(15, number)
    if not _finite(value):
        raise NotWhole(6, number)


def _timed(value: Any) -> bool:
    """Whether it is a moment in seconds: a number, or a text of one."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", value) is not None
    return isinstance(value, int | float) and 0 <= value < 1e12


def _flat(value: Any) -> bool:
    plain = str | int | float | bool
    return isinstance(value, plain) or (isinstance(value, list) and all(isinstance(one, plain) for one in value))


def _finite(value: Any) -> bool:
    """Whether it can be written again: no infinity, and not deeper than anybody reads."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEP or (isinstance(one, float) and not math.isfinite(one)):
            return False
        if isinstance(one, dict):
            waiting += [(each, depth + 1) for each in one.values()]
        elif isinstance(one, list):
            waiting += [(each, depth + 1) for each in one]
    return True


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found is not None else at
