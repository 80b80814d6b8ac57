"""How fast: a token bucket over bytes on the wire. In no span of time do more leave than the cap allows, and one burst.

A clock that goes back gives nothing and takes nothing.
"""

from __future__ import annotations

from casemate.clock import SECOND

__all__ = ["Bucket"]


class Bucket:
    """`cap` bytes per second, `burst` bytes at once after a pause."""

    __slots__ = ("_at", "_burst", "_cap", "_left")

    def __init__(self, cap: int, burst: int, now: int) -> None:
        self._cap = cap
        self._burst = burst * SECOND
        self._left = 0  # in byte microseconds: whole numbers, so that nothing is gained by rounding
        self._at = now

    def room(self, now: int) -> int:
        """Bytes that may leave now."""
        if now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._cap)
        self._at = now
        return self._left // SECOND

    def take(self, size: int) -> None:
        """They left; no more than there was room for."""
        assert size * SECOND <= self._left
        self._left -= size * SECOND

    def wait(self, size: int) -> int:
        """Microseconds until so many may leave (no more than one burst)."""
        lacking = min(size * SECOND, self._burst) - self._left
        return max(0, -(-lacking // self._cap))
