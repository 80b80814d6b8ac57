"""Keys: issue (shown once), list, revoke."""

from __future__ import annotations

from casemate.accounts import Key, KeyRequest, issue, keys, revoke
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Key routes."""
    del rooms
    return [
        Route("POST", "/api/keys", "native", Action("issue", "key"), _issue, takes=KeyRequest, gives=Key),
        Route("GET", "/api/keys", "native", Action("list", "key"), _list, gives=list[Key]),
        Route("DELETE", "/api/keys/{id}", "native", Action("revoke", "key"), _revoke, gives=dict[str, str]),
    ]


async def _issue(call: Call) -> Reply:
    """The only time that the secret is said; the ledger keeps a note of the key, not of its secret.

    Where other processes admit by a snapshot, the answer waits for the next one: then the key works at once.
    """
    key, secret = await issue(call.flow, call.body)
    await call.gate.directory.published()
    answer = reply(call.flow, {"key": key, "secret": secret}, status=201)
    answer.secret = True
    return answer


async def _list(call: Call) -> Reply:
    return reply(call.flow, [found.value for found in await keys(call.flow)])


async def _revoke(call: Call) -> Reply:
    await revoke(call.flow, call.path["id"])
    await call.gate.directory.published()  # when this is told it is true of the other processes too
    return reply(call.flow, {"revoked": call.path["id"]})
