"""From warming to a cap: the chain's choices of modelling, each a parameter, none a fact.

Warming goes with the CO2 emitted until then (IPCC AR6 WG1, chapter 5.5.2.1: near-linear); the slope is taken from the
scenario itself. What is left to a target is given to the fleet by its share, in equal parts over the years.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate_climate_energy.climate import Climate

__all__ = ["Budget", "budget_of"]


@dataclass(frozen=True, slots=True)
class Budget:
    """`slope`: K for each 1,000 GtCO2. `left`: GtCO2 from `year` on to the target. `cap`: t a year for the fleet."""

    year: int
    warming: float
    slope: float
    left: float
    cap: float


def budget_of(climate: Climate, scenario: str, *, year: int, target: float, share: float, years: int) -> Budget:
    """The median member's budget. Nothing is left where the target has been passed."""
    row = climate.scenarios.index(scenario)
    median = climate.quantiles(scenario)[1]
    early = int((climate.years == 1875).argmax())
    now = int((climate.years == year).argmax())
    emitted = climate.emitted[row]
    warming = float(climate.mean(scenario, year - 9, year)[1])
    apart = float(emitted[now] - emitted[early])
    slope = 1000.0 * float(median[now] - median[early]) / apart if apart > 0 else 0.0
    left = max(0.0, (target - warming) / slope * 1000.0) if slope > 0 else 0.0
    return Budget(year, warming, slope, left, left * 1e9 * share / years)
