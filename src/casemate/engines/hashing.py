"""An embedder without weights: words hashed into 384 places.

It knows words and nothing of their meaning. It stands in where it is chosen by name (tests, the two-world law), so
that a vector depends on nothing but the text and this file; it must never be chosen silently in place of a model.

Each word of a text (letters and digits, case folded) adds +1 or -1 at 32 places that its SHA-256 chooses: byte i
chooses one of the twelve places of block i, and its lowest bit the sign. The sum is brought to the length that a
model's vectors have, in whole numbers only.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Final

__all__ = ["HashingEmbedder", "hashed"]

DIMENSIONS: Final = 384
LENGTH: Final = 384
"""The length of a vector, as the models' (their unit vectors are multiplied by 384)."""
_BLOCK: Final = DIMENSIONS // 32
_WORD: Final = re.compile(r"\w+")


def hashed(text: str) -> bytes:
    """384 integers in -127..127, a signed byte each; a text without a word is all zeros."""
    sums = [0] * DIMENSIONS
    for word in _WORD.findall(text.casefold()):
        for block, byte in enumerate(hashlib.sha256(word.encode("utf-8", "replace")).digest()):
            sums[block * _BLOCK + (byte >> 1) % _BLOCK] += 1 - 2 * (byte & 1)
    square = sum(value * value for value in sums)
    if not square:
        return bytes(DIMENSIONS)
    # round(value * LENGTH / sqrt(square)), half away from zero, without a float: the root is taken at 20 more bits.
    root = math.isqrt(square << 40)
    return bytes(_bounded(value, root) & 0xFF for value in sums)


def _bounded(value: int, root: int) -> int:
    size = min(127, (2 * abs(value) * LENGTH * (1 << 20) + root) // (2 * root))
    return size if value >= 0 else -size


class HashingEmbedder:
    """The port's face of `hashed`."""

    name = "hashing"
    language = "any"
    languages: frozenset[str] = frozenset()
    state = "none"
    max_tokens = 0

    async def embed(self, texts: Sequence[str], domain: str = "") -> list[bytes]:
        """A vector for each text, in their order; nobody waits for it, so it takes no turns."""
        del domain
        return [hashed(text) for text in texts]
