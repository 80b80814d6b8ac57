"""Optima of three networks, an independent solver, and what any solution must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casemate.errors import BadInput
from casemate_climate_energy.energy import Built, capped, network_of
from casemate_climate_energy.fleet import Costs, Fleet, Weather, built, weather_of
from casemate_climate_energy.frontier import checks_of, frontier_of

HERE = Path(__file__).parents[1]
KNOWN = {"ac-dc-meshed": -3474256.0405, "model-energy": 8078135675.45, "scigrid-de": 1449687.2501}
"""The optimum of each as it stands in its file; scigrid-de: the first four hours, with the settings of `named`."""
FLEET = Fleet(1300.0, 1.2, 0.005, 15.0, 0.0, 6.0, 0.0, 300.0, 0.351)
COSTS = Costs(1e5, 5e4, 9e4, 60.0, 1.5e4, 1.3e4, 4e4, 5e4, 150.0, 1000.0)


def silent(*_: object) -> None:
    pass


def named(data: Path, name: str) -> Any:
    network = network_of(data / "pypsa" / f"{name}.nc")
    if name == "scigrid-de":
        network.set_snapshots(network.snapshots[:4])
        network.lines.s_max_pu = 0.7
        network.lines.loc[["316", "527", "602"], "s_nom"] = 1715
    return network


def independently(built_: Built) -> float:
    """The same matrices, solved by an interior-point method of another house (Clarabel)."""
    import clarabel
    from scipy import sparse

    program = built_.solver.getLp()
    matrix = sparse.csc_matrix(built_.model.matrices.A)
    cost = np.asarray(program.col_cost_)
    rows = [(matrix, np.asarray(program.row_lower_), np.asarray(program.row_upper_))]
    rows.append(
        (
            sparse.identity(program.num_col_, format="csc"),
            np.asarray(program.col_lower_),
            np.asarray(program.col_upper_),
        )
    )
    equal, less = [], []
    for block, low, high in rows:
        same = low == high
        equal.append((block[same], high[same]))
        less.append((block[~same & np.isfinite(high)], high[~same & np.isfinite(high)]))
        less.append((-block[~same & np.isfinite(low)], -low[~same & np.isfinite(low)]))
    left = sparse.vstack([block for block, _ in (*equal, *less)], format="csc")
    right = np.concatenate([bound for _, bound in (*equal, *less)])
    cones = [clarabel.ZeroConeT(sum(len(b) for _, b in equal)), clarabel.NonnegativeConeT(sum(len(b) for _, b in less))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    settings.max_threads = 1
    none = sparse.csc_matrix((len(cost), len(cost)))
    return float(clarabel.DefaultSolver(none, cost, left, right, cones, settings).solve().obj_val) + program.offset_


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_network_has_its_optimum(data: Path, name: str) -> None:
    found = Built(named(data, name)).solve()
    assert found.cost == pytest.approx(KNOWN[name], rel=1e-6)
    assert found.dual == pytest.approx(found.cost, rel=1e-6)


@pytest.mark.parametrize("name", ["ac-dc-meshed", "scigrid-de"])
def test_another_solver_agrees(data: Path, name: str) -> None:
    model = Built(named(data, name))
    assert independently(model) == pytest.approx(model.solve().cost, rel=1e-6)


def test_a_cap_of_its_own_is_one_of_its_points(data: Path) -> None:
    network = named(data, "ac-dc-meshed")
    found = frontier_of("grid", network, (0.5,), None, silent)
    assert [point.solved.cost for point in found.points if point.cap == 1000] == [
        pytest.approx(KNOWN["ac-dc-meshed"], rel=1e-6)
    ]
    assert all(check.passed for check in checks_of(found))


def test_a_changed_bound_is_a_model_built_again(data: Path) -> None:
    """What is reused costs less and gives the same."""
    network = named(data, "ac-dc-meshed")
    capped(network)
    once = Built(network)
    for cap in (5000.0, 800.0, 20.0, 3000.0):
        again = Built(network).solve(cap)
        assert once.solve(cap).cost == pytest.approx(again.cost, rel=1e-6)


def small(zones: int = 2, steps: int = 48) -> Weather:
    wind = tuple(tuple(0.4 + 0.3 * np.sin(hour / 7 + zone) for hour in range(steps)) for zone in range(zones))
    solar = tuple(
        tuple(max(0.0, 0.6 * np.sin(np.pi * (hour % 24 - 6) / 12)) for hour in range(steps)) for _ in range(zones)
    )
    return Weather(wind, solar, ((20.0,) * steps,) * zones, 1.0)


def costs_of(fleet: Fleet, weather: Weather | None = None) -> list[float]:
    found = frontier_of("fleet", built(fleet, COSTS, weather or small()), (0.5, 0.0), None, silent)
    assert all(check.passed for check in checks_of(found))
    return [point.solved.cost for point in found.points]


def changed(**values: float) -> Fleet:
    from dataclasses import replace

    return replace(FLEET, **values)


@pytest.mark.parametrize("bent", [{"flexible": 0.3}, {"sheddable": 0.2}, {"grid": 900.0}], ids=str)
def test_a_fleet_that_bends_costs_no_more(bent: dict[str, float]) -> None:
    assert costs_of(changed(**bent))[0] <= costs_of(FLEET)[0] * (1 + 1e-9)


def test_heat_and_size_cost_more() -> None:
    rigid = costs_of(FLEET)
    assert costs_of(changed(cooling=0.02))[0] > rigid[0]
    assert costs_of(changed(load=2600.0, grid=600.0))[0] == pytest.approx(2 * rigid[0], rel=1e-6)


def test_a_budget_is_a_point_and_a_network_without_carbon_has_one() -> None:
    found = frontier_of("fleet", built(FLEET, COSTS, small()), (), 1000.0, silent)
    assert [point.cap for point in found.points][1:] == [1000.0]
    clean = frontier_of("fleet", built(changed(intensity=0.0), COSTS, small()), (0.5,), 10.0, silent)
    assert len(clean.points) == 1
    assert clean.points[0].solved.price == 0


def test_weather_is_read_and_thinned(tmp_path: Path) -> None:
    whole, thin = (weather_of(HERE / "exercise" / "weather.csv", every) for every in (1, 6))
    assert (whole.steps, thin.steps, thin.step) == (336, 56, 6.0)
    assert thin.wind[1][0] == pytest.approx(sum(whole.wind[1][:6]) / 6)
    table = tmp_path / "weather"
    for text, why in (
        ("a,b\n", "has the columns"),
        ("zone,hour,wind,solar,temperature\nn,0,x,0,0\n", "no numbers"),
        ("zone,hour,wind,solar,temperature\nn,1,0,0,0\n", "without a gap"),
        ("zone,hour,wind,solar,temperature\nn,0,1.5,0,0\n", "shares from 0 to 1"),
        ("zone,hour,wind,solar,temperature\nn,0,nan,0,0\n", "shares from 0 to 1"),
        ("zone,hour,wind,solar,temperature\nn,0,0,0,0\nm,0,0,0,0\nm,1,0,0,0\n", "same hours"),
        ("zone,hour,wind,solar,temperature\nn,0,0,0,0\n", "shorter than one step"),
    ):
        table.write_text(text)
        with pytest.raises(BadInput, match=why):
            weather_of(table, 3)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network"
    for raw in (b"", b"CDF\x01 torn", b"\x89HDF torn", b"text"):
        path.write_bytes(raw)
        with pytest.raises(BadInput, match="network"):
            network_of(path)


def test_a_cap_that_nothing_meets_is_refused() -> None:
    network = built(changed(load=1300.0), COSTS, small())
    capped(network)
    model = Built(network)
    with pytest.raises(BadInput, match="no solution"):
        model.solve(-1.0)
