"""Parity volumes: a Reed-Solomon code over GF(2^8) of which any K columns give back all others. Pure arithmetic.

The field is GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. Parity row i of K data columns is an extended Cauchy matrix
(Blömer et al., "An XOR-based erasure-resilient coding scheme", ICSI TR-95-048): with y_j = 2^-j, row 0 is all ones
(the point at infinity), row 1 is 1 / (0 + y_j) = 2^j, row i from 2 on is 1 / (2^(i-1) + y_j). Every square part of it
can be inverted, so any K of the N = K + M columns suffice, by construction and for every subset.

A product is never looked up: a row of coefficients is summed bit by bit, from the highest (Horner), where to double
eight bytes at once costs four passes over a block that stays in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "add_up", "parity_rows", "repair_rows"]

MOST = 255
"""Data and parity columns together, at most."""
BLOCK = 1 << 16
_FIELD = 0x11D
_ORDER = 255
_LOW = np.uint64(0x1D1D_1D1D_1D1D_1D1D)

Bytes: TypeAlias = NDArray[np.uint8]
Rows: TypeAlias = tuple[tuple[int, ...], ...]


def _tables() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Powers of 2 twice over, and their logarithms; the logarithm of 0 is never asked for."""
    powers, logs, value = [1], [0] * 256, 1
    for place in range(1, _ORDER):
        value <<= 1
        value ^= _FIELD if value & 256 else 0
        powers.append(value)
        logs[value] = place
    return (*powers, *powers), tuple(logs)


_POWERS, _LOGS = _tables()


def times(a: int, b: int) -> int:
    """The product of two elements."""
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def inverse(a: int) -> int:
    """1 / a, for a other than 0."""
    return _POWERS[_ORDER - _LOGS[a]]


@lru_cache(maxsize=64)
def parity_rows(k: int, m: int) -> Rows:
    """The coefficients of m parity columns, k each. k and m are at least 1 and 0, and at most MOST together."""
    if k < 1 or m < 0 or k + m > MOST:
        raise ValueError(f"{k} and {m} columns")
    ys = [_POWERS[(_ORDER - j) % _ORDER] for j in range(k)]
    xs = [0, *_POWERS[1:m]]
    return tuple((1,) * k if not i else tuple(inverse(xs[i - 1] ^ y) for y in ys) for i in range(m))


@lru_cache(maxsize=256)
def repair_rows(k: int, m: int, lost: tuple[int, ...], parities: tuple[int, ...]) -> Rows:
    """The coefficients that give back the lost data columns: one row each, over k columns.

    The k columns are the data columns that are not lost, ascending, then those parity columns (counted from 0), of
    which there are as many as lost ones.
    """
    if len(lost) != len(parities):
        raise ValueError("as many parity columns as lost ones")
    rows = [parity_rows(k, m)[each] for each in parities]
    solved = _inverted([[row[j] for j in lost] for row in rows])
    kept = [j for j in range(k) if j not in set(lost)]
    return tuple((*(_sum(line, [row[j] for row in rows]) for j in kept), *line) for line in solved)


def _sum(line: Sequence[int], column: Sequence[int]) -> int:
    found = 0
    for a, b in zip(line, column, strict=True):
        found ^= times(a, b)
    return found


def _inverted(square: list[list[int]]) -> list[list[int]]:
    """The inverse of a square part of the matrix, by Gauss and Jordan; every pivot of a Cauchy matrix is there."""
    size = len(square)
    work = [[*row, *(int(i == j) for j in range(size))] for i, row in enumerate(square)]
    for at in range(size):
        factor = inverse(work[at][at])
        pivot = work[at] = [times(factor, value) for value in work[at]]
        for i, row in enumerate(work):
            if i != at and (factor := row[at]):
                work[i] = [value ^ times(factor, over) for value, over in zip(row, pivot, strict=True)]
    return [row[size:] for row in work]


def add_up(rows: Rows, columns: Sequence[Bytes], out: Sequence[Bytes]) -> None:
    """out[i] = the sum over j of rows[i][j] * columns[j]. All are of one length, a multiple of 8 bytes.

    `out` may not overlap with `columns`.
    """
    plans = [_plan(row) for row in rows]
    length = len(columns[0])
    spare = np.empty(min(BLOCK, length), np.int8)
    for at in range(0, length, BLOCK):
        block = [column[at : at + BLOCK].view(np.uint64) for column in columns]
        for plan, whole in zip(plans, out, strict=True):
            target = whole[at : at + BLOCK]
            _row(plan, block, target, spare[: len(target)])


@lru_cache(maxsize=1024)
def _plan(row: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """For each bit, from the highest one in use down to 0: the columns whose coefficient has it."""
    bits = max(row).bit_length()
    return tuple(tuple(j for j, value in enumerate(row) if value >> bit & 1) for bit in reversed(range(bits)))


def _row(plan: tuple[tuple[int, ...], ...], block: Sequence[NDArray[np.uint64]], target: Bytes, spare: object) -> None:
    assert isinstance(spare, np.ndarray)
    words, signed, carried = target.view(np.uint64), target.view(np.int8), spare.view(np.uint64)
    np.copyto(words, 0)
    for place, chosen in enumerate(plan):
        if place:  # double each byte: what falls out at the top comes back as the field's low part
            np.right_shift(signed, 7, out=spare)
            np.bitwise_and(carried, _LOW, out=carried)
            np.add(target, target, out=target)
            np.bitwise_xor(words, carried, out=words)
        for j in chosen:
            np.bitwise_xor(words, block[j], out=words)
