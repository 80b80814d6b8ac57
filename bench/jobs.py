"""What jobs cost: `make bench NAME=jobs`.

A region of its own, asked over HTTP, as whoever has a key asks it; every job is /bin/true, and counts once its record,
logs and usage are durable. Beside it, in the same run and with the same number of slots: HyperQueue's local cluster,
whose acknowledgement is not durable, PSI/J and GNU parallel; and plain sbatch beside the region's Slurm engine, with
tasks of two seconds. Rounds alternate; the median of each counts. Wall times are told, never judged. A part that takes
longer than its bound is given up, and stands under `missing` with that as the reason; the others go on.

    python -m bench.jobs [COUNT [KEPT]]      COUNT jobs a round, 1,000; KEPT that wait while a page is read, 100,000
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from bench.parts.job_cost import plan_100k_ms, shim_cpu_ms
from bench.parts.job_peers import PACKAGES, TRUE, asked, rounds
from bench.parts.job_region import Region, region
from bench.parts.running import ROOT

ROUNDS = 3
SLOTS = 16
SLEEP = 2
TASKS = 64
BOUND = 180
"""Seconds for one part of one round, its region's start included."""


def trivial(level: str) -> dict[str, Any]:
    """A job that ends at once."""
    return {"command": [TRUE], "floor": level}


def kept(count: int) -> dict[str, float]:
    """So many that wait, since nothing runs here: how fast they were taken, the server's memory, and a page of them."""
    with region("[jobs]\nprocess = false\n") as here:
        spent, _ = here.submit(trivial("L1"), count)
        name = "1m" if count >= 1_000_000 else f"{count // 1000}k"
        return {"submits_per_s": count / spent, f"rss_{name}_mb": here.rss_mb(), f"page_{name}_ms": here.page_ms()}


def slurm() -> dict[str, float]:
    """The region's Slurm engine beside plain sbatch; raises where this machine has none."""
    from bench.parts.job_slurm import slurm_figures

    return slurm_figures(TASKS, SLEEP)


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """TimeoutError in the midst of whatever has not ended by then."""

    def over(number: int, frame: object) -> None:
        del number, frame
        raise TimeoutError(f"given up after {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def lazily(name: str, found: Callable[[], dict[str, float]], missing: dict[str, str]) -> dict[str, float]:
    """What a part tells; nothing, and why, where it cannot be measured here."""
    try:
        with bounded(BOUND):
            return dict(found())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told, and the rest stands
        missing[name] = f"{type(error).__name__}: {error}"[:300]
        return {}


def alternating(here: Region, count: int, missing: dict[str, str]) -> dict[str, float]:
    """Ours and HyperQueue's, in turn; the medians."""
    seen: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for prefix, level in (("", "L1"), ("sandboxed_", "L2")):
            told = lazily(f"{prefix}jobs", lambda level=level: here.run(trivial(level), count), missing)  # type: ignore[misc]
            for name, value in told.items():
                seen.setdefault(prefix + name, []).append(value)
        peer = lazily("hyperqueue", lambda: asked(ROOT, "hyperqueue", count, SLOTS), missing)
        for name, value in peer.items():
            seen.setdefault(f"hyperqueue_{name}", []).append(value)
    return {name: statistics.median(values) for name, values in seen.items()}


def measure(count: int, many: int) -> dict[str, object]:
    """All of it."""
    missing: dict[str, str] = {}
    with region(f"[jobs]\nslots = {SLOTS}\n") as here:
        for level in ("L1", "L2"):
            lazily(f"warm {level}", lambda level=level: here.run(trivial(level), 4), missing)  # type: ignore[misc]
        figures = alternating(here, count, missing)
    figures |= lazily("shim_cpu_ms", shim_cpu_ms, missing)
    figures |= lazily("plan_100k_ms", lambda: {"plan_100k_ms": plan_100k_ms()}, missing)
    figures |= lazily("kept", lambda: kept(many), missing)
    figures |= lazily("slurm_vs_sbatch", slurm, missing)
    peers: dict[str, float] = {}
    for name, other in rounds(ROOT, count // 2).items():
        told = lazily(name, other, missing)
        peers |= {f"{name}_{key}": value for key, value in told.items()}
    rival = figures.get("hyperqueue_jobs_per_s")
    if "slurm_server_cpu_ms" in figures and "shim_cpu_ms" in figures:
        ours = figures["slurm_server_cpu_ms"] + figures["shim_cpu_ms"]
        figures["slurm_added_cpu_ms"] = ours - figures["sbatch_cpu_ms"]  # who submits by hand starts an sbatch too
    ratios = {
        "jobs_vs_hyperqueue": figures["jobs_per_s"] / rival if rival and "jobs_per_s" in figures else None,
        "slurm_vs_sbatch": figures.pop("slurm_vs_sbatch", None),
    }
    return {
        "bench": "jobs",
        "ratios": {name: None if value is None else round(value, 3) for name, value in ratios.items()},
        "figures": {name: round(value, 2) for name, value in (figures | peers).items()}
        | {"slots": SLOTS, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2), "missing": missing},
        "against": "HyperQueue's local cluster with as many slots, PSI/J local, GNU parallel, plain sbatch",
        "versions": {"casemate": version("casemate"), "python": sys.version.split()[0], "peers": list(PACKAGES)},
    }


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:3]]
    print(json.dumps(measure(*numbers, *(1000, 100_000)[len(numbers) :])))
