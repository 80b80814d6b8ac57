"""Near-duplicates: parts that say nearly the same, found inside one access class and nowhere else.

A part bears a sketch of its text (MinHash over runs of three words; Broder 1997), cut into bands that are indexed
like any field: blinded, so that equal bands of two classes look unlike. Whoever shares a band is a candidate; what
decides is how much of their runs of words two parts truly share. Pure, but for `near`, which asks with a flow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "LEAST", "alike", "bands", "runs", "sketch"]

RUN = 3  # words
BANDS = 4
ROWS = 4
LEAST = 0.8
_WORD = re.compile(r"\w+")


def runs(text: str) -> frozenset[str]:
    """The runs of three words in a text; of a shorter one, all its words as one."""
    words = _WORD.findall(text.casefold())
    if not words:
        return frozenset()
    return frozenset(" ".join(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1)))


def sketch(text: str) -> tuple[int, ...]:
    """The least of each of 16 permutations of the hashes of its runs; () where it has no word."""
    found = runs(text)
    if not found:
        return ()
    hashes = np.array([_hash(run) for run in found], dtype=np.uint64)
    factors, terms = _permutations()
    with np.errstate(over="ignore"):
        mixed = (hashes[None, :] * factors[:, None] + terms[:, None]) >> np.uint64(32)
    return tuple(int(least) for least in mixed.min(axis=1))


def bands(found: Sequence[int]) -> tuple[str, ...]:
    """The bands of a sketch, each as text; "" for each where there is no sketch."""
    if not found:
        return ("",) * BANDS
    return tuple(".".join(f"{each:08x}" for each in found[at * ROWS : (at + 1) * ROWS]) for at in range(BANDS))


def alike(one: Iterable[str], two: Iterable[str]) -> float:
    """How much of their runs two texts share (Jaccard): 0 to 1."""
    first, second = frozenset(one), frozenset(two)
    return len(first & second) / len(first | second) if first or second else 0.0


def _hash(run: str) -> int:
    return int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest(), "little")


@cache
def _permutations() -> tuple[NDArray[Any], NDArray[Any]]:
    """Multipliers (odd) and terms: always the same, so that a sketch is a function of its text alone."""
    drawn = hashlib.shake_256(b"casemate/near").digest(16 * BANDS * ROWS)
    numbers = np.frombuffer(drawn, dtype="<u8").astype(np.uint64)
    return numbers[: BANDS * ROWS] | np.uint64(1), numbers[BANDS * ROWS :]
