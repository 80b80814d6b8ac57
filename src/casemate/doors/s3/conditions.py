"""Conditions and ranges as headers say them (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from casemate.buckets import Condition, Seen
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["condition", "part", "span", "stretch"]

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def condition(headers: Mapping[str, str], language: str, prefix: str = "") -> Condition:
    """What stands in If-Match and its like, or in the same below `x-amz-copy-source-`. Raises BadInput."""
    return Condition(
        if_match=_etags(headers.get(f"{prefix}if-match")),
        if_none_match=_etags(headers.get(f"{prefix}if-none-match")),
        if_modified=_time(headers, f"{prefix}if-modified-since", language),
        if_unmodified=_time(headers, f"{prefix}if-unmodified-since", language),
    )


def _etags(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(one.strip().removeprefix("W/").strip('"') for one in text.split(","))


def _time(headers: Mapping[str, str], name: str, language: str) -> int | None:
    if name not in headers:
        return None
    try:
        return int(parsedate_to_datetime(headers[name]).timestamp())
    except (ValueError, OverflowError):
        raise BadInput(what=say("s3.condition", language, header=name), code="InvalidArgument") from None


def span(text: str, size: int, language: str) -> tuple[int, int] | None:
    """From and to before which byte; None for all of it, also where the range is none that is served by itself."""
    found = _RANGE.fullmatch(text.replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if start >= size or (not first and not int(last)):
        raise BadInput(what=say("s3.range", language), code="InvalidRange", size=size)
    return start, stop


def stretch(text: str, size: int, language: str) -> tuple[int, int]:
    """From and to before which byte a copy goes; nothing said is all of it, and nothing is guessed. Raises BadInput."""
    if not text:
        return 0, size
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] and found[2]) or int(found[2]) < int(found[1]):
        raise BadInput(what=say("s3.range", language), code="InvalidArgument")
    if int(found[2]) >= size:
        raise BadInput(what=say("s3.range", language), code="InvalidRange", size=size)
    return int(found[1]), int(found[2]) + 1


def part(text: str, seen: Seen, language: str) -> tuple[int, int] | None:
    """The bytes of one part of an object that came in parts; what came whole is its own first part."""
    lengths = seen.lengths or (seen.size,)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) > 0):
        raise BadInput(what=say("s3.part", language), code="InvalidArgument")
    number = int(text)
    if number > len(lengths):
        raise BadInput(what=say("s3.range", language), code="InvalidRange", size=seen.size)
    start = sum(lengths[: number - 1])
    return (start, start + lengths[number - 1]) if lengths[number - 1] else None
