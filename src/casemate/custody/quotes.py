"""What repeats an object's own words: runs of words that both have, however they are written down. Pure.

A run is twelve words in a row, in small letters, without what stands between them; a text that has fewer is one run by
itself where it has five. JSON's escapes are undone, so that an answer inside a protocol's brackets is read like any
other. What was written anew in other words, translated or drawn is not found: lineage finds it where it was recorded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec

__all__ = ["RUN", "Words", "joined", "quotes", "runs"]

RUN = 12
LEAST = 5
_BYTES = 8
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPE = re.compile(r'\\[nrtbf"\\/]')


def _words(text: str) -> list[str]:
    if "\\" in text:
        text = _ESCAPE.sub(" ", _CODE.sub(lambda found: chr(int(found[1], 16)), text))
    return _WORD.findall(text.lower())


class Words(msgspec.Struct, frozen=True):
    """The runs of an object, each as eight bytes that say nothing of it to whoever does not know it, and how many words
    they have; `files`: digests of bytes that are no text."""

    runs: bytes = b""
    lengths: tuple[int, ...] = ()
    files: tuple[bytes, ...] = ()

    def known(self) -> frozenset[bytes]:
        return frozenset(self.runs[at : at + _BYTES] for at in range(0, len(self.runs), _BYTES))


def runs(texts: Iterable[str]) -> Words:
    """The runs of an object's paragraphs, each by itself: a run never goes from one into the next."""
    found: set[bytes] = set()
    lengths: set[int] = set()
    for text in texts:
        words = _words(text)
        length = len(words) if LEAST <= len(words) < RUN else RUN
        if len(words) >= length:
            lengths.add(length)
            found.update(_hash(words, at, length) for at in range(len(words) - length + 1))
    return Words(b"".join(sorted(found)), tuple(sorted(lengths)))


def joined(one: Words, two: Words) -> Words:
    """The runs of both."""
    known = sorted(one.known() | two.known())
    files = tuple(sorted({*one.files, *two.files}))
    return Words(b"".join(known), tuple(sorted({*one.lengths, *two.lengths})), files)


def quotes(text: str | bytes, sought: frozenset[bytes], lengths: Sequence[int]) -> bool:
    """Whether a text has one of these runs; `lengths`: how many words they have."""
    if not sought:
        return False
    words = _words(text.decode("utf-8", "ignore") if isinstance(text, bytes) else text)
    return any(_hash(words, at, length) in sought for length in lengths for at in range(len(words) - length + 1))


def _hash(words: Sequence[str], at: int, length: int) -> bytes:
    return hashlib.blake2b(" ".join(words[at : at + length]).encode(), digest_size=_BYTES).digest()
