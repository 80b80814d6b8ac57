"""A domain's numbers as plain values: what a process writes down for another, and how those of several add up.

Only numbers of one domain are ever added. Counters and histograms add up over processes; of gauges each process has
its own share, so they add up too, but only while it lives.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.errors import Damaged
from casemate.telemetry.pulse import Beat

__all__ = ["Counted", "Kept", "Measured", "merge", "read", "write"]

BOUND = 1 << 20  # bytes of a domain's numbers in a process
STALE = 10_000_000  # microseconds after which a process' levels say nothing any more


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """A counter's or gauge's series."""

    name: str
    key: tuple[str, ...]
    count: int


class Measured(msgspec.Struct, frozen=True, array_like=True):
    """A histogram's series: `counts` by bucket, the last beyond all bounds; `total` in whole units."""

    name: str
    key: tuple[str, ...]
    counts: tuple[int, ...]
    total: int


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """One domain at a moment (`at`, microseconds)."""

    label: str
    at: int
    counters: tuple[Counted, ...] = ()
    histograms: tuple[Measured, ...] = ()
    gauges: tuple[Counted, ...] = ()
    beats: tuple[Beat, ...] = ()


def write(kept: Kept) -> bytes:
    """As bytes."""
    return msgspec.msgpack.encode(kept)


def read(raw: bytes) -> Kept:
    """The inverse. Raises Damaged for anything else."""
    if len(raw) > BOUND:
        raise Damaged(what="metrics")
    try:
        return msgspec.msgpack.decode(raw, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Damaged(what="metrics") from None


def merge(label: str, now: int, found: Iterable[Kept]) -> Kept:
    """The numbers of one domain in several processes, together. What is of another domain is left out."""
    counters: dict[tuple[str, tuple[str, ...]], int] = {}
    gauges: dict[tuple[str, tuple[str, ...]], int] = {}
    histograms: dict[tuple[str, tuple[str, ...]], Measured] = {}
    beats: list[Beat] = []
    for kept in found:
        if kept.label != label:
            continue
        beats += kept.beats
        for each in kept.counters:
            counters[each.name, each.key] = counters.get((each.name, each.key), 0) + each.count
        for each in kept.gauges if now - kept.at <= STALE else ():
            gauges[each.name, each.key] = gauges.get((each.name, each.key), 0) + each.count
        for more in kept.histograms:
            place = (more.name, more.key)
            histograms[place] = _both(histograms[place], more) if place in histograms else more
    return Kept(
        label,
        now,
        tuple(Counted(*place, n) for place, n in sorted(counters.items())),
        tuple(histograms[place] for place in sorted(histograms)),
        tuple(Counted(*place, n) for place, n in sorted(gauges.items())),
        tuple(beats),
    )


def _both(one: Measured, other: Measured) -> Measured:
    if len(one.counts) != len(other.counts):
        return one  # of a version with other buckets
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Measured(one.name, one.key, counts, one.total + other.total)
