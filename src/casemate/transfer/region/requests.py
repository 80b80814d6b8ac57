"""Requests for jobs that rose from below: they wait for somebody here, who says yes or no.

Whoever says yes runs a job of his own. It must never run anything, and never tell the region below what became of it.
"""

from __future__ import annotations

from msgspec.structs import replace

from casemate.access import Flow
from casemate.errors import Conflict
from casemate.objects import Found, Put
from casemate.transfer.region.channel import REQUEST, RequestRecord

__all__ = ["requests", "settle"]


async def requests(flow: Flow) -> list[Found[RequestRecord]]:
    """Those that the acting label sees, oldest first."""
    return sorted(await flow.every(REQUEST), key=lambda found: (found.value.at, found.id))


async def settle(flow: Flow, id: str, accepts: bool, job: str = "") -> Found[RequestRecord]:
    """Yes or no, once, at the label at which it lies. `job`: one of the caller's own. Raises Absent, Conflict."""
    own = [each for each in await flow.read_each(REQUEST, id[:64]) if each.ref.class_id == flow.access.id]
    if not own:
        return await flow.absent(REQUEST, id[:64])
    found = own[0]
    if found.value.state != "waiting":
        raise Conflict(what=f"Request {id[:64]}")
    state, me = "accepted" if accepts else "declined", flow.session.principal.name
    settled = replace(found.value, state=state, settled_by=me, job=job)
    facts = {"request": found.id, "state": state} | ({"job": job} if job else {})
    await flow.commit(Put(REQUEST, found.id, settled, expect=found.version), facts=facts)
    return Found(found.ref, found.version, found.label, settled)
