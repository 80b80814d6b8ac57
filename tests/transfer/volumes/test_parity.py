"""Any K of N columns give back the others, for every subset at small N; and the arithmetic is that of the field."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.transfer.volumes.parity import BLOCK, MOST, add_up, inverse, parity_rows, repair_rows, times


def peasant(a: int, b: int) -> int:
    """The product by its definition: polynomials over GF(2), modulo x^8 + x^4 + x^3 + x^2 + 1."""
    found = 0
    for bit in range(8):
        found ^= (a << bit) * (b >> bit & 1)
    for bit in range(15, 7, -1):
        found ^= (0x11D << bit - 8) * (found >> bit & 1)
    return found


def test_the_field_is_the_field() -> None:
    assert all(times(a, b) == peasant(a, b) for a in range(256) for b in range(256))
    assert all(times(a, inverse(a)) == 1 for a in range(1, 256))


def columns(k: int, length: int, seed: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (k, length), dtype=np.uint8))


def whole(k: int, m: int, data: list[np.ndarray]) -> list[np.ndarray]:
    """All columns: the data and its parity."""
    sums = [np.empty_like(data[0]) for _ in range(m)]
    add_up(parity_rows(k, m), data, sums)
    return [*data, *sums]


def restored(k: int, m: int, there: tuple[int, ...], all_: list[np.ndarray]) -> list[np.ndarray]:
    """The data, from these columns alone."""
    lost = tuple(j for j in range(k) if j not in there)
    parities = tuple(i - k for i in there if i >= k)[: len(lost)]
    out = [np.empty_like(all_[0]) for _ in lost]
    sources = [all_[j] for j in range(k) if j in there] + [all_[k + i] for i in parities]
    add_up(repair_rows(k, m, lost, parities), sources, out)
    found = dict(zip(lost, out, strict=True))
    return [found.get(j, all_[j]) for j in range(k)]


def test_every_subset_of_k_restores() -> None:
    for n in range(1, 8):
        for k in range(1, n + 1):
            all_ = whole(k, n - k, columns(k, 16, n * 8 + k))
            for there in combinations(range(n), k):
                back = restored(k, n - k, there, all_)
                assert all((one == other).all() for one, other in zip(back, all_, strict=False)), (k, n, there)


@settings(max_examples=30)
@given(st.integers(1, MOST), st.integers(1, 12), st.integers(0, 1 << 30), st.data())
def test_any_subset_of_any_size_restores(k: int, m: int, seed: int, data: st.DataObject) -> None:
    m = min(m, MOST - k)
    all_ = whole(k, m, columns(k, 8, seed))
    gone = data.draw(st.sets(st.integers(0, k + m - 1), max_size=m))
    back = restored(k, m, tuple(i for i in range(k + m) if i not in gone), all_)
    assert all((one == other).all() for one, other in zip(back, all_, strict=False))


@pytest.mark.parametrize("length", [8, BLOCK - 8, BLOCK, BLOCK + 8])
def test_sums_are_those_of_the_field(length: int) -> None:
    data = columns(5, length, length)
    sums = whole(5, 3, data)[5:]
    table = np.array([[times(a, b) for b in range(256)] for a in range(256)], np.uint8)
    for row, found in zip(parity_rows(5, 3), sums, strict=True):
        told = np.zeros_like(found)
        for coefficient, column in zip(row, data, strict=True):
            told ^= table[coefficient][column]
        assert (told == found).all()


def test_the_first_parity_is_the_exclusive_or_and_the_second_powers_of_two() -> None:
    assert parity_rows(4, 2) == ((1, 1, 1, 1), (1, 2, 4, 8))
    assert parity_rows(MOST, 0) == ()


@pytest.mark.parametrize(("k", "m"), [(0, 1), (1, -1), (200, 56)])
def test_columns_that_cannot_be(k: int, m: int) -> None:
    with pytest.raises(ValueError):
        parity_rows(k, m)


def test_as_many_parities_as_lost_columns() -> None:
    with pytest.raises(ValueError):
        repair_rows(3, 2, (0, 1), (0,))
