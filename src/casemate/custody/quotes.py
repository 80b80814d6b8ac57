"""What repeats an object's own words: runs of words that both have, however they are written down. Pure.

A run is twelve words in a row, in small letters, without what stands between them; a text that has fewer is one run by
itself where it has five. JSON's escapes are undone, so that an answer inside a protocol's brackets is read like any
other. What was written anew in other words, translated or drawn is not found: lineage finds it where it was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["RUN", "quotes", "runs"]

RUN = 12
LEAST = 5
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPE = re.compile(r'\\[nrtbf"\\/]')


def _words(text: str) -> list[str]:
    if "\\" in text:
        text = _ESCAPE.sub(" ", _CODE.sub(lambda found: chr(int(found[1], 16)), text))
    return _WORD.findall(text.lower())


def runs(texts: Iterable[str]) -> frozenset[str]:
    """The runs of an object's paragraphs, each by itself: a run never goes from one into the next."""
    found: set[str] = set()
    for text in texts:
        words = _words(text)
        if LEAST <= len(words) < RUN:
            found.add(" ".join(words))
        found.update(" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
    return frozenset(found)


def quotes(text: str | bytes, sought: frozenset[str], lengths: frozenset[int]) -> bool:
    """Whether a text has one of these runs; `lengths`: how many words they have."""
    if not sought:
        return False
    words = _words(text.decode("utf-8", "ignore") if isinstance(text, bytes) else text)
    return any(
        " ".join(words[at : at + length]) in sought for length in lengths for at in range(len(words) - length + 1)
    )
