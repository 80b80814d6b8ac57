"""What durability and sealing cost: `make bench NAME=store`.

- Group commit: 64 clients at the region's own writer. On a disk whose syncs take 3 ms (a layer below SQLite sleeps)
  against one transaction for each operation; on this disk against the same code with synchronous=OFF.
- The gate: CPU time of all threads for one change that is sealed, idempotent and has its entry, 64 clients.
- Blobs of 64 MiB: sealing beside hashing (CPU), and the whole write against the slower of SHA-384 and the disk (wall).
- PostgreSQL and S3 where they are there; null with the reason where not.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version

import apsw

from bench.parts.store_blobs import blob_figures
from bench.parts.store_commits import commit_ratios, gate_cpu_us

RATIOS = ("group_commit_vs_full_slow_disk", "group_commit_vs_off", "sealed_vs_hash_only", "s3_put_vs_moto")


def fsync_ms() -> float:
    """The median of appending 4 KiB and syncing, in the folder for temporary files."""
    spent = []
    with tempfile.TemporaryFile() as file:
        for _ in range(200):
            os.write(file.fileno(), bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent)


def lazily(ask: Callable[[], dict[str, float]], name: str, missing: dict[str, str]) -> dict[str, float | None]:
    """The figures of a part whose peer may not be there; null, and why."""
    try:
        found = dict(ask())
    except Exception as error:  # noqa: BLE001 - whatever keeps it from being measured is told, and the rest stands
        missing[name] = f"{type(error).__name__}: {error}"[:200]
        return {name: None}
    if name not in found:
        missing[name] = "its server is not on this machine"
        return {**found, name: None}
    return dict(found)


def _postgres() -> dict[str, float]:
    from bench.parts.store_postgres import postgres_figures

    return postgres_figures()


def _s3() -> dict[str, float]:
    from bench.parts.store_s3 import s3_figures  # type: ignore[import-not-found,attr-defined,unused-ignore]

    return dict(s3_figures())


def measure() -> dict[str, object]:
    """All of it."""
    missing: dict[str, str] = {}
    found: dict[str, float | None] = {"fsync_ms": fsync_ms(), "cpu_us_per_op_sqlite": gate_cpu_us()}
    found |= commit_ratios()
    found |= blob_figures()
    found |= lazily(_postgres, "cpu_us_per_op_postgres", missing)
    found |= lazily(_s3, "s3_put_vs_moto", missing)
    rounded = {name: None if value is None else round(value, 3) for name, value in found.items()}
    return {
        "bench": "store",
        "ratios": {name: rounded[name] for name in RATIOS},
        "figures": {name: value for name, value in rounded.items() if name not in RATIOS} | {"missing": missing},
        "against": "one transaction for each operation; the same code with synchronous=OFF; SHA-384 alone; the disk; "
        "moto's server",
        "versions": {
            "casemate": version("casemate"),
            "sqlite": apsw.sqlite_lib_version(),
            "python": sys.version.split()[0],
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
