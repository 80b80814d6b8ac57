"""The points of a sweep: every combination, random ones, or those of Sobol. Pure; the same file, the same points.

    [parameters]
    rate = {from = 1e-4, to = 1e-1, scale = "log"}      a stretch of numbers; steps = 4 for a grid
    size = {values = [64, 128, 256]}                    any of these
    seed = {from = 1, to = 100, integer = true}

A grid takes every combination in the order of the file, the last parameter moving fastest. Random points come from the
seed and the number of the point alone, so that more points leave those before them as they were. Sobol's sequence has
the direction numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections",
SIAM J. Sci. Comput. 30 (2008), file new-joe-kuo-6.21201, dimensions 1 to 21; its first point, the origin, is kept.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Literal

import msgspec

from casemate.errors import BadInput

__all__ = ["MOST", "Parameter", "Point", "Space", "points"]

MOST = 10_000
Value = str | int | float | bool
Point = dict[str, Value]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_BITS = 32
# degree of the primitive polynomial, its inner coefficients, and the first direction numbers, from dimension 2 on
_JOE_KUO: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
    (5, 14, (1, 3, 5, 5, 31)),
    (6, 1, (1, 3, 3, 9, 7, 49)),
    (6, 13, (1, 1, 1, 15, 21, 21)),
    (6, 16, (1, 3, 1, 13, 27, 49)),
    (6, 19, (1, 1, 1, 15, 7, 5)),
    (6, 22, (1, 3, 1, 15, 13, 25)),
    (6, 25, (1, 1, 5, 5, 19, 61)),
    (7, 1, (1, 3, 7, 11, 23, 15, 103)),
    (7, 4, (1, 3, 7, 13, 13, 15, 69)),
)
DIMENSIONS = len(_JOE_KUO) + 1


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"low": "from", "high": "to"}):
    """Either `values`, or all numbers from `low` to `high`, both included. `steps`: how many of them a grid takes."""

    values: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False
    steps: int = 0


class Space(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count`: how many points random and sobol take; a grid takes all of them.

    `only`: of these points those of these indexes, in rising order; none says all.
    """

    parameters: dict[str, Parameter]
    method: Literal["grid", "random", "sobol"] = "grid"
    count: int = 0
    seed: int = 0
    only: tuple[int, ...] = ()


def points(space: Space) -> list[Point]:
    """Its points, 2 to 10,000, or those that it goes over `only`. Raises BadInput, naming the parameter."""
    found = _all(space)
    if not space.only:
        return found
    if list(space.only) != sorted(set(space.only)) or not 0 <= space.only[0] <= space.only[-1] < len(found):
        raise BadInput(what="only has indexes of points, each once and in rising order.")
    return [found[at] for at in space.only]


def _all(space: Space) -> list[Point]:
    _checked(space)
    if space.method == "grid":
        return _grid(space.parameters)
    if not 2 <= space.count <= MOST:
        raise BadInput(what=f"A sweep has 2 to {MOST} points: count says how many.")
    if space.method == "random":
        rows: Iterator[Sequence[float]] = (
            [_drawn(space.seed, at, name) for name in space.parameters] for at in range(space.count)
        )
    else:
        if len(space.parameters) > DIMENSIONS:
            raise BadInput(what=f"Sobol's sequence is here for {DIMENSIONS} parameters at most.")
        rows = _sobol(len(space.parameters), space.count)
    return [
        {name: _at(parameter, unit) for (name, parameter), unit in zip(space.parameters.items(), row, strict=True)}
        for row in rows
    ]


def _checked(space: Space) -> None:
    if not 1 <= len(space.parameters) <= 64:
        raise BadInput(what="A sweep has 1 to 64 parameters.")
    for name, one in space.parameters.items():
        if not _NAME.fullmatch(name):
            raise BadInput(what=f"A parameter's name has letters, digits and '_': {name[:64]!r}.")
        if one.values:
            if one.low is not None or one.high is not None or one.steps:
                raise BadInput(what=f"Parameter {name} has values, or from and to, and not both.")
            if len(one.values) > MOST or any(isinstance(v, float) and not math.isfinite(v) for v in one.values):
                raise BadInput(what=f"Parameter {name} has at most {MOST} values, all of them finite.")
        else:
            _stretch(name, one)


def _stretch(name: str, one: Parameter) -> None:
    if one.low is None or one.high is None or not math.isfinite(one.low) or not math.isfinite(one.high):
        raise BadInput(what=f"Parameter {name} needs values, or from and to.")
    if not one.low < one.high or (one.scale == "log" and one.low <= 0):
        raise BadInput(what=f"Parameter {name} goes from less to more; on a log scale from more than 0.")
    if one.integer and (one.low != int(one.low) or one.high != int(one.high) or abs(one.high) > 2**53):
        raise BadInput(what=f"Parameter {name} is whole, so from and to are.")
    if not math.isfinite(one.high - one.low):
        raise BadInput(what=f"Parameter {name} stretches too far.")


def _grid(parameters: Mapping[str, Parameter]) -> list[Point]:
    axes: list[list[Value]] = []
    size = 1
    for name, one in parameters.items():
        if not one.values and not 2 <= one.steps <= MOST:
            raise BadInput(what=f"Parameter {name} of a grid needs steps, from 2 on.")
        size *= len(one.values) or one.steps
        if size > MOST:
            raise BadInput(what=f"The grid has more than {MOST} points; random and sobol take as many as count says.")
        steps = [_number(one, at / (one.steps - 1)) for at in range(one.steps)] if not one.values else []
        axes.append(list(dict.fromkeys(steps)) if steps else list(one.values))
    found = [dict(zip(parameters, row, strict=True)) for row in product(*axes)]
    if len(found) < 2:
        raise BadInput(what="A sweep has at least 2 points.")
    return found


def _at(one: Parameter, unit: float) -> Value:
    """What lies at `unit`, 0 <= unit < 1."""
    if one.values:
        return one.values[int(unit * len(one.values))]
    if one.integer and one.scale == "linear" and one.low is not None and one.high is not None:
        return int(one.low) + int(unit * (int(one.high) - int(one.low) + 1))  # each as likely as the next
    return _number(one, unit)


def _number(one: Parameter, unit: float) -> float | int:
    """What lies at `unit` of a stretch, 0 <= unit <= 1; never beyond its ends."""
    assert one.low is not None
    assert one.high is not None
    if one.scale == "log":
        value = math.exp(math.log(one.low) + unit * (math.log(one.high) - math.log(one.low)))
    else:
        value = one.low + unit * (one.high - one.low)
    value = min(max(value, one.low), one.high)
    return round(value) if one.integer else value


def _drawn(seed: int, at: int, name: str) -> float:
    """53 bits of a digest: a point does not depend on how many there are, nor on the other parameters."""
    digest = hashlib.sha256(f"{seed}/{at}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 11) / (1 << 53)


def _sobol(dimensions: int, count: int) -> Iterator[list[float]]:
    """In the order of Gray codes (I. A. Antonov and V. M. Saleev, 1979): one exclusive-or for each coordinate."""
    directions = [_directions(dimension) for dimension in range(dimensions)]
    now = [0] * dimensions
    for at in range(count):
        yield [value / (1 << _BITS) for value in now]
        lowest = (~at & (at + 1)).bit_length() - 1
        now = [value ^ direction[lowest] for value, direction in zip(now, directions, strict=True)]


def _directions(dimension: int) -> list[int]:
    if dimension == 0:
        return [1 << (_BITS - 1 - bit) for bit in range(_BITS)]
    degree, inner, first = _JOE_KUO[dimension - 1]
    found = [value << (_BITS - 1 - bit) for bit, value in enumerate(first)]
    for bit in range(degree, _BITS):
        value = found[bit - degree] ^ (found[bit - degree] >> degree)
        for step in range(1, degree):
            if inner >> (degree - 1 - step) & 1:
                value ^= found[bit - step]
        found.append(value)
    return found
