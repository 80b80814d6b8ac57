"""Going out: every response bears its marking, its label and its ledger entry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from casemate.labels import Label, Policies

__all__ = ["marking_headers", "send_piece", "send_start", "send_whole"]

BODILESS = (204, 304)  # RFC 9110 section 8.6
Send = Callable[[dict[str, Any]], Awaitable[None]]


def marking_headers(policies: Policies, label: Label, entry: str, language: str = "en") -> list[tuple[str, str]]:
    """`Casemate-Marking` for people, `Casemate-Label` for programs, `Casemate-Ledger` for auditors."""
    headers = [("Casemate-Marking", policies.banner(label, language)), ("Casemate-Label", label.text)]
    return [*headers, ("Casemate-Ledger", entry)] if entry else headers


async def send_start(send: Send, status: int, media: str, headers: Iterable[tuple[str, str]]) -> None:
    """The head of a response."""
    named = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    raw = [(b"content-type", media.encode("latin-1", "replace")), *named]
    if b"cache-control" not in dict(named):
        raw.insert(1, (b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def send_piece(send: Send, body: bytes, more: bool) -> None:
    """A piece of a body."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def send_whole(
    send: Send, status: int, media: str, headers: Iterable[tuple[str, str]], body: bytes, head: bool = False
) -> None:
    """A whole response; a HEAD gets its head, and one that says how long a GET would be is not told otherwise."""
    named = list(headers)
    if status not in BODILESS and not any(name.lower() == "content-length" for name, _ in named):
        named.append(("content-length", str(len(body))))
    await send_start(send, status, media, named)
    await send_piece(send, b"" if head else body, False)
