"""The body of a chat completion, as far as we read it; unknown fields are passed over, refused ones are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.models import Message
from casemate.words import say

__all__ = ["Part", "Request", "StreamOptions", "Turn", "messages_of", "refuse_unoffered", "texts"]

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class Part(msgspec.Struct):
    """A content part. Only text is taken; a refusal is text that an assistant once said."""

    type: str = "text"
    text: str = ""
    refusal: str = ""


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: str | list[Part] | None = None
    tool_calls: Any = None


class StreamOptions(msgspec.Struct):
    """`include_usage`: one more chunk before the end, with the usage of the whole."""

    include_usage: bool | None = False


class Request(msgspec.Struct, kw_only=True):
    """What we read of a chat completion. `Any` fields are looked at only to refuse them."""

    model: str
    messages: list[Turn]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    metadata: dict[str, str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    n: int | None = 1
    stop: Any = None
    tools: Any = None
    functions: Any = None
    logprobs: Any = None
    audio: Any = None
    modalities: list[str] | None = None
    response_format: dict[str, Any] | None = None
    web_search_options: Any = None


def texts(request: Request) -> Iterable[str]:
    """Everything that somebody wrote, to be looked at for marks."""
    for turn in request.messages:
        if isinstance(turn.content, str):
            yield turn.content
        for part in turn.content if isinstance(turn.content, list) else ():
            yield part.text
            yield part.refusal


def messages_of(request: Request, language: str) -> list[Message]:
    """The messages as the house speaks of them. Raises BadInput."""
    return [_message(place, turn, language) for place, turn in enumerate(request.messages, start=1)]


def refuse_unoffered(request: Request, language: str) -> None:
    """What would change the answer and is not offered is refused, never ignored."""
    asked = {
        "n": request.n not in (None, 1),
        "stop": bool(request.stop),
        "tools": bool(request.tools),
        "functions": bool(request.functions),
        "logprobs": bool(request.logprobs),
        "audio": bool(request.audio) or "audio" in (request.modalities or ()),
        "response_format": (request.response_format or {}).get("type", "text") != "text",
        "web_search_options": request.web_search_options is not None,
    }
    for name, found in asked.items():
        if found:
            raise BadInput(what=say("models.not_offered", language, name=name))


def _message(place: int, turn: Turn, language: str) -> Message:
    if turn.role not in _ROLES:
        raise BadInput(what=say("models.role", language, place=place, role=turn.role[:40]))
    if turn.tool_calls:
        raise BadInput(what=say("models.not_offered", language, name="tool_calls"))
    if not isinstance(turn.content, list):
        return Message(_ROLES[turn.role], turn.content or "")
    for part in turn.content:
        if part.type not in ("text", "refusal"):
            raise BadInput(what=say("models.only_text", language, place=place, kind=part.type[:40]))
    return Message(_ROLES[turn.role], "\n\n".join(part.text or part.refusal for part in turn.content))
