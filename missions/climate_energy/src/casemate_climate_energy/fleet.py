"""The supply of a fleet of data centres: zones with weather of their own, demand that is cooled, stores, and a grid.

Every figure of cost is a parameter of the mission and an assumption: none is a forecast.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.errors import BadInput

__all__ = ["Costs", "Fleet", "Weather", "built", "weather_of"]

YEAR = 8760.0
MOST_STEPS = 200_000


@dataclass(frozen=True, slots=True)
class Weather:
    """`wind`, `solar`: share of what a plant could give, (zone, step); `warmth`: degrees Celsius; `step`: hours."""

    wind: tuple[tuple[float, ...], ...]
    solar: tuple[tuple[float, ...], ...]
    warmth: tuple[tuple[float, ...], ...]
    step: float

    @property
    def steps(self) -> int:
        return len(self.wind[0])


@dataclass(frozen=True, slots=True)
class Costs:
    """By the year and MW (`..._mw`) or MWh of store (`..._mwh`), and by the MWh made (`gas`, `shed`)."""

    wind_mw: float
    solar_mw: float
    gas_mw: float
    gas: float
    battery_mw: float
    battery_mwh: float
    electrolysis_mw: float
    turbine_mw: float
    hydrogen_mwh: float
    shed: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """`load`: MW of the machines, flat, over all zones. `pue`: all power over that of the machines, at `mild` degrees
    or less; `cooling`: how much it rises for each degree above. `flexible`: the share that may be moved by `hours`;
    `sheddable`: the share that may be left undone. `grid`: MW between two zones. `intensity`: t CO2 by MWh of gas.
    """

    load: float
    pue: float
    cooling: float
    mild: float
    flexible: float
    hours: float
    sheddable: float
    grid: float
    intensity: float


def weather_of(path: Path, every: int) -> Weather:
    """A table of zone, hour, wind, solar and temperature, or a network with profiles; `every`: hours in one step.

    Raises BadInput for a value that is no share, an hour that is missing, or zones that are not as long as each other.
    """
    from casemate_climate_energy.energy import is_netcdf

    hourly = _of_network(path) if is_netcdf(path) else _of_table(path)
    step = max(1, round(every / hourly.step))

    def thinned(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
        whole = range(0, len(rows[0]) - len(rows[0]) % step, step)
        return tuple(tuple(math.fsum(row[at : at + step]) / step for at in whole) for row in rows)

    if hourly.steps < step:
        raise BadInput(what="The weather is shorter than one step.")
    return Weather(thinned(hourly.wind), thinned(hourly.solar), thinned(hourly.warmth), hourly.step * step)


def _of_table(path: Path) -> Weather:
    zones: dict[str, list[tuple[float, float, float]]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not {"zone", "hour", "wind", "solar", "temperature"} <= set(rows.fieldnames or ()):
            raise BadInput(what="The weather has the columns zone, hour, wind, solar and temperature.")
        for number, row in enumerate(rows, 2):
            held = zones.setdefault(row["zone"], [])
            try:
                hour, values = int(row["hour"]), tuple(float(row[name]) for name in ("wind", "solar", "temperature"))
            except (TypeError, ValueError):
                raise BadInput(what=f"Line {number} of the weather holds no numbers.") from None
            if hour != len(held) or len(held) >= MOST_STEPS:
                raise BadInput(what=f"Line {number} of the weather: its hours count up from 0, without a gap.")
            if not all(map(math.isfinite, values)) or not (0 <= values[0] <= 1 and 0 <= values[1] <= 1):
                raise BadInput(what=f"Line {number} of the weather: wind and solar are shares from 0 to 1.")
            held.append(values)
    if not zones or len({len(held) for held in zones.values()}) != 1:
        raise BadInput(what="Every zone of the weather has the same hours.")
    wind, solar, warmth = (tuple(tuple(hour[at] for hour in held) for held in zones.values()) for at in range(3))
    return Weather(wind, solar, warmth, 1.0)


def _of_network(path: Path) -> Weather:
    """The profiles of a network: the mean of its wind and of its solar plants; without temperatures, 15 degrees."""
    from casemate_climate_energy.energy import network_of

    network = network_of(path)
    profiles = network.generators_t.p_max_pu

    def mean(carrier: str) -> tuple[float, ...]:
        names = [name for name in profiles.columns if carrier in str(network.generators.carrier[name]).lower()]
        if not names:
            raise BadInput(what=f"The network has no profile of {carrier}.")
        return tuple(float(value) for value in profiles[names].mean(axis=1).clip(0, 1))

    wind, solar = mean("wind"), mean("solar")
    step = float(network.snapshot_weightings.stores.iloc[0])
    return Weather((wind,), (solar,), ((15.0,) * len(wind),), step)


def built(fleet: Fleet, costs: Costs, weather: Weather) -> Any:
    """The network, in MW, for a year: a shorter stretch of weather stands for the whole of it."""
    import numpy as np
    import pypsa

    network = pypsa.Network()
    network.set_snapshots(range(weather.steps))
    network.snapshot_weightings["stores"] = weather.step
    for name in ("objective", "generators"):
        network.snapshot_weightings[name] = YEAR / weather.steps
    for carrier, emitted in (("wind", 0.0), ("solar", 0.0), ("gas", fleet.intensity), ("shed", 0.0), ("power", 0.0)):
        network.add("Carrier", carrier, co2_emissions=emitted)
    network.add("Carrier", ["hydrogen", "battery"])
    many = len(weather.wind)
    load = fleet.load / many
    for zone in range(many):
        bus, end = f"zone{zone + 1}", f" {zone + 1}"
        warmth = np.asarray(weather.warmth[zone])
        demand = load * (fleet.pue + fleet.cooling * np.clip(warmth - fleet.mild, 0, None))
        network.add("Bus", bus, carrier="power")
        network.add("Load", "machines" + end, bus=bus, p_set=demand)
        for carrier, profile, cost in (
            ("wind", weather.wind[zone], costs.wind_mw),
            ("solar", weather.solar[zone], costs.solar_mw),
        ):
            plant = {"p_nom_extendable": True, "capital_cost": cost, "p_max_pu": np.asarray(profile)}
            network.add("Generator", carrier + end, bus=bus, carrier=carrier, **plant)
        network.add(
            "Generator", "gas" + end, bus=bus, carrier="gas", p_nom_extendable=True, capital_cost=costs.gas_mw,
            marginal_cost=costs.gas,
        )  # fmt: skip
        if fleet.sheddable:
            shed = {"p_nom": load * fleet.sheddable, "marginal_cost": costs.shed}
            network.add("Generator", "shed" + end, bus=bus, carrier="shed", **shed)
        if fleet.flexible:
            moved = {"p_nom": load * fleet.flexible, "max_hours": fleet.hours, "cyclic_state_of_charge": True}
            network.add("StorageUnit", "moved" + end, bus=bus, carrier="power", **moved)
        _stores(network, bus, end, costs)
        if zone:
            line = {"p_nom": fleet.grid, "p_min_pu": -1.0}
            network.add("Link", f"grid {zone} {zone + 1}", bus0=f"zone{zone}", bus1=bus, carrier="power", **line)
    return network


def _stores(network: Any, bus: str, end: str, costs: Costs) -> None:
    """A battery, and hydrogen: made, kept and burnt."""
    for kind, carrier, charge, back, fill, empty, room in (
        ("battery", "battery", costs.battery_mw, 0.0, 0.96, 0.96, costs.battery_mwh),
        ("hydrogen", "hydrogen", costs.electrolysis_mw, costs.turbine_mw, 0.62, 0.58, costs.hydrogen_mwh),
    ):
        held = f"{kind}{end}"
        network.add("Bus", held, carrier=carrier)
        network.add("Store", held, bus=held, e_nom_extendable=True, e_cyclic=True, capital_cost=room, carrier=carrier)
        each = {"p_nom_extendable": True, "carrier": carrier}
        network.add("Link", f"{kind} in{end}", bus0=bus, bus1=held, efficiency=fill, capital_cost=charge, **each)
        network.add("Link", f"{kind} out{end}", bus0=held, bus1=bus, efficiency=empty, capital_cost=back, **each)
