"""What a run found, as tables. Each network's rows depend on that network alone, whatever stands beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from casemate.missions import Check, Result, Table
from casemate_climate_energy.budget import Budget
from casemate_climate_energy.climate import Climate
from casemate_climate_energy.frontier import Frontier, checks_of

__all__ = ["Found"]

Row = tuple[Any, ...]
WEEK = 168.0
DIGITS = 9


@dataclass
class Found:
    """Filled part by part; `result` gives it. One set of tables for each network, named after it."""

    _tables: dict[str, Table] = field(default_factory=dict)
    _figures: dict[str, float | int | str] = field(default_factory=dict)
    _checks: list[Check] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self._tables

    def climate(self, climate: Climate, budget: Budget) -> None:
        rows: list[Row] = []
        for number, scenario in enumerate(climate.scenarios):
            low, median, high = climate.quantiles(scenario)
            told = zip(climate.years, low, median, high, climate.emitted[number], climate.co2[number], strict=True)
            rows += [(scenario, int(year), *(round(float(value), 4) for value in values)) for year, *values in told]
        columns = ("scenario", "year", "k_05", "k_50", "k_95", "gt_co2_emitted", "ppm_co2")
        self._tables["warming"] = Table(columns, rows)
        first = climate.scenarios[0]
        low, median, high = (round(float(value), 3) for value in climate.mean(first, 2011, 2020))
        self._figures |= {
            "members": int(climate.warming.shape[2]),
            "warming_2011_2020_k_05": low,
            "warming_2011_2020_k_50": median,
            "warming_2011_2020_k_95": high,
            "k_per_1000_gt_co2": round(budget.slope, 4),
            "gt_co2_left": round(budget.left, 1),
            "fleet_cap_t_per_year": round(budget.cap, 1),
        }

    def supply(self, frontier: Frontier) -> None:
        name = frontier.name
        rows: list[Row] = []
        for point in frontier.points:
            solved = point.solved
            cap = "" if math.isinf(point.cap) else round(point.cap, 3)
            per = solved.cost / frontier.energy if frontier.energy else 0.0
            rows.append(
                (
                    _short(point.share),
                    cap,
                    _short(solved.cost),
                    _short(per),
                    _short(solved.emitted),
                    _short(solved.price),
                )
            )
        columns = ("cap_share", "cap_t", "cost", "cost_per_mwh", "emitted_t", "price_per_t")
        self._tables[f"frontier.{name}"] = Table(columns, rows)
        self._tables[f"capacities.{name}"] = _capacities(frontier)
        self._tables[f"dispatch.{name}"] = _dispatch(frontier)
        self._checks += checks_of(frontier)
        size = frontier.built.size
        self._figures |= {
            f"{name}_cost": _short(frontier.points[0].solved.cost),
            f"{name}_rows": size[0],
            f"{name}_columns": size[1],
        }

    def result(self) -> Result:
        checks = [(one.what, one.against, one.passed, one.told) for one in self._checks]
        tables = {**self._tables, "checks": Table(("what", "against", "passed", "told"), checks)}
        return Result(tables=tables, figures=self._figures)


def _capacities(frontier: Frontier) -> Table:
    """What is built under each cap, by kind of plant; two optima of equal cost may be built differently."""
    rows: list[Row] = []
    network = frontier.built.network
    for point in frontier.points:
        for part, unit, what, table in (
            ("Generator-p_nom", "MW", "generator", network.generators),
            ("Link-p_nom", "MW", "link", network.links),
            ("Store-e_nom", "MWh", "store", network.stores),
            ("StorageUnit-p_nom", "MW", "storage", network.storage_units),
            ("Line-s_nom", "MVA", "line", network.lines),
        ):
            values = frontier.built.values(part, point.solved.x)
            if values is None:
                continue
            sums: dict[str, float] = {}
            for plant, value in zip(values.coords["name"].values, values.values.ravel(), strict=True):
                carrier = str(table.carrier.get(plant, "") or what)
                sums[carrier] = sums.get(carrier, 0.0) + float(value)
            rows += [
                (_short(point.share), what, carrier, round(value, 3) + 0.0, unit) for carrier, value in sums.items()
            ]
    return Table(("cap_share", "part", "carrier", "built", "unit"), rows)


def _dispatch(frontier: Frontier) -> Table:
    """The first week under the lowest cap, by carrier, MW."""
    built, point = frontier.built, frontier.points[-1]
    values = built.values("Generator-p", point.solved.x)
    if values is None:
        return Table(("hour", "carrier", "mw"), [])
    network = built.network
    step = float(network.snapshot_weightings.stores.iloc[0])
    carriers = [str(network.generators.carrier[name]) for name in values.coords["name"].values]
    rows: list[Row] = []
    for number in range(min(len(network.snapshots), max(1, int(WEEK / step)))):
        sums: dict[str, float] = {}
        for carrier, value in zip(carriers, values.values[number], strict=True):
            sums[carrier] = sums.get(carrier, 0.0) + float(value)
        rows += [(number * step, carrier, round(value, 3) + 0.0) for carrier, value in sums.items()]
    return Table(("hour", "carrier", "mw"), rows)


def _short(value: float) -> float:
    """Nine digits: what two machines agree on."""
    return float(f"{value:.{DIGITS}g}") + 0.0
