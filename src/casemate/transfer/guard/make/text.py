"""Text: one encoding, one form of each letter, one end of a line, and nothing that a reader does not see.

Inward the hidden characters are taken out. Outward only words are left: letters of Latin, Greek or Cyrillic and never
two of these scripts in a word, signs of print, single spaces; anything else is refused, since what is taken out of a
text that leaves is a change of what somebody has signed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["SIGNS", "clean", "text"]

SIGNS: Final = frozenset("«»‘’‚“”„‹›–—…·•°§¶†‡€£¥©®™±×÷µ№‰¼½¾¹²³ªº¡¿¦¬")
MARKS: Final = 32  # combining marks in a row: more have no meaning and cost the square of their number
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_LINES: Final = {0x2028: "\n", 0x2029: "\n\n", 0x85: "\n", 0x0B: "\n", 0x0C: "\n"}
_WORD: Final = re.compile(r"[^\W\d_]+")
_SCRIPTS: Final = ("LATIN", "GREEK", "CYRILLIC")


def text(raw: bytes, profile: Profile) -> bytes:
    """A whole text. Raises Refused."""
    if len(raw) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    try:
        found = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise held("guard-encoding", "UTF-8") from None
    return clean(found, profile, lines=True).encode()


def clean(found: str, profile: Profile, lines: bool) -> str:
    """A text, or a piece of one that may have one line alone. Raises Refused."""
    found = found.replace("\r\n", "\n").replace("\r", "\n")
    seen = set(found)
    changes: dict[int, str | None] = {ord(c): _instead(c, profile.strict) for c in seen if c > "~" or c < " "}
    found = found.translate({at: to for at, to in changes.items() if to != chr(at)})
    marks = "".join(c for c in seen if unicodedata.combining(c))
    if marks and re.search(f"[{re.escape(marks)}]{{{MARKS + 1}}}", found):
        raise held("guard-count", "marks on a letter")
    found = unicodedata.normalize("NFC", found)
    if "\n" in found and not lines:
        raise held("guard-schema", "lines")
    if profile.strict:
        found = _strict(found)
    if len(found.encode()) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    return found


def _instead(c: str, strict: bool) -> str | None:
    if c == "\n" or (c == "\t" and not strict):
        return c
    if c == "\t":
        return " "
    if ord(c) in _LINES:
        return _LINES[ord(c)]
    category = unicodedata.category(c)
    if category == "Zs":
        return " "
    if category in _HIDDEN or c in _BLANK or 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF:
        if strict and category != "Cc":
            raise held("guard-hidden", f"U+{ord(c):04X}")
        return None
    return c


def _strict(found: str) -> str:
    found = "\n".join(re.sub(" +", " ", line).strip(" ") for line in found.split("\n"))
    found = re.sub("\n{3,}", "\n\n", found).strip("\n")
    scripts: dict[str, str] = {}
    for c in set(found):
        if c == "\n" or " " <= c <= "~":
            if c.isalpha():
                scripts[c] = "LATIN"
            continue
        script = unicodedata.name(c, "").partition(" ")[0]
        if script in _SCRIPTS and unicodedata.category(c) in ("Ll", "Lu", "Lt"):
            scripts[c] = script
        elif c not in SIGNS:
            raise held("guard-letters", f"U+{ord(c):04X}")
    if len(set(scripts.values())) > 1:
        for word in _WORD.finditer(found):
            if len({scripts[c] for c in word[0] if c in scripts}) > 1:
                raise held("guard-letters", "two scripts in a word")
    return found
