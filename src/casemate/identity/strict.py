"""JSON and base64url as credentials may write them: one reading of each text, or none.

Two parsers that read one token differently are how a signature over one thing is taken for another, so a name that
stands twice, a number that is none, padding and stray bits are all refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, NoReturn

__all__ = ["from_base64url", "object_of", "to_base64url"]

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def from_base64url(text: str) -> bytes:
    """The bytes of base64url without padding (RFC 7515 section 2), in their one spelling. Raises ValueError."""
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if to_base64url(raw) != text:
        raise ValueError("base64url in another spelling")
    return raw


def to_base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def object_of(raw: bytes) -> dict[str, Any]:
    """The JSON object in UTF-8 bytes; no name twice, no NaN, no other value at its top. Raises ValueError."""
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
