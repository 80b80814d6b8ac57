"""Through the shared program, as a job runs it: files in, files out, no socket."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.errors import BadInput

Ran = Callable[..., dict[str, Any]]
Roles = dict[str, list[Path]]


def rows(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_exercise_runs_and_runs_again(ran: Ran, exercise: Roles) -> None:
    asked = {"parameters": {"beside": ["falling"], "member_count": 12, "share": 1e-5}}
    one, other = ran(exercise, "one", **asked), ran(exercise, "other", **asked)
    assert one["digest"] == other["digest"]
    assert all(row["passed"] == "true" for row in rows(one["out"], "checks"))
    frontier = rows(one["out"], "frontier.fleet")
    assert float(frontier[-1]["emitted_t"]) == 0
    assert one["figures"]["fleet_cap_t_per_year"] in [round(float(row["cap_t"]), 1) for row in frontier if row["cap_t"]]
    page = (one["out"] / "report.html").read_text()
    assert page.count("UNCLASSIFIED") >= 2
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_a_public_frontier_does_not_know_of_a_restricted_grid(ran: Ran, data: Path) -> None:
    """Mutant: one table for every network, or caps that are shares of what all of them emit."""
    public, restricted = data / "pypsa/ac-dc-meshed.nc", data / "pypsa/scigrid-de.nc"
    alone = ran({"network": [public]}, "alone")
    beside = ran({"network": [public, restricted]}, "beside", parameters={"caps": [0.5, 0.2, 0.05, 0.0]})
    for name in ("frontier.network1", "capacities.network1", "dispatch.network1"):
        assert (alone["out"] / f"tables/{name}.csv").read_bytes() == (beside["out"] / f"tables/{name}.csv").read_bytes()
    assert (beside["out"] / "tables/frontier.network2.csv").exists()


def test_french_and_an_estimate(ran: Ran, exercise: Roles) -> None:
    from casemate_climate_energy import ClimateEnergy

    told = ran({"weather": exercise["weather"]}, language="fr")
    assert "Choix de modélisation" in (told["out"] / "report.html").read_text()
    mission = ClimateEnergy()
    small = mission.need(mission.parameters(), {"weather": 18_000})
    large = mission.need(mission.parameters(), {"weather": 1_800_000, "members": 3_000_000, "network": 3_000_000})
    assert small.memory_mb < large.memory_mb
    assert small.wall_s < large.wall_s
    few, many = (mission.parameters(member_count=count) for count in (841, 100_000))
    sizes = {"members": 3_000_000}
    assert mission.need(many, sizes).memory_mb - mission.need(few, sizes).memory_mb > 99_000 * 351 * 12 / 1e6


@pytest.mark.parametrize("roles", [(), ("members",), ("members", "species")])
def test_what_is_missing_is_said(ran: Ran, exercise: Roles, roles: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        ran({role: exercise[role] for role in roles})
