"""The officer's word on how much may leave in a day, at the label at which it is counted."""

from __future__ import annotations

import msgspec

from casemate.access import Flow, ReleaseQuota, Today, today
from casemate.access.release_quota import RELEASE_QUOTA
from casemate.accounts.agreed import agreed
from casemate.errors import BadInput
from casemate.objects import Put

__all__ = ["ReleaseQuotaRequest", "release_today", "set_release_quota"]

COUNT, SIZE = 10_000, 1 << 30


class ReleaseQuotaRequest(msgspec.Struct, frozen=True):
    """At most so many releases, and so many bytes, in a day of UTC; 0 is none."""

    count: int
    size: int


async def set_release_quota(flow: Flow, request: ReleaseQuotaRequest) -> ReleaseQuota | None:
    """What holds from now on at the acting label, None where a second officer has to say the same. Raises BadInput."""
    if not 0 <= request.count <= COUNT or not 0 <= request.size <= SIZE:
        raise BadInput(what=f"A quota of releases is 0 to {COUNT} a day, and 0 to {SIZE} bytes.")
    done = await agreed(flow, f"release-quota {request.count} {request.size}")
    if done is None:
        return None
    now = flow.gate.vault.clock.now()
    quota = ReleaseQuota(request.count, request.size, flow.session.principal.name, now)
    await flow.commit(
        Put(RELEASE_QUOTA, "day", quota), *done, facts={"count": str(request.count), "size": str(request.size)}
    )
    return quota


async def release_today(flow: Flow) -> Today:
    """The quota of the acting label, and what has left there today."""
    return await today(flow, flow.gate.vault.clock.now())
