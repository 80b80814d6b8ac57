"""What crossing an air gap costs: `make bench NAME=transfer`.

Each file `bench/transfer_*.py` is a part of it, with `measure(folder, size)` that gives ratios and figures; a name
stands in one part alone. A ratio compares with a part of the work alone, or with another's tool, in the same run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

PARTS = sorted(path.stem for path in Path(__file__).parent.glob("transfer_*.py"))


def measure(parts: list[str], size: int) -> dict[str, object]:
    """All parts, one after the other; `size` in MiB."""
    ratios: dict[str, float | None] = {}
    figures: dict[str, float | None] = {}
    against: dict[str, str] = {}
    for part in parts:
        with tempfile.TemporaryDirectory(dir=os.environ.get("CASEMATE_BENCH_FOLDER", "/dev/shm")) as folder:
            found = importlib.import_module(f"bench.{part}").measure(Path(folder), size)
        ratios |= found["ratios"]
        figures |= found["figures"]
        against[part] = found["against"]
    return {
        "bench": "transfer",
        "ratios": {name: None if value is None else round(value, 3) for name, value in ratios.items()},
        "figures": {name: None if value is None else round(value, 1) for name, value in figures.items()},
        "against": against,
        "versions": {"casemate": version("casemate"), "python": sys.version.split()[0]},
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--size", type=int, default=1024, help="MiB")
    asked.add_argument("--part", action="append", choices=PARTS, default=None)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.part or PARTS, chosen.size)))
