"""Batches: begin, list, look up, cancel. They are answered by `models.batches`, wherever its loop runs."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import Body, given, looked_at, read
from casemate.doors.openai.pages import page
from casemate.errors import BadInput
from casemate.models.batch import Batch, Fault, begin, cancel, mine
from casemate.models.batch import read as found_of
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

ENDPOINTS = ("/v1/chat/completions", "/v1/embeddings", "/v1/responses")
PAGE, MOST = 20, 100
_TIMES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


class Request(msgspec.Struct, kw_only=True):
    """The whole of it."""

    input_file_id: str
    endpoint: str
    completion_window: str = "24h"
    metadata: dict[str, str] | None = None


_KNOWN = frozenset(Request.__struct_fields__)


def routes(plane: str) -> list[Route]:
    """The operations on batches."""
    add, one = Action("add", "batch"), "/v1/batches/{id}"
    return [
        Route("POST", "/v1/batches", plane, add, _begin, takes=Body, texts=looked_at),
        Route("GET", "/v1/batches", plane, Action("list", "batch"), _list),
        Route("GET", one, plane, Action("read", "batch"), _one),
        Route("POST", f"{one}/cancel", plane, add, _cancel),
    ]


async def _begin(call: Call) -> Reply:
    language = call.flow.session.language
    request = read(Request, call.body, language)
    for name in given(call.body, _KNOWN):
        raise refuse(name, language)
    if request.endpoint not in ENDPOINTS:
        raise BadInput(what=say("openai.endpoint", language, names=", ".join(ENDPOINTS)))
    if request.completion_window != "24h":
        raise BadInput(what=say("openai.window", language))
    id, batch = await begin(call.flow, request.endpoint, request.input_file_id[:200], request.metadata or {})
    return Reply(msgspec.json.encode(_shown(id, batch)), facts={"batch": id})


async def _list(call: Call) -> Reply:
    return page(call, [(one.id, _shown(one.id, one.value)) for one in await mine(call.flow)], PAGE, MOST)


async def _one(call: Call) -> Reply:
    found = await found_of(call.flow, call.path["id"][:200])
    return Reply(msgspec.json.encode(_shown(found.id, found.value)))


async def _cancel(call: Call) -> Reply:
    id = call.path["id"][:200]
    return Reply(msgspec.json.encode(_shown(id, await cancel(call.flow, id))), facts={"batch": id})


def _shown(id: str, batch: Batch) -> dict[str, Any]:
    times = {f"{state}_at": batch.times[state] // SECOND if state in batch.times else None for state in _TIMES}
    return {
        "id": id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": {"object": "list", "data": [_fault(one) for one in batch.faults]} if batch.faults else None,
        "input_file_id": batch.input,
        "completion_window": "24h",
        "status": batch.state,
        "output_file_id": batch.output or None,
        "error_file_id": batch.errors or None,
        "created_at": batch.at // SECOND,
        "expires_at": batch.expires // SECOND,
        **times,
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "metadata": batch.metadata or None,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"code": fault.code, "message": fault.message, "line": fault.line or None, "param": None}
