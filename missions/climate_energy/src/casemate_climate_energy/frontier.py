"""What less CO2 costs: the same model under one cap after another, with what each point must satisfy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from casemate.missions import Check
from casemate_climate_energy.energy import Built, Solved, capped

__all__ = ["TOLERANCE", "Frontier", "Point", "checks_of", "frontier_of"]

TOLERANCE = 1e-6
"""Relative: of what two ways to the same number may differ by."""
Told = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Point:
    """`share`: the cap, of what is emitted without one; 1 for no cap."""

    share: float
    cap: float
    solved: Solved


@dataclass(frozen=True, slots=True)
class Frontier:
    """`points` from no cap downward; one alone where the network emits nothing. `energy`: MWh that are used."""

    name: str
    built: Built
    points: tuple[Point, ...]
    energy: float


def frontier_of(name: str, network: Any, shares: Sequence[float], budget: float | None, told: Told) -> Frontier:
    """Each share of what is emitted without a cap, the cap that the network came with, and the `budget`, t, if there is
    one. Raises BadInput."""
    emits, own = capped(network)
    built = Built(network)
    free = built.solve(None)
    points = [Point(1.0, math.inf, free)]
    wanted: dict[float, float] = {}
    if emits and free.emitted > 0:
        wanted = {share: share * free.emitted for share in shares if share < 1}
        wanted |= {cap / free.emitted: cap for cap in (own, budget) if cap is not None and 0 <= cap < free.emitted}
    order = sorted(wanted, reverse=True)
    for number, share in enumerate(order):
        told(number + 1, len(order) + 1, name)
        points.append(Point(share, wanted[share], built.solve(wanted[share])))
    return Frontier(name, built, tuple(points), _energy(network))


def checks_of(frontier: Frontier) -> list[Check]:
    """What any solution must hold, whoever made it: printed with every run."""
    costs = [point.solved.cost for point in frontier.points]
    gaps = [_apart(point.solved.cost, point.solved.dual) for point in frontier.points]
    over = [point for point in frontier.points if point.solved.emitted > point.cap * (1 + TOLERANCE) + 1e-3]
    rising = all(after >= before - TOLERANCE * abs(before) for before, after in pairwise(costs))
    name = frontier.name
    return [
        Check(f"{name}: primal = dual", "strong duality", max(gaps) <= TOLERANCE, f"{max(gaps):.1e}"),
        Check(f"{name}: cost rises as the cap falls", "monotone", rising, ", ".join(f"{cost:.6g}" for cost in costs)),
        Check(f"{name}: no more is emitted than the cap", "cap", not over, f"{len(over)}"),
    ]


def _apart(one: float, other: float) -> float:
    return abs(one - other) / max(abs(one), abs(other), 1e-9)


def _energy(network: Any) -> float:
    """MWh that the loads take over the weighted snapshots."""
    demand = network.get_switchable_as_dense("Load", "p_set").sum(axis=1)
    return float((demand * network.snapshot_weightings.generators).sum())
