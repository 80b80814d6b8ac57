"""Arithmetic of parity: GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1, on numbers and on whole frames at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

__all__ = ["coefficient", "inverted", "summed", "times"]


def times(a: int, b: int) -> int:
    """The product of two elements."""
    found = 0
    while b:
        if b & 1:
            found ^= a
        a, b = a << 1 ^ (0x11D if a & 128 else 0), b >> 1
    return found


def _power(a: int, n: int) -> int:
    found = 1
    for _ in range(n % 255):
        found = times(found, a)
    return found


@cache
def coefficient(row: int, column: int) -> int:
    """What a parity volume takes of a data volume, both counted from 0."""
    if row < 2:
        return _power(2, column * row)
    return _power(_power(2, row - 1) ^ _power(2, -column), 254)


@cache
def _table(factor: int) -> bytes:
    return bytes(times(factor, byte) for byte in range(256))


def summed(parts: Iterable[tuple[int, bytes]], size: int) -> bytes:
    """The sum of frames, each times its factor."""
    total = 0
    for factor, frame in parts:
        if factor:
            total ^= int.from_bytes(frame if factor == 1 else frame.translate(_table(factor)), "big")
    return total.to_bytes(size, "big")


@cache
def inverted(rows: tuple[int, ...], columns: tuple[int, ...]) -> Sequence[Sequence[int]]:
    """The inverse of that square part of the matrix. It always has one."""
    size = len(rows)
    left = [[coefficient(row, column) for column in columns] for row in rows]
    right = [[int(row == column) for column in range(size)] for row in range(size)]
    for at in range(size):
        pivot = next(row for row in range(at, size) if left[row][at])
        left[at], left[pivot], right[at], right[pivot] = left[pivot], left[at], right[pivot], right[at]
        scale = _power(left[at][at], 254)
        left[at], right[at] = ([times(scale, each) for each in row] for row in (left[at], right[at]))
        for row in range(size):
            if row != at and (factor := left[row][at]):
                left[row] = [a ^ times(factor, b) for a, b in zip(left[row], left[at], strict=True)]
                right[row] = [a ^ times(factor, b) for a, b in zip(right[row], right[at], strict=True)]
    return right
