"""How these tests ask: a message, the headers of a client of this protocol, and the events of a stream."""

from __future__ import annotations

import json
from typing import Any

from casemate.models import READER
from tests.doors.wired import OPEN, SECRET, Got, Wired

VERSION = ("anthropic-version", "2026-10-21")
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def message(content: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    """A request of one turn."""
    return {"model": READER, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}


def ask(
    region: Wired,
    body: Any,
    path: str = "/v1/messages",
    floor: str = SECRET,
    ceiling: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    method: str = "POST",
) -> Got:
    """Ask with a key of that floor and ceiling, in `x-api-key`."""
    _, key = region.key(floor, ceiling or floor)
    return region.send(method, path, body, [("x-api-key", key), VERSION, *headers])


def opened(region: Wired, body: Any, **more: Any) -> Got:
    """Ask with a key that begins at the lowest label and may rise to SECRET."""
    return ask(region, body, floor=OPEN, ceiling=SECRET, **more)


def events(got: Got) -> list[tuple[str, Any]]:
    """The events of a stream: name and data; each name is the type of its data."""
    blocks = got.body.decode().split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        name, data = block.split("\n", 1)
        told = json.loads(data.removeprefix("data: "))
        assert name == f"event: {told['type']}"
        found.append((told["type"], told))
    return found
