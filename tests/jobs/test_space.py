"""The points of a sweep: all of a grid, random ones that stay as they were, and Sobol's as others compute them."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.jobs.space import DIMENSIONS, MOST, Parameter, Space, points

UNIT = Parameter(low=0.0, high=1.0)
# Times 64: the first 21 coordinates of scipy 1.17.1, scipy.stats.qmc.Sobol(21, scramble=False)
BY_SCIPY = {
    1: [32] * 21,
    2: [48, 16, 16, 16, 48, 48, 16, 48, 48, 48, 48, 48, 16, 16, 48, 16, 48, 16, 48, 16, 16],
    5: [56, 56, 8, 24, 56, 40, 56, 24, 24, 8, 24, 56, 56, 8, 56, 24, 56, 24, 24, 40, 40],
    31: [2, 34, 58, 62, 62, 50, 22, 34, 10, 38, 2, 22, 62, 14, 42, 54, 14, 26, 38, 46, 26],
    63: [1, 51, 23, 29, 55, 9, 37, 9, 53, 37, 27, 43, 35, 49, 21, 49, 5, 25, 61, 15, 15],
}


def read(text: str) -> Space:
    return msgspec.toml.decode(text, type=Space)


def test_a_grid_is_every_combination_the_last_parameter_fastest() -> None:
    space = read("""
        [parameters]
        size = {values = [64, 128]}
        rate = {from = 0.001, to = 0.1, scale = "log", steps = 3}
    """)
    found = points(space)
    assert [one["size"] for one in found] == [64] * 3 + [128] * 3
    assert [one["rate"] for one in found[:3]] == pytest.approx([0.001, 0.01, 0.1])


def test_sobols_points_are_those_of_others() -> None:
    found = points(Space({f"x{at}": UNIT for at in range(DIMENSIONS)}, "sobol", 64))
    for at, expected in BY_SCIPY.items():
        assert [int(float(value) * 64) for value in found[at].values()] == expected


@given(st.integers(1, 6), st.integers(1, DIMENSIONS))
def test_each_coordinate_of_sobol_meets_each_part_of_its_stretch_once(bits: int, dimensions: int) -> None:
    """A net in base 2: of the first 2**k points one lies in each of 2**k equal parts of every axis."""
    found = points(Space({f"x{at}": UNIT for at in range(dimensions)}, "sobol", 1 << bits))
    for name in found[0]:
        assert sorted(int(float(one[name]) * (1 << bits)) for one in found) == list(range(1 << bits))


@given(st.integers(), st.integers(2, 50), st.integers(2, 50))
def test_more_random_points_leave_those_before_them(seed: int, fewer: int, more: int) -> None:
    space = Space({"x": UNIT, "y": Parameter(values=("a", "b", "c"))}, "random", 0, seed)
    some, all_ = sorted((fewer, more))
    first = points(msgspec.structs.replace(space, count=some))
    assert points(msgspec.structs.replace(space, count=all_))[:some] == first


@given(
    st.floats(1e-300, 1e300),
    st.floats(1e-300, 1e300),
    st.sampled_from(["linear", "log"]),
    st.sampled_from(["grid", "random", "sobol"]),
)
def test_no_point_lies_beyond_its_stretch(one: float, other: float, scale: str, method: str) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    parameter = Parameter(low=low, high=high, scale=scale, steps=5)  # type: ignore[arg-type]
    found = points(Space({"x": parameter, "y": Parameter(values=(1, 2))}, method, 16))  # type: ignore[arg-type]
    assert all(low <= float(point["x"]) <= high for point in found)


def test_whole_numbers_are_whole_and_both_ends_are_met() -> None:
    found = points(Space({"n": Parameter(low=1, high=3, integer=True)}, "random", 300, 7))
    assert {point["n"] for point in found} == {1, 2, 3}
    assert points(Space({"n": Parameter(low=1, high=3, integer=True, steps=9)})) == [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parameters = {}", "1 to 64"),
        ('[parameters]\n"a b" = {values = [1, 2]}', "name"),
        ("[parameters]\na = {}", "values, or from and to"),
        ("[parameters]\na = {values = [1, 2], from = 1.0}", "not both"),
        ("[parameters]\na = {values = [nan, 2.0]}", "finite"),
        ("[parameters]\na = {from = 2, to = 1, steps = 2}", "from less to more"),
        ('[parameters]\na = {from = 0, to = 1, scale = "log", steps = 2}', "more than 0"),
        ("[parameters]\na = {from = 0.5, to = 2, integer = true, steps = 2}", "whole"),
        ("[parameters]\na = {from = -1.7e308, to = 1.7e308, steps = 2}", "too far"),
        ("[parameters]\na = {from = 0, to = 1}", "steps"),
        ("[parameters]\na = {values = [1]}", "at least 2"),
        ("[parameters]\na = {from = 0, to = 1, steps = 101}\nb = {from = 0, to = 1, steps = 100}", str(MOST)),
        ('method = "random"\n[parameters]\na = {values = [1, 2]}', "count"),
        ('method = "sobol"\ncount = 10001\n[parameters]\na = {values = [1, 2]}', "count"),
    ],
)
def test_what_is_no_space_is_said_to_be_none(text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        points(read(text))
    assert told in str(refused.value.facts["what"])


def test_sobol_has_an_end() -> None:
    with pytest.raises(BadInput):
        points(Space({f"x{at}": UNIT for at in range(DIMENSIONS + 1)}, "sobol", 4))


def test_what_is_unknown_in_the_file_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        read("[parameters]\na = {values = [1, 2], step = 3}")
    assert math.isclose(float(points(read("[parameters]\na={from=0,to=1,steps=3}"))[1]["a"]), 0.5)
