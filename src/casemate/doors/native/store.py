"""The store: blobs looked at a stretch at a time, what is damaged, and what each label has used of its share."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from casemate.custody.scrub import Stretch, damaged
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


class ScrubRequest(msgspec.Struct, frozen=True):
    """Where the next stretch begins: "" for the first one, else what the last one gave."""

    after: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """Routes of the store's blobs."""
    scrub, read = Action("scrub", "store"), Action("read", "store")
    return [
        Route("POST", "/api/store/scrub", "native", scrub, partial(_scrub, rooms), takes=ScrubRequest, gives=Stretch),
        Route("GET", "/api/store/damaged", "native", read, _damaged, gives=list[dict[str, Any]]),
        Route("GET", "/api/store/classes", "native", read, _classes, gives=list[dict[str, Any]]),
    ]


async def _scrub(rooms: Rooms, call: Call) -> Reply:
    """Look at the next blobs that lie at the acting label: mend, sweep, and say what is damaged."""
    found = await rooms.scrub.stretch(call.flow, call.body.after)
    told = {name: count for name, count in msgspec.structs.asdict(found).items() if isinstance(count, int)}
    return reply(call.flow, found, **told)


async def _damaged(call: Call) -> Reply:
    """What is damaged at the acting label: by its objects for those who may read them, by number for an operator."""
    roles = call.flow.session.principal.roles
    data: list[dict[str, Any]] = []
    for number, each in enumerate(await damaged(call.flow), 1):
        told: dict[str, Any] = {"number": number, "why": each.value.why, "at": each.value.at}
        if "user" in roles:
            told["objects"] = each.value.objects
        data.append(told)
    return reply(call.flow, data)


async def _classes(call: Call) -> Reply:
    """The labels at which something lies, with what each has used of its shares, of blobs and of records, in bytes."""
    flow = call.flow
    data = []
    for access in flow.classes():
        if access.need or access.originator:
            continue
        vault = flow.gate.vault
        used, share = await vault.blobs.used(access.id)
        records = {"records_used": vault.reader.used(access.id), "records_share": vault.share(access.id)}
        data.append({"used": used, "share": share, **records, **marked(flow, access.label)})
    return reply(flow, sorted(data, key=_label))


def _label(told: dict[str, Any]) -> str:
    return str(told["label"])
