"""The coverage that each room must have: `python -m tests.architecture.coverage_gate FILE`, FILE being coverage's JSON.

Lines and branches are counted together, room by room, so that a well-tested room cannot hide a poor one. The rooms that
decide who sees what stand at 100 %.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHOLE = {"labels", "policy", "ledger", "access"}
ELSEWHERE = 95.0


@dataclass(slots=True)
class Room:
    """What coverage saw of one room; `holes` are places that never ran."""

    covered: int = 0
    total: int = 0
    holes: list[str] | None = None

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.total if self.total else 100.0


def rooms(report: dict[str, Any]) -> dict[str, Room]:
    """Room name to what was covered, from coverage's JSON report with branches."""
    if not report["meta"]["branch_coverage"]:
        raise SystemExit("measured without branches: run coverage with --cov-branch")
    found: dict[str, Room] = defaultdict(Room)
    for path, file in report["files"].items():
        parts = Path(path).parts
        package = "casemate" if "casemate_verify" not in parts else "casemate_verify"  # a distribution of its own
        below = parts[parts.index(package) + 1 :]
        room = found[below[0] if len(below) > 1 else package]
        summary = file["summary"]
        room.covered += summary["covered_lines"] + summary["covered_branches"]
        room.total += summary["num_statements"] + summary["num_branches"]
        room.holes = [*(room.holes or []), *holes(path, file)]
    return dict(found)


def holes(path: str, file: dict[str, Any]) -> Iterator[str]:
    """`path:12` for a line that never ran, `path:12->15` for a branch that was never taken."""
    missing = set(file["missing_lines"])
    yield from (f"{path}:{line}" for line in sorted(missing))
    yield from (f"{path}:{start}->{end}" for start, end in file["missing_branches"] if start not in missing)


def verdict(found: dict[str, Room]) -> list[str]:
    """One line for each room that falls short; empty when all is well."""
    short: list[str] = []
    for name, room in sorted(found.items()):
        least = 100.0 if name in WHOLE else ELSEWHERE
        if room.percent < least:
            places = " ".join((room.holes or [])[:12])
            short.append(f"{name}: {room.percent:.2f} % of lines and branches, at least {least:.0f} % wanted: {places}")
    short.extend(f"{name}: not measured at all" for name in sorted(WHOLE - set(found)))
    return short


def main(file: str) -> int:
    """Print the table and what falls short; 0 when nothing does."""
    found = rooms(json.loads(Path(file).read_text()))
    for name, room in sorted(found.items()):
        sys.stdout.write(f"{name:12} {room.percent:6.2f} %\n")
    short = verdict(found)
    sys.stdout.write("".join(f"{line}\n" for line in short) or "coverage: every room has what it must have\n")
    return 1 if short else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
