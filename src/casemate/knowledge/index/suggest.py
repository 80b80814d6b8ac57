"""For a word of the question that no visible passage holds: the nearest word that one does.

Near is one insertion, deletion, substitution or exchange of neighbours; two in a word of eight letters or more. Only
the vocabulary of the visible shards is looked at: a word that stands in a hidden passage alone is never suggested, and
never said to exist by its absence. Letters are those that are left when accents are folded, so French is served; words
in other scripts get no suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index.analyse import terms, words
from casemate.knowledge.index.shard import Shard

__all__ = ["WORDS", "Suggestion", "suggest"]

WORDS = 8  # of a question that are looked up
_SHORTEST, _LONG, _LONGEST = 4, 8, 40
_LETTERS = re.compile(r"[^\W_]+")
_LINE = 10
Rows = NDArray[np.int64]


class Suggestion(msgspec.Struct, frozen=True):
    """A word as it was asked, and the one that may have been meant."""

    word: str
    instead: str


def suggest(text: str, shards: Sequence[Shard]) -> tuple[Suggestion, ...]:
    """A suggestion for each unknown word for which there is one, in the order of the question."""
    unknown: dict[str, str] = {}
    for word in _LETTERS.findall(text):
        folded = words(word)
        if len(folded) == 1 and len(unknown) < WORDS and _asks(folded[0]) and not _known(word, shards):
            unknown.setdefault(word, folded[0])
    if not unknown:
        return ()
    book = _Book(shards)
    found = [(word, book.nearest(folded)) for word, folded in unknown.items()]
    return tuple(Suggestion(word, near) for word, near in found if near)


def _asks(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and word.isascii() and word.isalpha()


def _known(word: str, shards: Sequence[Shard]) -> bool:
    return any(shard.df(term) for term in terms(word) for shard in shards)


class _Book:
    """The words of some shards in one array of letters, a line each; and where each word starts and how long it is."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        held = [shard for shard in shards if len(shard.words)]
        raw = b"\n".join([*(shard.words for shard in held), b"\n" * (_LONGEST + 3)])
        self._letters = np.frombuffer(raw, dtype=np.uint8)
        self._spread = np.concatenate([shard.spread for shard in held]) if held else np.zeros(0, dtype=np.uint8)
        ends = np.flatnonzero(self._letters == _LINE)[: len(self._spread)]
        self._starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1]) if len(ends) else ends
        self._lengths = ends - self._starts

    def nearest(self, word: str) -> str:
        """The nearest word: by distance, then the one that most passages hold, then by its letters; or ""."""
        near = 2 if len(word) >= _LONG else 1
        asked = np.frombuffer(word.encode(), dtype=np.uint8)
        rows = np.flatnonzero(np.abs(self._lengths - len(asked)) <= near)
        rows = rows[self._alike(rows, asked, near)]
        distances = self._distances(rows, asked)
        best: dict[str, list[int]] = {}
        for row, distance in zip(rows[distances <= near], distances[distances <= near].tolist(), strict=True):
            there = best.setdefault(self._word(int(row)), [distance, 0])
            there[1] -= int(self._spread[row])
        candidates = sorted((distance, spread, each) for each, (distance, spread) in best.items() if each.isascii())
        return candidates[0][2] if candidates else ""

    def _word(self, row: int) -> str:
        start = self._starts[row]
        return self._letters[start : start + self._lengths[row]].tobytes().decode()

    def _alike(self, rows: Rows, asked: NDArray[np.uint8], near: int) -> NDArray[np.bool_]:
        """Which words may be that near: of near + 1 stretches of the asked word, one is in its place untouched.

        An exchange of neighbours touches two stretches where it lies between them, so a stretch gives a letter away.
        """
        starts, ends = self._starts[rows], self._starts[rows] + self._lengths[rows]
        size = len(asked)
        cuts = [size * part // (near + 1) for part in range(near + 2)]
        alike = np.zeros(len(rows), dtype=np.bool_)
        alike |= self._same(starts, asked[: cuts[1] - 1], 0)
        alike |= self._same(ends, asked[cuts[-2] + 1 :], cuts[-2] + 1 - size)
        if near == 2:
            for shift in (-1, 0, 1):
                alike |= self._same(starts, asked[cuts[1] + 1 : cuts[2]], cuts[1] + 1 + shift)
        return alike

    def _same(self, base: Rows, stretch: NDArray[np.uint8], offset: int) -> NDArray[np.bool_]:
        """Where the stretch stands at that offset from the base; a word too short for it has a line's end there."""
        left = np.arange(len(base))
        for at, letter in enumerate(stretch.tolist()):
            left = left[self._letters[np.maximum(base[left] + (offset + at), 0)] == letter]
        found = np.zeros(len(base), dtype=np.bool_)
        found[left] = True
        return found

    def _distances(self, rows: Rows, asked: NDArray[np.uint8]) -> Rows:
        """How far each word is from the asked one (optimal string alignment): all words at once, a letter at a time."""
        size, longest = len(asked), int(self._lengths[rows].max(initial=0))
        found = np.full(len(rows), size, dtype=np.int64)
        column = np.repeat(np.arange(size + 1, dtype=np.int8)[:, None], len(rows), axis=1)
        before, letters = column, np.zeros(len(rows), dtype=np.uint8)
        for place in range(1, longest + 1):
            last, letters = letters, self._letters[np.minimum(self._starts[rows] + place - 1, len(self._letters) - 1)]
            now = np.empty_like(column)
            now[0] = place
            for at in range(1, size + 1):
                differs = (letters != asked[at - 1]).astype(np.int8)
                cell = np.minimum(column[at - 1] + differs, np.minimum(column[at], now[at - 1]) + 1)
                if at > 1 and place > 1:
                    swapped = (letters == asked[at - 2]) & (last == asked[at - 1])
                    cell = np.where(swapped, np.minimum(cell, before[at - 2] + 1), cell)
                now[at] = cell
            before, column = column, now
            done = self._lengths[rows] == place
            found[done] = column[size][done]
        return found
