"""How much may leave in a day: counted where the request lies, each access class for itself, and set by an officer.

What is counted at one class neither takes from another nor is seen there. Without an officer's word the house's own
bound holds: there is no class from which everything may leave. A count that cannot be read is an error, and nothing
leaves; a clock that is set back does not begin a new day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from casemate.access.flow import Flow
from casemate.clock import SECOND
from casemate.objects import Found, Kind, Put
from casemate.policy.release import Room

__all__ = ["RELEASE_QUOTA", "SPENT", "ReleaseQuota", "Spent", "Today", "today"]

DAY: Final = 86_400 * SECOND
_ID: Final = "day"


class ReleaseQuota(msgspec.Struct, frozen=True):
    """So many releases and so many bytes of UTF-8 in a day of UTC; 0 is none."""

    count: int = 20
    size: int = 256 << 10
    set_by: str = ""
    at: int = 0


class Spent(msgspec.Struct, frozen=True):
    """What has left on the day `day`, counted from 1970."""

    day: int
    count: int = 0
    size: int = 0


RELEASE_QUOTA = Kind("release.quota", ReleaseQuota)
SPENT = Kind("release.spent", Spent)


@dataclass(frozen=True, slots=True)
class Today:
    """The quota of the acting class, and what has left of it; `found` is the row that was read, where there is one."""

    quota: ReleaseQuota
    spent: Spent
    found: Found[Spent] | None

    def room(self) -> Room:
        """What may still leave today."""
        left = max(0, self.quota.count - self.spent.count), max(0, self.quota.size - self.spent.size)
        return Room(*left, self.quota.count, self.quota.size)

    def after(self, size: int) -> Put:
        """The row once so many bytes more have left; it lands only where nothing else has been counted meanwhile."""
        spent = Spent(self.spent.day, self.spent.count + 1, self.spent.size + size)
        return Put(SPENT, _ID, spent, expect=self.found.version if self.found is not None else 0)


async def today(flow: Flow, now: int) -> Today:
    """How it stands at the acting class, and at no other."""
    quotas = [each for each in await flow.read_each(RELEASE_QUOTA, _ID) if each.ref.class_id == flow.access.id]
    counted = [each for each in await flow.read_each(SPENT, _ID) if each.ref.class_id == flow.access.id]
    found = counted[0] if counted else None
    day = now // DAY
    spent = found.value if found is not None and found.value.day >= day else Spent(day)
    return Today(quotas[0].value if quotas else ReleaseQuota(), spent, found)
