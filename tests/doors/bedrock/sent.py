"""Requests of this wire, signed, and models and answers for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from casemate.access import Flow
from casemate.models import Card, Chat, Delta, Thought, ToolPiece, Usage
from tests.doors.bedrock.signing import signed
from tests.doors.wired import OPEN, SECRET, Got, Unused, Wired

ID = "casemate.extractive-reader"
LARGE = "acme.large"
ABLE = "acme.able"
ARN = "arn%3Aaws-us-gov%3Abedrock%3Agov-secret-1%3A%3Afoundation-model%2F"
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "When does the ferry sail?"}]}]}
PNG = b"\x89PNG\r\n\x1a\n rest"
TOOL: dict[str, Any] = {
    "toolSpec": {"name": "tide", "description": "The tide.", "inputSchema": {"json": {"type": "object"}}}
}


def able(region: Wired) -> str:
    """A model that takes images too; its id."""
    takes = frozenset({"tools", "shape", "images"})
    region.catalogue.add(Card("acme/able", "able", "acme", region.clearance(SECRET), Unused(), takes=takes))
    return ABLE


def send(
    region: Wired, method: str, path: str, body: Any = None, key: tuple[str, str] | None = None, **more: Any
) -> Got:
    """A signed request; `headers` are signed with it."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    key = key or region.key(more.pop("floor", OPEN), more.pop("ceiling", SECRET), client="boto3")
    headers = signed(region, key, method, path, raw, more.pop("headers", None))
    return region.send(method, path, raw, headers.items(), **more)


def ask(region: Wired, body: Any, model: str = ID, verb: str = "converse", **more: Any) -> Got:
    """A request to a model."""
    return send(region, "POST", f"/model/{model}/{verb}", body, **more)


def scripted(deltas: Sequence[Delta]) -> Any:
    """An answerer's script that says these deltas."""

    async def script(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        for delta in deltas:
            yield delta

    return script


THINKS = (
    Delta(thought=Thought("Let me ")),
    Delta(thought=Thought("think.", "sig")),
    Delta(thought=Thought(sealed="c2VhbGVk")),
    Delta(text="I ask."),
    Delta(call=ToolPiece(0, "", "call 1", "tide")),
    Delta(call=ToolPiece(0, '{"at":')),
    Delta(call=ToolPiece(0, '"pier"}')),
    Delta(call=ToolPiece(1, "{}", "", "tide")),
    Delta(finish="tool", usage=Usage(5, 9, False, 3)),
)
