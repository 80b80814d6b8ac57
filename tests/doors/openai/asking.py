"""A chat completion as a client asks for it."""

from __future__ import annotations

from typing import Any

from casemate.models import READER
from tests.doors.wired import OPEN, SECRET, Got, Wired


def ask(region: Wired, body: dict[str, Any] | bytes, key: str = "", **more: Any) -> Got:
    secret = key or region.key(OPEN, SECRET)[1]
    headers = [("Authorization", f"Bearer {secret}"), *more.pop("headers", ())]
    return region.send("POST", "/v1/chat/completions", body, headers, **more)


def chat(content: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    return {"model": READER, "messages": [{"role": "user", "content": content}]} | more
