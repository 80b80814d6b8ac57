"""The last minutes of a domain in beats of five seconds: what a live page draws."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.telemetry.instrument import DURATION, MICRO

__all__ = ["PULSE", "SLOTS", "Beat", "beats", "quantile"]

PULSE = 5 * MICRO  # microseconds of a beat
SLOTS = 60  # beats that are kept: five minutes
_NONE = (0,) * (len(DURATION.bounds) + 1)


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """What a beat brought. `slot`: beats since 1970. `latency`: counts by the buckets of requests' durations."""

    slot: int
    requests: int = 0
    refusals: int = 0
    tokens: int = 0
    latency: tuple[int, ...] = _NONE

    def since(self, before: Beat, slot: int) -> Beat:
        """What was added since then, as that slot's."""
        return Beat(
            slot,
            self.requests - before.requests,
            self.refusals - before.refusals,
            self.tokens - before.tokens,
            tuple(a - b for a, b in zip(self.latency, before.latency, strict=True)),
        )

    def plus(self, other: Beat) -> Beat:
        """Both together."""
        return Beat(
            self.slot,
            self.requests + other.requests,
            self.refusals + other.refusals,
            self.tokens + other.tokens,
            tuple(a + b for a, b in zip(self.latency, other.latency, strict=True)),
        )


def beats(found: Iterable[Beat], now: int) -> list[Beat]:
    """The last SLOTS beats until `now` (microseconds), oldest first, with those in which nothing happened."""
    by_slot: dict[int, Beat] = {}
    for beat in found:
        if len(beat.latency) == len(_NONE):
            by_slot[beat.slot] = by_slot[beat.slot].plus(beat) if beat.slot in by_slot else beat
    last = now // PULSE
    return [by_slot.get(slot, Beat(slot)) for slot in range(last - SLOTS + 1, last + 1)]


def quantile(latency: tuple[int, ...], part: float) -> int:
    """About the duration (microseconds) that `part` of the requests stayed below: within its bucket, in proportion.

    0 where there were none; the last bound where it lies beyond it.
    """
    wanted, seen, low = part * sum(latency), 0, 0
    if not wanted:
        return 0
    for bound, count in zip(DURATION.bounds, latency, strict=False):
        if seen + count >= wanted:
            return low + round((bound - low) * (wanted - seen) / count)
        seen, low = seen + count, bound
    return DURATION.bounds[-1]
