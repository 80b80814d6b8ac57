"""Warming of scenarios: the simple climate model FaIR over an ensemble of calibrated members, a chunk at a time.

FaIR 2.2 (Smith et al. 2018, doi:10.5194/gmd-11-2273-2018; Leach et al. 2021, doi:10.5194/gmd-14-3007-2021). Nothing is
fetched: emissions, forcing, species and members are files. A chunk of members is run and forgotten before the next:
what stays of it are warming and CO2, 12 bytes for each member, scenario and year. So memory is nearly that of a chunk.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.errors import BadInput
from casemate_climate_energy.quiet import quiet

__all__ = ["BASE", "Climate", "Files", "ensemble", "members_in", "scenarios_in"]

START = 1750
BASE = (1850, 1900)
"""What warming is counted from: the mean over these years, as the IPCC does."""
QUANTILES = (5.0, 50.0, 95.0)
Told = Callable[[int, int, str], None]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Files:
    """`members`: a row for each, its number first. `forcing`: volcanic and solar, where there is one."""

    members: Path
    emissions: Path
    species: Path
    forcing: Path | None = None


@dataclass(frozen=True, slots=True)
class Climate:
    """`warming`: K above the mean of `BASE`, (scenario, year, member). `emitted`: GtCO2 from 1750 on, (scenario, year).

    `co2`: ppm, the median of the members, (scenario, year); 0 where the run has no CO2.
    """

    scenarios: tuple[str, ...]
    years: NDArray[np.int64]
    warming: NDArray[np.float32]
    emitted: Floats
    co2: Floats

    def quantiles(self, scenario: str) -> Floats:
        """5, 50 and 95 % of the members, K, (3, year)."""
        return np.percentile(self.warming[self.scenarios.index(scenario)], QUANTILES, axis=1)

    def mean(self, scenario: str, first: int, last: int) -> Floats:
        """5, 50 and 95 % of the members' means over the years `first` to `last`, K."""
        return np.percentile(_over(self.warming[self.scenarios.index(scenario)], self.years, first, last), QUANTILES)


def scenarios_in(emissions: Path) -> list[str]:
    """The scenarios of a file of emissions, in its order. Raises BadInput."""
    with emissions.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        first = next(rows, [])
        if not first or first[0].strip().lower() != "scenario":
            raise BadInput(what="The first column of a file of emissions is scenario.")
        found = list(dict.fromkeys(row[0] for row in rows if row))
    if not found:
        raise BadInput(what="The file of emissions has no row.")
    return found


def members_in(members: Path) -> int:
    """How many members a file has."""
    with members.open(newline="", encoding="utf-8-sig") as file:
        return max(sum(1 for row in csv.reader(file) if row) - 1, 0)


def ensemble(
    files: Files, scenarios: Sequence[str], members: int, *, chunk: int, until: int, scratch: Path, told: Told
) -> Climate:
    """The first `members` members, `chunk` at a time, from 1750 to the year `until`. Raises BadInput."""
    known = scenarios_in(files.emissions)
    for scenario in scenarios:
        if scenario not in known:
            raise BadInput(what=f"There is no scenario {scenario[:80]}; there are {', '.join(known)[:400]}.")
    most = min(members, members_in(files.members))
    if most < 1:
        raise BadInput(what="The file of members has no row.")
    parts: list[NDArray[np.float32]] = []
    medians: list[Floats] = []
    for first in range(0, most, chunk):
        told(first, most, "members")
        rows = range(first, min(first + chunk, most))
        try:
            with quiet():
                warm, emitted, co2 = _chunk(files, scenarios, rows, until, scratch)
        except (ValueError, KeyError, AttributeError, TypeError, UnicodeError) as wrong:
            why = str(wrong)[:300]
            raise BadInput(what=f"FaIR cannot run these files: {why}") from wrong
        parts.append(warm)
        medians.append(co2)
    told(most, most, "members")
    years = np.arange(START, until + 1)
    warming = np.concatenate(parts, axis=2)
    return Climate(tuple(scenarios), years, warming, emitted, np.median(np.concatenate(medians, axis=2), axis=2))


def _chunk(
    files: Files, scenarios: Sequence[str], rows: range, until: int, scratch: Path
) -> tuple[NDArray[np.float32], Floats, Floats]:
    import pandas as pd
    from fair import FAIR
    from fair.interface import fill, initialise
    from fair.io import read_properties

    members = pd.read_csv(files.members, index_col=0).iloc[rows.start : rows.stop]
    species, properties = read_properties(str(files.species))
    # With carbon dioxide alone the overlaps of gases of meinshausen2020 have nothing to be taken from.
    method = "meinshausen2020" if {"CH4", "N2O"} <= set(species) else "leach2021"
    run = FAIR(ghg_method=method, ch4_method="thornhill2021")
    run.define_time(START, until + 1, 1)
    run.define_scenarios(list(scenarios))
    run.define_configs(list(members.index))
    run.define_species(species, properties)
    run.allocate()
    forcing = {} if files.forcing is None else {"forcing_file": str(files.forcing)}
    run.fill_from_csv(emissions_file=str(files.emissions), **forcing)
    for kind in ("Volcanic", "Solar"):
        if kind in species and f"forcing_scale[{kind}]" in members:
            scaled = run.forcing.sel(specie=kind) * members[f"forcing_scale[{kind}]"].to_numpy()
            fill(run.forcing, scaled, specie=kind)
    run.fill_species_configs(str(files.species))
    with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=scratch) as part:
        members.to_csv(part)
        part.flush()
        run.override_defaults(part.name)
    initialise(run.concentration, run.species_configs["baseline_concentration"])
    for each in (run.forcing, run.temperature, run.cumulative_emissions, run.airborne_emissions):
        initialise(each, 0)
    initialise(run.ocean_heat_content_change, 0)
    run.run(progress=False)
    return _taken(run, "CO2" in species)


def _taken(run: Any, carbon: bool) -> tuple[NDArray[np.float32], Floats, Floats]:
    """Warming, GtCO2 emitted (the same for every member), ppm; the last bound is the end of the last year."""
    surface = run.temperature.sel(layer=0).transpose("scenario", "timebounds", "config").to_numpy()[:, :-1]
    years = np.arange(START, START + surface.shape[1])
    warm = np.stack([one - _over(one, years, *BASE) for one in surface]).astype(np.float32)
    if not carbon:
        nothing = np.zeros((*surface.shape[:2], surface.shape[2]))
        return warm, nothing[:, :, 0], nothing
    emitted = run.cumulative_emissions.sel(specie="CO2").transpose("scenario", "timebounds", "config").to_numpy()
    co2 = run.concentration.sel(specie="CO2").transpose("scenario", "timebounds", "config").to_numpy()
    # Copies: a slice would hold all that the model has of every species, for as long as the slice is there.
    return warm, emitted[:, :-1, 0].copy(), co2[:, :-1].copy()


def _over(values: NDArray[Any], years: NDArray[np.int64], first: int, last: int) -> Floats:
    """The mean over whole years of values that stand at their bounds: the two outer bounds count half."""
    at = np.flatnonzero((years >= first) & (years <= last + 1))
    weights = np.ones(len(at))
    weights[0] = 0.5
    weights[-1] = 0.5 if years[at[-1]] == last + 1 else 1.0
    return np.asarray(np.average(values[at], axis=0, weights=weights), dtype=np.float64)
