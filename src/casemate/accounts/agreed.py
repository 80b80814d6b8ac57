"""Where two officers are asked for: the first asks and it waits, the second asks for exactly the same and it is done.

What waits is kept as a digest of what was asked, so nobody can agree to something else than he has asked for himself.
"""

from __future__ import annotations

import hashlib

import msgspec

from casemate.access import Flow
from casemate.errors import Refused
from casemate.objects import Delete, Kind, Put

__all__ = ["agreed"]


class Asked(msgspec.Struct, frozen=True):
    """Who asked first."""

    by: str


ASKED = Kind("principal.asked", Asked)


async def agreed(flow: Flow, what: str, about: str = "") -> list[Delete] | None:
    """The changes to commit beside the deed, or None where it waits for another officer now.

    `about`: the principal whom it gives something, who may be neither of the two. Raises Refused.
    """
    if not flow.gate.directory.two_person():
        return []
    me = flow.session.principal.id
    if about == me:
        raise Refused(rule="self-grant")
    id = hashlib.sha384(what.encode()).hexdigest()
    waiting = [found for found in await flow.read_each(ASKED, id) if found.ref.class_id == flow.access.id]
    if not waiting:
        await flow.commit(Put(ASKED, id, Asked(me), expect=0), facts={"asked": id[:16]})
        return None
    if waiting[0].value.by == me:
        raise Refused(rule="two-person")
    return [Delete(ASKED, id, expect=waiting[0].version)]
