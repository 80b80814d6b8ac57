"""What a sweep costs when the model is built once: `make bench NAME=climate_energy`.

Twelve caps on the CO2 of a fleet of data centres, a year of weather of the shared data in steps of twelve hours. Ours
builds the model and hands it to the solver once, and changes one bound for each cap; beside it, in the same run, every
cap has a model of its own, as one who calls the library again and again. CPU time of one thread.

`reuse_vs_rebuild`: building and handing over, twelve times over once. `total_vs_limit`: by how much all of it is
cheaper, over what that could be where every solution cost as much as one from nothing: (12 b + 12 s) / (b + 12 s).
Above 1, the solver gained besides from starting at the last solution. Runs in the mission's own environment.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import json
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".venv/missions/climate_energy"
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", ROOT.parent / "shared/data"))
INSIDE = "CASEMATE_BENCH_INSIDE"
POINTS, STEP = 12, 12
SHARES = [1 - number / (POINTS - 1) for number in range(POINTS)]


def network() -> Any:
    """A fresh one each time: nothing of a model is kept in it."""
    from casemate_climate_energy.energy import capped
    from casemate_climate_energy.fleet import Costs, Fleet, built, weather_of
    from casemate_climate_energy.quiet import quiet

    fleet = Fleet(1300.0, 1.2, 0.005, 15.0, 0.0, 6.0, 0.0, 300.0, 0.351)
    costs = Costs(1e5, 5e4, 9e4, 60.0, 1.5e4, 1.3e4, 4e4, 5e4, 150.0, 1000.0)
    with quiet():
        found = built(fleet, costs, weather_of(DATA / "pypsa/model-energy.nc", STEP))
        capped(found)
    return found


def main() -> int:
    """Prints one JSON object."""
    if not (DATA / "pypsa/model-energy.nc").exists():
        print(f"The shared data are not in {DATA} (CASEMATE_TEST_DATA).", file=sys.stderr)
        return 2
    try:
        version("pypsa")
    except PackageNotFoundError:
        if not (HOME / "bin/python").exists():
            print("The mission's environment is not there: run `make test-missions` first.", file=sys.stderr)
            return 2
        paths = os.pathsep.join(str(ROOT / each) for each in ("src", "missions/climate_energy/src", "."))
        if os.environ.get(INSIDE):
            print(f"{HOME} does not have what the mission needs: run `make test-missions` first.", file=sys.stderr)
            return 2
        # By its whole path: what is started as `python` looks for its packages beside whichever PATH has first.
        inner = str(HOME / "bin/python")
        os.execve(inner, [inner, "-m", "bench.climate_energy"], {**os.environ, "PYTHONPATH": paths, INSIDE: "yes"})
    from casemate_climate_energy.energy import Built

    given = []
    for number in range(POINTS + 1):
        given.append(network())
        print(f"network {number + 1}/{POINTS + 1}", file=sys.stderr)
    begun = time.process_time()
    once = Built(given.pop())
    build = time.process_time() - begun
    free = once.solve(None)
    caps = [share * free.emitted for share in SHARES]
    begun = time.process_time()
    ours = []
    for number, cap in enumerate(caps):
        ours.append(once.solve(cap))
        print(f"{number + 1}/{POINTS}", file=sys.stderr)
    solve = time.process_time() - begun
    builds, solves, theirs = 0.0, 0.0, []
    for number, cap in enumerate(caps):
        begun = time.process_time()
        model = Built(given.pop())
        between = time.process_time()
        theirs.append(model.solve(cap))
        builds, solves = builds + between - begun, solves + time.process_time() - between
        print(f"{POINTS + number + 1}/{2 * POINTS}", file=sys.stderr)
    apart = max(abs(a.cost - b.cost) / abs(b.cost) for a, b in zip(ours, theirs, strict=True))
    one, cold = builds / POINTS, solves / POINTS
    total, limit = (builds + solves) / (build + solve), POINTS * (one + cold) / (one + POINTS * cold)
    told = {
        "bench": "climate_energy",
        "ratios": {"reuse_vs_rebuild": round(builds / build, 2), "total_vs_limit": round(total / limit, 3)},
        "figures": {
            "points": POINTS,
            "rows": once.size[0],
            "columns": once.size[1],
            "build_cpu_s": round(build, 3),
            "rebuilds_cpu_s": round(builds, 3),
            "solves_cpu_s": round(solve, 3),
            "solves_from_nothing_cpu_s": round(solves, 3),
            "total_ratio": round(total, 2),
            "limit": round(limit, 2),
            "apart_rel": float(f"{apart:.2g}"),
            "equal": apart <= 1e-6,
        },
        "against": "a model built and handed over for each point, in the same run",
        "versions": {name: version(name) for name in ("pypsa", "linopy", "highspy")},
    }
    print(json.dumps(told))
    return 0 if apart <= 1e-6 else 1


if __name__ == "__main__":
    sys.exit(main())
