"""Whether the link lives: a signed heartbeat each second, and a link that is silent is told before the third is due."""

from __future__ import annotations

from casemate.clock import SECOND
from casemate.transfer.diode.message import Heartbeat

__all__ = ["DEAD", "INTERVAL", "Pulse"]

INTERVAL = SECOND
DEAD = INTERVAL * 5 // 2
"""So long after the last heartbeat the link is told dead."""


class Pulse:
    """The latest heartbeat of a link. One that was heard before, or is older, does not count."""

    __slots__ = ("_count", "at", "last", "since", "skew")

    def __init__(self, now: int) -> None:
        self.since = now
        self.at = 0
        self.last: Heartbeat | None = None
        self.skew = 0
        """The sender's clock less ours, in microseconds: told, and never decided by."""
        self._count: dict[bytes, int] = {}

    def heard(self, heartbeat: Heartbeat, now: int, latest: bool) -> bool:
        """Whether it counts: `latest` says that it is of its sender's last run."""
        if not latest or heartbeat.count <= self._count.get(heartbeat.session, 0):
            return False
        self._count = {heartbeat.session: heartbeat.count, **dict(self._latest(heartbeat))}
        self.at, self.last, self.skew = now, heartbeat, heartbeat.at - now
        return True

    def dead(self, now: int) -> bool:
        """Whether too much time has passed, counted from the start where none was heard."""
        return now - (self.at or self.since) > DEAD

    def _latest(self, heartbeat: Heartbeat) -> list[tuple[bytes, int]]:
        others = [(session, count) for session, count in self._count.items() if session != heartbeat.session]
        return others[:15]
