"""What a text loses before it may go down, and the marks that keep it where it is. Pure.

Whoever wrote a text had freedom that a reader does not see: characters without width, directions, controls, several
spaces, private characters. All of that is taken out, so that what leaves is what the approvers read. Nothing is put
in, nothing is translated, and a mark is never removed: text that still bears one above the target stays.

A mark is looked for where the region looks for marks, and besides anywhere in a line: a sentence that quotes one is
refused too. This is stricter than what comes in is judged by, since here a miss cannot be taken back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from casemate.labels import Label, Policies, Reading
from casemate.policy import Refuse

__all__ = ["Clean", "Guard", "PlainText", "Sanitiser"]

_HIDES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
# Letters, marks and signs that show nothing: Hangul fillers, the grapheme joiner, Khmer inherent vowels, the blank of
# Braille, Mongolian and other variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_MANY_BLANKS = re.compile(r" {2,}")
_MANY_LINES = re.compile(r"\n{3,}")
_GROUP = re.compile(r"[(\[{<][^()\[\]{}<>\n]{1,400}[)\]}>]")
_SPACED = re.compile(r"(?<![^\W_])([^\W_]) (?=[^\W_](?![^\W_]))")
_BEFORE = re.compile(r"((?:[^\W_]+[ -]){0,5}[^\W_]+) ?//")


@dataclass(frozen=True, slots=True)
class Clean:
    """What may leave, and how many characters of the text are not in it."""

    text: str
    dropped: int


class Sanitiser(Protocol):
    """Takes out of a text what its readers do not see, or says why it stays. The same text gives the same answer."""

    @property
    def name(self) -> str: ...

    def clean(self, text: str, target: Label, policies: Policies) -> Clean | Refuse: ...


class Guard(Protocol):
    """Looks at what would leave as the format that the request names: made anew, and read again by another parser."""

    @property
    def formats(self) -> tuple[str, ...]: ...

    def remade(self, text: str, format: str, schema: str) -> str | Refuse:
        """The text as it may leave in that format, or why it stays. The same text gives the same answer."""
        ...


class PlainText:
    """Words, line ends and single spaces. `name` holds its version: another answer needs another name."""

    name = "text-1"

    def clean(self, text: str, target: Label, policies: Policies) -> Clean | Refuse:
        """Rules `release-empty` and `release-mark`; the facts of the second say the mark, not where it stands."""
        kept = _plain(text)
        if not kept:
            return Refuse("release-empty")
        for readings in chain(_marks(kept, policies), _marks(text, policies) if kept != text else ()):
            if any(reading.problem or not reading.label <= target for reading in readings):
                return Refuse("release-mark", {"mark": readings[0].text})
        return Clean(kept, max(0, len(text) - len(kept)))


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    kept = "".join(filter(None, map(_character, lines)))
    kept = unicodedata.normalize("NFC", _MANY_BLANKS.sub(" ", kept))
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip(" ") for line in kept.split("\n"))).strip("\n")


def _character(c: str) -> str:
    """The character as it may leave, or ""."""
    if c == "\n" or " " < c < "\x7f":
        return c
    category = unicodedata.category(c)
    if category == "Zs" or c in "\t\v\f\x1c\x1d\x1e\x1f\x85":
        return " "
    if category in _HIDES or c in _BLANK or 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF:
        return ""
    return c


def _marks(text: str, policies: Policies) -> Iterator[tuple[Reading, ...]]:
    """Everything in the text that reads as a mark: as it stands, in plain letters, and with spaced letters joined."""
    for line in text.split("\n"):
        plain = unicodedata.normalize("NFKC", line)
        for shape in dict.fromkeys((line, plain, _SPACED.sub(r"\1", plain))):
            whole = policies.read_banner(shape)
            if whole:
                yield whole
            else:
                yield from _inside(shape, policies)


def _inside(line: str, policies: Policies) -> Iterator[tuple[Reading, ...]]:
    opened = policies.read_portion(line)[0]
    if opened:
        yield opened
    for group in _GROUP.finditer(line):
        yield from filter(None, [policies.read_portion(f"({group[0][1:-1]}) -")[0]])
    for before in _BEFORE.finditer(line):  # a banner within a line: where it ends nobody knows, so it is not read on
        words = before[1].replace("-", " ").split(" ")
        for first in range(len(words)):
            found = policies.read_banner(" ".join(words[first:]))
            if found:
                yield tuple(Reading(r.policy, r.label, r.text, r.problem or "within a line") for r in found)
