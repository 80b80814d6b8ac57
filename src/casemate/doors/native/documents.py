"""Documents: bring, list, read, state the label of unmarked ones."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import HELD
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.knowledge import Added, Document, Part, add, listed, opened, waiting
from casemate.knowledge.documents.described import Attribute, Described, described_of
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.neighbours import neighbours
from casemate.objects import Found
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

FILE_LIMIT = 64 << 20
LIST = Action("list", "document")


class StateRequest(msgspec.Struct, frozen=True):
    """The label of documents that bear no mark: those named, or all that wait."""

    label: str
    ids: tuple[str, ...] = ()
    marks: str = "read"


def routes(rooms: Rooms) -> list[Route]:
    """Document routes."""
    del rooms
    read = Action("read", "document")
    adds = Action("add", "document")
    return [
        Route("POST", "/api/documents", "native", adds, _add, gives=Added, limit=FILE_LIMIT, texts=_said_of),
        Route("GET", "/api/documents", "native", LIST, _list, gives=dict[str, Any]),
        Route("POST", "/api/documents/label", "native", adds, _state, takes=StateRequest, gives=dict[str, int]),
        Route("GET", "/api/documents/{id}", "native", read, _read, gives=dict[str, Any]),
    ]


def _said_of(query: dict[str, str]) -> tuple[str, ...]:
    """What was typed beside the file and comes to rest with each part of it; what cannot be read is refused later."""
    try:
        said = _attributes(query.get("attributes", ""), "en")
    except BadInput:
        return ()
    return (*said, *(value for value in said.values() if isinstance(value, str)))


async def _add(call: Call) -> Reply:
    """The file is the body; `name`, `base`, `label`, `marks` and `need` stand in the query.

    There too: `replaces`, the document whose place it takes, and `attributes`, a JSON object.
    """
    query = call.query
    if not call.raw:
        raise BadInput(what="The file is empty.")
    added = await add(
        call.flow,
        query.get("name", ""),
        query.get("base", "") or "default",
        call.raw,
        query.get("label", ""),
        query.get("marks", "") or "read",
        query.get("need", ""),
        attributes=_attributes(query.get("attributes", ""), call.flow.session.language),
        replaces=query.get("replaces", ""),
    )
    return reply(call.flow, added, status=202, bytes=len(call.raw))


def _attributes(text: str, language: str) -> dict[str, Attribute]:
    try:
        return msgspec.json.decode(text, type=dict[str, Attribute]) if text else {}
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BadInput(what=say("knowledge.attributes.json", language)) from None


async def _list(call: Call) -> Reply:
    """What is visible: whole documents, parts of others, and what waits; with `only=waiting` the last alone."""
    flow = call.flow
    wholes, parts = ([], []) if call.query.get("only") == "waiting" else await listed(flow)
    data = {
        "documents": [_document(call, f.id, f.value, f.label) for f in wholes],
        "parts": [{"id": f.id, "base": f.value.base, "title": f.value.title, **marked(flow, f.label)} for f in parts],
        "waiting": [
            {
                "id": f.id,
                "name": f.value.name,
                "state": f.value.state,
                "added_by": f.value.principal,
                "at": f.value.at,
                **marked(flow, f.label),
            }
            for f in await waiting(flow)
        ],
    }
    return reply(flow, data)


def _document(call: Call, id: str, value: Any, label: Any) -> dict[str, Any]:
    reason, remedy = "", ""
    if value.reason:
        slug, language = f"knowledge.quarantine.{value.reason}", call.flow.session.language
        reason = say(f"{slug}.detail", language, **value.facts)
        remedy = say(f"{slug}.remedy", language, **value.facts)
    return {
        "id": id,
        "name": value.name,
        "base": value.base,
        "title": value.title,
        "state": value.state,
        "reason": reason,
        "remedy": remedy,
        "passages": value.passages,
        "notes": value.notes,
        "added_by": value.added_by,
        "at": value.at,
        **marked(call.flow, label),
    }


async def _read(call: Call) -> Reply:
    """What may be read of a document: its visible passages, each with its mark, and what is nearly the same."""
    flow = call.flow
    whole, parts = await opened(flow, call.path["id"])
    flow.use(*(part.ref for part in parts))
    said = await described_of(flow, call.path["id"])
    passages = [
        {
            "id": p.id,
            "text": p.text,
            "heading": p.heading,
            "page": p.page,
            "ordinal": p.ordinal,
            **marked(call.flow, part.label),
        }
        for part in parts
        for p in part.value.passages
    ]
    data = {
        "id": call.path["id"],
        "title": whole.value.title if whole else parts[0].value.title,
        "document": _document(call, whole.id, whole.value, whole.label) if whole else None,
        "passages": passages,
        "attributes": _said(said, whole, parts),
        "near": await neighbours(flow, parts, await gone(flow)),
    }
    return reply(flow, data, document=call.path["id"])


def _said(said: Described, whole: Found[Document] | None, parts: list[Found[Part]]) -> dict[str, Attribute]:
    """The attributes of the whole, or of the highest part that is seen, as they stand now."""
    if whole is not None:
        return said.attributes(whole.id, whole.label, whole.value.attributes)
    last = max(parts, key=lambda part: part.label.text)
    return said.attributes(last.id, last.label, last.value.attributes)


async def _state(call: Call) -> Reply:
    """Say the label of unmarked documents."""
    flow, request = call.flow, call.body
    if request.marks not in ("read", "text"):
        raise BadInput(what="Marks are read, or are text.")
    label = call.gate.vault.region.label(request.label)
    ids = request.ids or tuple(
        f.id
        for f in await flow.every(HELD)
        if f.value.state == "unmarked" and f.value.principal == flow.session.principal.name
    )
    for id in ids:
        await flow.restate(id, label, request.marks)
    return reply(flow, {"labelled": len(ids)})
