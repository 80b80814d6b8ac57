"""Documents: bring, list, read, state the label of unmarked ones, search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.access import HELD
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.knowledge import Added, Hit, add, listed, opened, waiting
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

FILE_LIMIT = 64 << 20
LIST = Action("list", "document")
SEARCH = Action("search", "knowledge")


class StateRequest(msgspec.Struct, frozen=True):
    """The label of documents that bear no mark: those named, or all that wait."""

    label: str
    ids: tuple[str, ...] = ()
    marks: str = "read"


def routes(rooms: Rooms) -> list[Route]:
    """Document routes."""
    read = Action("read", "document")
    adds = Action("add", "document")
    return [
        Route("POST", "/api/documents", "native", adds, _add, gives=Added, limit=FILE_LIMIT),
        Route("GET", "/api/documents", "native", LIST, _list, gives=dict[str, Any]),
        Route("POST", "/api/documents/label", "native", adds, _state, takes=StateRequest, gives=dict[str, int]),
        Route("GET", "/api/documents/{id}", "native", read, _read, gives=dict[str, Any]),
        Route("GET", "/api/search", "native", SEARCH, _Search(rooms).search, gives=list[Any], texts=_words, asks=True),
    ]


async def _add(call: Call) -> Reply:
    """The file is the body; `name`, `base`, `label`, `marks` and `need` stand in the query."""
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
    )
    return reply(call.flow, added, status=202, bytes=len(call.raw))


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
        "added_by": value.added_by,
        "at": value.at,
        **marked(call.flow, label),
    }


async def _read(call: Call) -> Reply:
    """What may be read of a document: its visible passages, each with its mark."""
    whole, parts = await opened(call.flow, call.path["id"])
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
    }
    return reply(call.flow, data, document=call.path["id"])


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


def _words(query: dict[str, str]) -> Iterable[str]:
    return (query.get("q", ""),)


class _Search:
    """Search needs the library."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def search(self, call: Call) -> Reply:
        """The best passages of the visible world, with exact scores."""
        names = tuple(n for n in call.query.get("base", "all").split(",") if n) or ("all",)
        await self._rooms.library.check(call.flow, names)
        asked = await self._rooms.library.ask(call.flow, call.query.get("q", ""))
        results = await self._rooms.library.search(call.flow, asked, names, 20)
        return reply(call.flow, [_hit(call, hit) for hit in results.hits])


def _hit(call: Call, hit: Hit) -> dict[str, Any]:
    return {
        "document": hit.passage.document,
        "passage": hit.passage.id,
        "title": hit.passage.title,
        "text": hit.passage.text,
        "bm25": hit.bm25,
        "cosine": hit.cosine,
        "score": hit.fused,
        **marked(call.flow, hit.label),
    }
