"""Requests of this wire as a client sends them, and scripts of what a model says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from casemate.access import Flow
from casemate.models import READER, Card, Chat, Delta, Thought, ToolPiece, Usage
from tests.doors.wired import OPEN, SECRET, UPSTREAM, Got, Unused, Wired

PIXEL = "data:image/png;base64,iVBORw0KGgo="
SEES = "acme/sees"
TRUSTED = "acme/trusted"
WEATHER = {"name": "weather", "description": "Of a port.", "parameters": {"type": "object"}, "strict": True}


def ask(region: Wired, body: dict[str, Any] | bytes, key: str = "", **more: Any) -> Got:
    return post(region, "/v1/chat/completions", body, key, **more)


def post(region: Wired, path: str, body: dict[str, Any] | bytes, key: str = "", **more: Any) -> Got:
    return call(region, "POST", path, body, key, **more)


def call(region: Wired, method: str, path: str, body: Any = b"", key: str = "", **more: Any) -> Got:
    secret = key or region.key(OPEN, SECRET)[1]
    headers = [("Authorization", f"Bearer {secret}"), *more.pop("headers", ())]
    return region.send(method, path, body, headers, **more)


def chat(content: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    return {"model": READER, "messages": [{"role": "user", "content": content}]} | more


def upstream(content: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    return chat(content, model=UPSTREAM) | more


def more_models(region: Wired) -> None:
    """A model that sees pictures, and one that may keep, fetch and call."""
    allowed = frozenset({"store", "web_search", "remote-url", "prompt_cache_key", "file_id"})
    level = region.clearance(SECRET)
    takes = frozenset({"tools", "shape", "images"})
    region.catalogue.add(Card(SEES, "sees", "acme", level, Unused(), takes=takes))
    region.catalogue.add(Card(TRUSTED, "trusted", "acme", level, Unused(), takes=takes, allows=allowed))


def events(got: Got) -> list[dict[str, Any]]:
    """The events of a response's stream, each under its own name; the last line is the end."""
    blocks = got.body.decode().split("\n\n")
    assert blocks.pop() == ""
    assert blocks.pop() == "data: [DONE]"
    found = []
    for block in blocks:
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


async def thinks_and_calls(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """Reasoning, a few words, then two calls whose arguments come in pieces."""
    yield Delta(thought=Thought("Which "))
    yield Delta(thought=Thought("port?", sealed="c2VhbA=="))
    yield Delta(text="I’ll ")
    yield Delta(text="look.")
    yield Delta(call=ToolPiece(0, id="call_a", name="weather"))
    yield Delta(call=ToolPiece(0, '{"port":'))
    yield Delta(call=ToolPiece(0, '"Sable"}'))
    yield Delta(call=ToolPiece(1, "{}", id="call_b", name="tide"))
    yield Delta(finish="tool", usage=Usage(9, 4, estimated=False, cached=3))


async def only_calls(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(call=ToolPiece(0, '{"a":1}', id="call_a", name="weather"))
    yield Delta(finish="tool")


async def runs_out(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")
    yield Delta(finish="length", usage=Usage(2, 3))
