"""The ledger: read what one may, verify, export, and open what was said with a reason."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from casemate.access import Seen, audit
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import Absent, BadInput
from casemate.ledger import Head
from casemate.policy import Action

__all__ = ["routes", "shown"]


class OpenRequest(msgspec.Struct, frozen=True):
    """Why what was said is opened."""

    reason: str


class VerifyRequest(msgspec.Struct, frozen=True):
    """Heads that somebody outside remembers."""

    heads: tuple[Head, ...] = ()


def routes(rooms: Rooms) -> list[Route]:
    """Ledger routes."""
    del rooms
    read, check = Action("read", "ledger"), Action("verify", "ledger")
    return [
        Route("GET", "/api/ledger", "native", read, _list, gives=list[Any]),
        Route("POST", "/api/ledger/verify", "native", check, _verify, takes=VerifyRequest, gives=list[Any]),
        Route("GET", "/api/ledger/heads", "native", check, _heads, gives=list[Head]),
        Route("GET", "/api/ledger/logs/{log}", "native", Action("open", "ledger"), _export),
        Route("GET", "/api/ledger/{id}", "native", read, _one, gives=dict[str, Any]),
        Route("POST", "/api/ledger/{id}/open", "native", Action("open", "ledger"), _open, takes=OpenRequest),
    ]


def shown(call: Call, seen: Seen) -> dict[str, Any]:
    """An entry with the label of its log."""
    return {"entry": seen.entry, "seq": seen.seq, "kept": seen.kept, **marked(call.flow, seen.access.label)}


async def _list(call: Call) -> Reply:
    """The newest entries that the caller may read, newest first."""
    limit = call.query.get("limit", "100")
    if not limit.isdigit() or not 0 < int(limit) <= 1000:
        raise BadInput(what="limit is 1 to 1000.")
    return reply(call.flow, [shown(call, seen) for seen in audit.entries(call.flow, int(limit))])


async def _one(call: Call) -> Reply:
    return reply(call.flow, shown(call, audit.entry(call.flow, call.path["id"])))


async def _open(call: Call) -> Reply:
    """What was said. The opening is an entry before anything is shown."""
    if not call.body.reason.strip():
        raise BadInput(what="Opening what was said needs a reason.")
    content = await audit.open_content(call.flow, call.path["id"], call.body.reason)
    text = None if content is None else content.decode("utf-8", "replace")
    return reply(call.flow, {"entry": call.path["id"], "content": text})


async def _verify(call: Call) -> Reply:
    """A verdict for every log that the caller sees."""
    verdicts = await audit.judged(call.flow, list(call.body.heads))
    data = []
    for access, verdict in verdicts:
        data.append({"verdict": _plain(verdict), **marked(call.flow, access.label)})
    return reply(call.flow, data, logs=len(data))


async def _heads(call: Call) -> Reply:
    """The newest signed head of every visible log: keep them elsewhere, and a rollback can be seen."""
    return reply(call.flow, await asyncio.to_thread(audit.heads, call.flow))


async def _export(call: Call) -> Reply:
    """One log as a file that can be verified alone."""
    for access in call.flow.classes():
        if access.id == call.path["log"]:
            file = await asyncio.to_thread(audit.export, call.flow, access)
            return Reply(file, "application/jsonl", facts={"log": access.id})
    raise Absent(kind="log", id=call.path["log"])


def _plain(verdict: Any) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in verdict.__slots__}
