"""What owners have used of late, in one access class: decayed, and kept in one row of that class.

What an attempt was given counts against its owner, by half after a day, by a quarter after two. The row is changed with
the attempt's end, in the same commit; nothing is ever added up over classes, so that no order below depends on what ran
above. What runs counts with all that it was given, until it ends.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.jobs.job import Spec
from casemate.objects import Kind

__all__ = ["HALF_LIFE", "JOB_USE", "USE", "Use", "charged", "decayed", "taken"]

HALF_LIFE = 86_400_000_000
"""Microseconds after which what was used counts half (Slurm: PriorityDecayHalfLife; AWS Batch: shareDecaySeconds)."""
LEAST = 1.0
"""CPU seconds that are not worth a place in the row any more."""
USE = "use"


class Use(msgspec.Struct, frozen=True):
    """CPU seconds of each owner (the principal's id), as they counted at `at` (microseconds)."""

    at: int = 0
    owners: dict[str, float] = {}


JOB_USE = Kind("job_use", Use)


def decayed(use: Use, now: int) -> dict[str, float]:
    """The same at another moment. A clock that went back makes nothing grow."""
    left = 0.5 ** (max(now - use.at, 0) / HALF_LIFE)
    return {owner: seconds * left for owner, seconds in use.owners.items() if seconds * left >= LEAST}


def charged(use: Use, more: Iterable[tuple[str, float]], now: int) -> Use:
    """With what attempts took that have just ended: owner and CPU seconds."""
    owners = decayed(use, now)
    for owner, seconds in more:
        owners[owner] = owners.get(owner, 0.0) + max(seconds, 0.0)
    return Use(max(now, use.at), owners)


def taken(spec: Spec, seconds: float) -> float:
    """CPU seconds of so much time of an attempt: what it was given counts, not what it made of it."""
    asked = spec.resources
    return seconds * asked.cpus * asked.tasks * asked.nodes
