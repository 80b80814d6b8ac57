"""Both sides of a way that goes both ways: the low one lays a channel into a drop, the high one takes all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from casemate.clock import SystemClock
from casemate.engines.diode_fetch import DropFiles, Fetcher, push
from casemate.transfer.timetable import Timetable

__all__ = ["fetch", "push"]


def fetch(
    drop: Path,
    timetable: Timetable,
    folder: Path,
    inbox: Path,
    allowed: Callable[[], Timetable | None],
    told: Callable[[str], None],
    stop: Event,
    most: int = 0,
) -> int:
    """Take a step in each slot until `stop`, or for `most` slots; how many there were.

    `allowed` is asked before each: it ends where the timetable is no longer that one.
    """
    clock, fetcher, done = SystemClock(), Fetcher(DropFiles(drop), timetable, folder, inbox), 0
    while not stop.is_set() and (not most or done < most):
        now = clock.now()
        number, _ = timetable.slot(now)
        if stop.wait(max(0, timetable.begins(number + 1) - now) / 1_000_000):
            break
        if allowed() != timetable:
            break
        if fetcher.step(clock.now()):
            done += 1
        if fetcher.told:
            told(fetcher.told)
    return done
