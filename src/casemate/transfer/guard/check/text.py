"""Text, read again: its bytes by Unicode 15's table 3-7 of well-formed UTF-8, its characters by ranges written here."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["decoded", "plain", "text"]

_WELL_FORMED: Final = re.compile(
    rb"(?:[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*+"
)
_NEVER: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680"
    "\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufdd0-\ufdef"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
_LATIN = "A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff"
_GREEK = "\u0386\u0388-\u03ff\u1f00-\u1fbc\u1fc2-\u1fcc\u1fd0-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ffc"
_CYRILLIC = "\u0400-\u0481\u048a-\u052f"
_PRINT = (
    "!-~\xa1-\xa3\xa5-\xa7\xa9-\xac\xae\xb0-\xb3\xb5-\xb7\xb9-\xbf\xd7\xf7"
    "\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2116\u2122"
)
_LEAVES: Final = re.compile(f"(?:[{_PRINT}{_LATIN}{_GREEK}{_CYRILLIC}]+(?:\n{{1,2}}| )?)*+")
_MIXED: Final = re.compile(
    "|".join(
        f"[{one}][{other}]|[{other}][{one}]"
        for one, other in ((_LATIN, _GREEK), (_LATIN, _CYRILLIC), (_GREEK, _CYRILLIC))
    )
)
_RUN = 32


def text(canonical: bytes, profile: Profile) -> bytes:
    """A whole text. Raises Refused."""
    if len(canonical) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    return "\n".join(plain(decoded(canonical), profile).split("\n")).encode()


def decoded(canonical: bytes) -> str:
    """The characters of well-formed bytes. Raises Refused."""
    if not _WELL_FORMED.fullmatch(canonical):
        raise held("guard-encoding", "UTF-8")
    return canonical.decode()


def plain(found: str, profile: Profile) -> str:
    """The text itself, where nothing in it is hidden and, outward, nothing but words. Raises Refused."""
    if found.isascii() and not profile.strict and not _NEVER.search(found):
        return found
    if hidden := _NEVER.search(found):
        raise held("guard-hidden", f"U+{ord(hidden[0]):04X}")
    run = 0
    for c in found if not found.isascii() else "":
        run = run + 1 if unicodedata.combining(c) else 0
        if run > _RUN:
            raise held("guard-count", "marks on a letter")
    if not unicodedata.is_normalized("NFC", found):
        raise held("guard-encoding", "normal form")
    if profile.strict and (found != found.strip(" \n") or not _LEAVES.fullmatch(found)):
        raise held("guard-letters", "outside what may leave")
    if profile.strict and _MIXED.search(found):
        raise held("guard-letters", "two scripts in a word")
    return found
