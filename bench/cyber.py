"""What a rule costs over an event: `make bench NAME=cyber`.

Some 165,000 events from SigmaHQ's recordings, each repetition with times, record ids, host, users and GUIDs of its own,
against all the rules that the mission applies, beside the same rules as SQL (pySigma's own backend) on SQLite in the
same run. CPU seconds of all processes, reading and output included, compiling of rules on neither side. Ratios:
`sqlite_vs_ours` is SQLite's CPU over ours on one core. `two_cores` is the wall time of one process over that of two,
over the first 16 units of 4 MiB: a pass of seconds finds a moment in which nobody else has the cores, one of a minute
does not on a machine that has other work. The two take turns, from 5 to 40 times, until the fastest of each has had the
cores to itself, as the kernel says (/proc/PID/schedstat: `two_cores_waited`, the share of its time for which it stood
ready); where none has, the ratio says more of the machine. `two_cores_less_ready` is the same less that time.

SQLite is given the events in four parts, and begins no further one after `--patience` seconds: on a machine that has
other work it has then had fewer (`sqlite_events`), and CPU is compared by event, which a scan of each row for each rule
allows. With an index it takes less: that is measured over the first events, and compared by event too.

It needs CASEMATE_TEST_DATA (rules and recordings) and the mission's environment, .venv/missions/cyber, or another by
CASEMATE_BENCH_CYBER; where there is none it is made, once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from bench.parts.running import ROOT

MISSION = ROOT / "missions" / "cyber"
BLOCK, INDEXED = 41_262, 20_000
"""Events that SQLite has in its table at a time, a quarter of all; and those that it is given with an index."""
PART, MOST_PAIRS = 16, 40
"""Units of 4 MiB over which one and two processes are compared by the wall, and how often at most."""
QUIET = 0.03
"""The share of its wall time for which a run may have stood ready while others had the cores."""


def python() -> Path:
    """The mission's environment, with what the tests need."""
    home = Path(os.environ.get("CASEMATE_BENCH_CYBER", ROOT / ".venv" / "missions" / "cyber"))
    if not (home / "bin/python").exists():
        print(f"Setting up the mission's packages in {home}, once.", file=sys.stderr)
        venv.create(home, with_pip=True)
    if subprocess.run(
        [home / "bin/python", "-c", "import evtx, sigma.backends.sqlite"], capture_output=True, check=False
    ).returncode:
        pip = [home / "bin/pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", MISSION / "requirements.txt", "-r", MISSION / "requirements-test.txt"], check=True)
    return home / "bin/python"


def step(folder: Path, *asked: str) -> dict[str, Any]:
    """One step in a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(p) for p in (MISSION / "src", ROOT / "src", MISSION))}
    print(" ".join(asked), file=sys.stderr, flush=True)
    command = [str(python()), str(ROOT / "bench" / "parts" / "cyber_run.py"), asked[0], str(folder), *asked[1:]]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench cyber: the step {asked[0]} failed with exit {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {json.dumps(told)}", file=sys.stderr, flush=True)
    return told


def quiet(tried: list[dict[str, Any]]) -> bool:
    """Whether the fastest of them had the cores nearly for itself: only then does a wall time speak of the program."""
    best = min(tried, key=lambda each: float(each["wall_s"]))
    return bool(best["waited_s"] < QUIET * best["wall_s"])


def measured(folder: Path, data: Path, repetitions: int, tries: int, patience: float) -> dict[str, Any]:
    """All of it, in one run."""
    there = step(folder, "make", "--data", str(data), "--repetitions", str(repetitions))
    one, two = [], []
    for _ in range(tries):
        one.append(step(folder, "ours"))
        two.append(step(folder, "ours", "--processes", "2"))
    part, both = list[dict[str, Any]](), list[dict[str, Any]]()
    while len(part) < 5 or (len(part) < MOST_PAIRS and not (quiet(part) and quiet(both))):
        part.append(step(folder, "ours", "--first", str(PART)))
        both.append(step(folder, "ours", "--first", str(PART), "--processes", "2"))
    read, match = (step(folder, "ours", "--stage", stage)["cpu_s"] for stage in ("read", "match"))
    told = ["--block", str(BLOCK), "--indexed", str(INDEXED), "--patience", str(patience)]
    peer = step(folder, "sqlite", "--data", str(data), *told)
    indexed = peer["indexed"]
    best = min(one, key=lambda each: float(each["cpu_s"]))
    whole = best["cpu_s"]
    alone, together = (min(each["wall_s"] - each["waited_s"] for each in tried) for tried in (part, both))
    walls = [min(tried, key=lambda each: float(each["wall_s"])) for tried in (part, both)]
    by_event, by_index = (
        each["cpu_s"] / each["events"] * best["events"] / whole if each["events"] else 0.0 for each in (peer, indexed)
    )
    return {
        "bench": "cyber",
        "ratios": {
            "sqlite_vs_ours": round(by_event, 2),
            "two_cores": round(walls[0]["wall_s"] / walls[1]["wall_s"], 2),
        },
        "figures": {
            "events": best["events"],
            "events_per_cpu_s": round(best["events"] / whole),
            "rss_mb": round(best["rss_mb"]),
            "two_processes_rss_mb": round(max(each["rss_sum_mb"] for each in two)),
            "cpu_s": round(whole, 2),
            "two_cores_less_ready": round(alone / together, 2),
            "two_cores_pairs": len(part),
            "two_cores_events": walls[0]["events"],
            "two_cores_waited": [round(each["waited_s"] / each["wall_s"], 3) for each in walls],
            "two_processes_cpu_s": round(min(each["cpu_s"] for each in two), 2),
            "share_reading": round(min(read / whole, 1.0), 2),
            "share_matching": round(max(0.0, match - read) / whole, 2),
            "share_output": round(max(0.0, whole - match) / whole, 2),
            "hits": best["hits"],
            "rules": there["rules"],
            "sqlite_events": peer["events"],
            "sqlite_cpu_s": round(peer["cpu_s"], 2),
            "sqlite_load_cpu_s": round(peer["load_cpu_s"], 2),
            "sqlite_rss_mb": round(peer["rss_mb"]),
            "sqlite_indexed_vs_ours": round(by_index, 2),
            "sqlite_indexed_events": indexed["events"],
            "sqlite_queries": peer["queries"],
            "sqlite_hits": peer["hits"],
            "compile_cpu_s": there["compile_cpu_s"],
        },
        "against": "the same rules as SQL of pySigma-backend-sqlite, each over the whole table, on SQLite in memory",
        "versions": {"python": sys.version.split()[0]},
    }


def main() -> None:
    """Print the figures as one object of JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--repetitions", type=int, default=897)
    asked.add_argument("--tries", type=int, default=2)
    asked.add_argument("--patience", type=float, default=300.0, help="seconds after which SQLite begins no more events")
    given = asked.parse_args()
    data = Path(os.environ.get("CASEMATE_TEST_DATA", "/nonexistent")) / "sigma"
    if not data.is_dir():
        raise SystemExit(
            "bench cyber needs SigmaHQ's rules and recordings: CASEMATE_TEST_DATA names the folder above sigma/"
        )
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), data, given.repetitions, given.tries, given.patience)))


if __name__ == "__main__":
    main()
