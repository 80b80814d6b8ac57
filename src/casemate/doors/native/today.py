"""Today: what was asked, what left this machine, what was stopped. Made of the entries that the caller may read."""

from __future__ import annotations

from typing import Any

from casemate.access import Seen, audit
from casemate.assistants import question_of
from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.ledger import shown
from casemate.doors.native.rooms import Rooms, reply
from casemate.policy import Action

__all__ = ["routes", "summary"]

DAY = 86_400 * SECOND
STOPPED = ("refused", "absent", "failed", "unauthenticated")


def routes(rooms: Rooms) -> list[Route]:
    """The one route of this noun."""
    del rooms
    return [Route("GET", "/api/today", "native", Action("read", "ledger"), _today, gives=dict[str, Any])]


async def summary(call: Call) -> dict[str, list[dict[str, Any]]]:
    """The last day's entries in three heaps."""
    since = call.gate.vault.clock.now() - DAY
    heaps: dict[str, list[dict[str, Any]]] = {"asked": [], "left": [], "stopped": []}
    for seen in audit.entries(call.flow, 500):
        if seen.entry.at < since:
            continue
        if seen.entry.action == "answer.ask" and seen.entry.outcome == "begin":
            heaps["asked"].append(shown(call, seen) | {"question": await _own(call, seen)})
        elif seen.entry.outcome == "lent":
            heaps["left"].append(shown(call, seen))
        elif seen.entry.outcome in STOPPED:
            heaps["stopped"].append(shown(call, seen))
    return heaps


async def _own(call: Call, seen: Seen) -> str:
    """What the caller himself asked; of anybody else's question only that it was asked."""
    if not seen.kept or seen.entry.principal != call.flow.session.principal.name:
        return ""
    said = await audit.own_content(call.flow, seen.entry.id)
    return question_of(said or b"")


async def _today(call: Call) -> Reply:
    return reply(call.flow, await summary(call))
