"""A made-up library: passages of Zipfian words with clustered vectors, each under one of many labels.

Everything is drawn from one seed, so that ours and the peers search the very same passages. Vectors are integers in
-127..127 of the length that the product's own have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "Library", "made"]

DIMENSIONS = 384
WORDS = 80  # of a passage, on average
VOCABULARY = 60_000
CLUSTERS = 512
_SYLLABLES = [a + b for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "on")]


@dataclass(frozen=True)
class Library:
    """`labels[row]` is a number below `kinds`; `texts(rows)` makes the texts of these rows when they are wanted."""

    seed: int
    vectors: NDArray[np.int8]
    labels: NDArray[np.int32]
    kinds: int
    words: Sequence[str]

    def texts(self, rows: Sequence[int] | NDArray[np.int64]) -> Iterator[str]:
        """A text is a function of the seed and of its row."""
        for row in rows:
            rng = np.random.default_rng((self.seed, int(row)))
            size = int(rng.integers(WORDS // 2, WORDS * 3 // 2))
            ranks = np.minimum(rng.zipf(1.15, size) - 1, VOCABULARY * 8) % VOCABULARY
            yield " ".join([self.words[rank] for rank in ranks])

    def questions(self, count: int, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int8]]:
        """Four words of a passage, of middling frequency, and a vector near its own."""
        rng = np.random.default_rng((self.seed, 1 << 40))
        asked, near = [], []
        common = {word: rank for rank, word in enumerate(self.words)}
        for row in rng.choice(rows, count, replace=False):
            words = sorted(set(next(self.texts([int(row)])).split()), key=common.__getitem__)
            middle = words[len(words) // 4 :] or words
            asked.append(" ".join(rng.choice(middle, min(4, len(middle)), replace=False)))
            moved = self.vectors[row].astype(np.int32) + rng.integers(-12, 13, DIMENSIONS)
            near.append(np.clip(moved, -127, 127).astype(np.int8))
        return asked, np.array(near)


def made(count: int, kinds: int, seed: int = 20261121) -> Library:
    """`count` passages under `kinds` labels, equally many under each, in an order that says nothing."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLUSTERS, DIMENSIONS)).astype(np.float32)
    vectors = np.empty((count, DIMENSIONS), dtype=np.int8)
    for start in range(0, count, 50_000):
        size = min(50_000, count - start)
        raw = centres[rng.integers(0, CLUSTERS, size)] + 0.9 * rng.normal(size=(size, DIMENSIONS)).astype(np.float32)
        raw *= DIMENSIONS / np.linalg.norm(raw, axis=1, keepdims=True)
        vectors[start : start + size] = np.clip(np.rint(raw), -127, 127).astype(np.int8)
    labels = rng.permutation(np.arange(count, dtype=np.int32) % kinds)
    return Library(seed, vectors, labels, kinds, _words())


def _words() -> list[str]:
    """Pronounceable words, no two alike, shorter ones first as in a language."""
    rng = np.random.default_rng(7)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        size = 2 if len(found) < 2_000 else 3 if len(found) < 20_000 else 4
        found["".join(_SYLLABLES[at] for at in rng.integers(0, len(_SYLLABLES), size))] = None
    return list(found)
