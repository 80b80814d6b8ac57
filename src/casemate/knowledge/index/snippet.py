"""The stretch of a passage that shows best why it was found, and where in it the question's words stand.

A function of the passage and the question's terms alone. The stretch is letter for letter the passage's own; that it
was cut is told beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

import msgspec

from casemate.knowledge.index.tokens import Tokens

__all__ = ["WORDS", "Snippet", "snippet"]

WORDS = 40
_LONG = 48  # characters of one token: what is longer (a language without spaces, a key) is taken in pieces
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W_]+")
_JOINERS = frozenset("\u200c\u200d")
Span = tuple[int, int]


class Snippet(msgspec.Struct, frozen=True):
    """`spans` are (start, end) in `text`, in code points, ascending and apart. `before`, `after`: more stands there."""

    text: str
    spans: tuple[Span, ...] = ()
    before: bool = False
    after: bool = False


def snippet(text: str, asked: Collection[str], tokens: Tokens) -> Snippet:
    """The best 40 words or so of a passage's text for these terms. `tokens` is the request's own."""
    places = _places(text)
    hits = [_hits(text[start:end], asked, tokens) for start, end in places]
    if not places:
        return Snippet(text)
    first, last = _window(hits)
    start = 0 if first == 0 else places[first][0]
    end = places[last - 1][1] if last < len(places) else len(text)
    spans = [
        (at + places[number][0] - start, to + places[number][0] - start)
        for number in range(first, last)
        for at, to, _ in hits[number]
    ]
    return Snippet(text[start:end], tuple(spans), first > 0, last < len(places))


def _window(hits: list[list[tuple[int, int, str]]]) -> Span:
    """The tokens to show: those 40 that hold most of the terms, then most hits, the hits in their middle."""
    if len(hits) <= WORDS:
        return 0, len(hits)
    best, chosen = (0, 0), 0
    for first in range(len(hits) - WORDS + 1):
        inside = [term for each in hits[first : first + WORDS] for _, _, term in each]
        worth = (len(set(inside)), len(inside))
        if worth > best:
            best, chosen = worth, first
    held = [at for at in range(chosen, chosen + WORDS) if hits[at]]
    if not held:
        return 0, WORDS
    first = min(max(0, (held[0] + held[-1] + 1 - WORDS) // 2), len(hits) - WORDS)
    return first, first + WORDS


def _places(text: str) -> list[Span]:
    """Where the tokens stand; long ones in pieces that part no letter from its marks."""
    found: list[Span] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        while end - start > _LONG:
            cut = _cut(text, start, end)
            found.append((start, cut))
            start = cut
        if start < end:
            found.append((start, end))
    return found


def _cut(text: str, start: int, end: int) -> int:
    """Where a long token may be cut: after what is no letter if there is such a place, else where it must be."""
    for cut in range(start + _LONG, start + _LONG // 2, -1):
        if not text[cut - 1].isalnum() and not _bound(text, cut):
            return cut
    cut = start + _LONG
    while cut < end and _bound(text, cut):
        cut += 1
    return cut


def _bound(text: str, at: int) -> bool:
    """Whether what stands here belongs to the letter before it, or to the same word of letters with spaces."""
    letter, before = text[at], text[at - 1]
    if unicodedata.combining(letter) or letter in _JOINERS or before in _JOINERS or "\ufe00" <= letter <= "\ufe0f":
        return True
    return "\U0001f3fb" <= letter <= "\U0001f3ff"


def _hits(token: str, asked: Collection[str], tokens: Tokens) -> list[tuple[int, int, str]]:
    """The words of a token whose term is asked for: where, and which."""
    if not asked or not any(term in asked for term in tokens[token]):
        return []
    found: list[tuple[int, int, str]] = []
    for start, end in _words(token):
        term = next((term for term in tokens[token[start:end]] if term in asked), "")
        if term:
            found.append((start, end, term))
    return found


def _words(token: str) -> list[Span]:
    """The words in a token, each with the marks that combine with its letters."""
    found: list[Span] = []
    for word in _WORD.finditer(token):
        start, end = word.span()
        while end < len(token) and unicodedata.combining(token[end]):
            end += 1
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found
