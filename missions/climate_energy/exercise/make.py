"""The exercise: two weeks of weather in two zones, and a climate of carbon dioxide alone with twelve members.

All of it is made up here, by rule: it looks real and is not. Partition fractions and lifetimes of CO2
are those of Leach et al. 2021 (doi:10.5194/gmd-14-3007-2021), table 2.
"""

from __future__ import annotations

import csv
import hashlib
import math
from pathlib import Path

HERE = Path(__file__).parent
HOURS = 336
MEMBERS = 12
NOT = "nan"


def drawn(*name: object) -> float:
    """From 0 to 1, the same for the same name."""
    return int.from_bytes(hashlib.sha256(repr(name).encode()).digest()[:6], "big") / 2**48


def weather() -> list[list[object]]:
    rows: list[list[object]] = [["zone", "hour", "wind", "solar", "temperature"]]
    for number, zone in enumerate(("north", "south")):
        for hour in range(HOURS):
            sun = max(0.0, math.sin(math.pi * ((hour % 24) - 6) / 12)) * (0.3 + 0.2 * number)
            cloud = 0.6 + 0.4 * drawn(zone, "cloud", hour // 6)
            front = 0.5 + 0.45 * math.sin(2 * math.pi * (hour + 31 * number) / 97) * math.cos(2 * math.pi * hour / 41)
            gust = 0.15 * (drawn(zone, "gust", hour) - 0.5)
            warmth = 12 + 6 * number + 7 * math.sin(2 * math.pi * ((hour % 24) - 9) / 24)
            wind = min(1.0, max(0.0, (front + gust) * (0.55 - 0.2 * number)))
            rows.append([zone, hour, round(wind, 4), round(sun * cloud, 4), round(warmth, 2)])
    return rows


def emissions() -> list[list[object]]:
    """Two scenarios that part in 2025: one falls to nothing by 2060, one stays."""
    years = range(1750, 2101)
    rows: list[list[object]] = [["scenario", "region", "variable", "unit", *(year + 0.5 for year in years)]]
    for name in ("medium-extension", "falling"):
        values = []
        for year in years:
            value = 40.0 * math.exp(-(((2025 - min(year, 2025)) / 62.0) ** 2))
            if name == "falling" and year > 2025:
                value *= max(0.0, 1 - (year - 2025) / 35)
            values.append(round(value, 3))
        rows.append([name, "World", "CO2", "Gt CO2/yr", *values])
    return rows


def species() -> list[list[object]]:
    carbon: dict[str, object] = {
        "name": "CO2", "type": "co2", "input_mode": "emissions", "greenhouse_gas": 1,
        "aerosol_chemistry_from_emissions": 0, "aerosol_chemistry_from_concentration": 0,
        "partition_fraction0": 0.2173, "partition_fraction1": 0.2240, "partition_fraction2": 0.2824,
        "partition_fraction3": 0.2763, "unperturbed_lifetime0": 1e9, "unperturbed_lifetime1": 394.4,
        "unperturbed_lifetime2": 36.54, "unperturbed_lifetime3": 4.304, "tropospheric_adjustment": 0.05,
        "forcing_efficacy": 1, "forcing_temperature_feedback": 0, "forcing_scale": 1, "molecular_weight": 44.009,
        "baseline_concentration": 278.3, "forcing_reference_concentration": 278.3, "iirf_0": 32, "iirf_airborne": 0,
        "iirf_uptake": 0, "iirf_temperature": 4, "baseline_emissions": 0, "g1": NOT, "g0": NOT,
        "greenhouse_gas_radiative_efficiency": 1.33e-05, "h2o_stratospheric_factor": 0,
        "lapsi_radiative_efficiency": NOT, "land_use_cumulative_emissions_to_forcing": NOT, "cl_atoms": 0,
        "br_atoms": 0,
        "fractional_release": 0, "ch4_lifetime_chemical_sensitivity": 0, "lifetime_temperature_sensitivity": NOT,
        "contrails_radiative_efficiency": NOT, "erfari_radiative_efficiency": NOT, "ozone_radiative_efficiency": 0,
        "aci_shape": NOT, "aci_scale": NOT,
    }  # fmt: skip
    return [list(carbon), list(carbon.values())]


def members() -> list[list[object]]:
    spread: dict[str, tuple[float, float]] = {
        "gamma_autocorrelation": (0.8, 0.8), "ocean_heat_capacity[0]": (3.5, 5.5), "ocean_heat_capacity[1]": (12, 25),
        "ocean_heat_capacity[2]": (60, 110), "ocean_heat_transfer[0]": (0.9, 1.5), "ocean_heat_transfer[1]": (1.8, 2.8),
        "ocean_heat_transfer[2]": (0.6, 1.1), "deep_ocean_efficacy": (1.0, 1.4), "sigma_eta": (0.5, 0.5),
        "sigma_xi": (0.5, 0.5), "forcing_4co2": (7.2, 8.4), "iirf_0[CO2]": (30, 36), "iirf_uptake[CO2]": (0, 0.003),
        "iirf_temperature[CO2]": (2, 6), "iirf_airborne[CO2]": (0, 0.002), "baseline_concentration[CO2]": (277, 280),
    }  # fmt: skip
    rows: list[list[object]] = [["", *spread, "seed", "use_seed", "stochastic_run"]]
    for number in range(MEMBERS):
        values = [round(low + (high - low) * drawn(name, number), 5) for name, (low, high) in spread.items()]
        rows.append([number, *values, number, "TRUE", "FALSE"])
    return rows


def main() -> None:
    for name, made in (("weather", weather), ("emissions", emissions), ("species", species), ("members", members)):
        with (HERE / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(made())


if __name__ == "__main__":
    main()
