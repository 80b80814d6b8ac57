"""Time, behind a port: nothing else in the house asks the machine what time it is.

Times are whole microseconds since 1970-01-01T00:00:00Z (int), so that they compare, sort and serialise exactly.
A `Loop` is work that a room does again and again; wiring runs it, a test calls its `step`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["SECOND", "Clock", "Loop", "ManualClock", "SystemClock", "iso", "parse_iso"]

SECOND = 1_000_000


class Clock(Protocol):
    """What time it is, in microseconds since the epoch."""

    def now(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1000


class ManualClock:
    """A clock that stands still until it is told otherwise: for laws, proofs and tests."""

    def __init__(self, start: int = 1_790_000_000 * SECOND) -> None:
        self.at = start

    def now(self) -> int:
        return self.at

    def forward(self, seconds: float) -> None:
        """Move on by so many seconds (may be a fraction)."""
        self.at += int(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work repeated every `every` seconds; `step` does one round and says how many things it moved.

    A `steady` one keeps its beat whatever a step took, moved or raised: how often it runs tells nothing.
    """

    name: str
    every: float
    step: Callable[[], Awaitable[int]]
    steady: bool = False


def iso(at: int) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-11-20T09:30:00.000Z`."""
    moment = datetime.fromtimestamp(at / SECOND, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at // 1000 % 1000:03d}Z"


def parse_iso(text: str) -> int:
    """The inverse of `iso`; also takes any RFC 3339 moment with an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset")
    return round(moment.timestamp() * SECOND)
