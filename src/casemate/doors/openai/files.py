"""Files: bring, list, look up, read, remove. What a file says is looked at for marks before it is kept."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route, read_form
from casemate.doors.openai.brought import looked_at
from casemate.doors.openai.pages import page
from casemate.errors import BadInput
from casemate.models.files import NAME, File, content, keep, mine, own, remove
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

LIMIT = 64 << 20
PIECE = 1 << 20  # bytes of a file that are looked at in one go, beside the loop that serves everybody
PAGE = 10_000


def routes(plane: str) -> list[Route]:
    """The operations on files."""
    one = "/v1/files/{id}"
    return [
        Route("POST", "/v1/files", plane, Action("add", "file"), _add, limit=LIMIT),
        Route("GET", "/v1/files", plane, Action("list", "file"), _list),
        Route("GET", one, plane, Action("read", "file"), _one),
        Route("DELETE", one, plane, Action("remove", "file"), _remove),
        Route("GET", f"{one}/content", plane, Action("read", "file"), _content),
    ]


async def _add(call: Call) -> Reply:
    fields, brought = read_form(call.headers.get("content-type", ""), call.raw)
    if len(brought) != 1:
        raise BadInput(what=say("files.name", call.flow.session.language, most=NAME))
    name, data = brought[0]
    await call.flow.inspect([name, *fields.values()])
    await _look(call, data)
    id, file = await keep(call.flow, name, fields.get("purpose", ""), data)
    return Reply(msgspec.json.encode(_shown(id, file)), facts={"file": id, "bytes": file.size})


async def _look(call: Call, data: bytes) -> None:
    """Look at all of it: at each line as it stands, and at what it says where it is JSON."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + PIECE) + 1 or len(data)
        await call.flow.inspect([await call.flow.beside(_said, data[start:end])])
        start = end


def _said(piece: bytes) -> str:
    found: list[str] = []
    for line in piece.splitlines():
        found.append(line.decode("utf-8", "replace"))
        if line[:1] in (b"{", b"["):
            try:
                found += looked_at(msgspec.json.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
    return "\n".join(found)


async def _list(call: Call) -> Reply:
    """Newest first, or `order=asc`; `purpose` chooses."""
    wanted = call.query.get("purpose", "")
    found = [one for one in await mine(call.flow) if wanted in ("", one.value.purpose)]
    return page(call, [(one.id, _shown(one.id, one.value)) for one in found], PAGE, PAGE)


async def _one(call: Call) -> Reply:
    found = await own(call.flow, call.path["id"][:200])
    return Reply(msgspec.json.encode(_shown(found.id, found.value)))


async def _remove(call: Call) -> Reply:
    id = call.path["id"][:200]
    await remove(call.flow, id)
    return Reply(msgspec.json.encode({"id": id, "object": "file", "deleted": True}))


async def _content(call: Call) -> Reply:
    found = await own(call.flow, call.path["id"][:200])
    data = await content(call.flow, found)
    headers = (("Content-Disposition", "attachment"), ("X-Content-Type-Options", "nosniff"))
    return Reply(data, "application/octet-stream", headers=headers, subjects=(found.ref,))


def _shown(id: str, file: File) -> dict[str, Any]:
    return {
        "id": id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.at // SECOND,
        "expires_at": None,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }
