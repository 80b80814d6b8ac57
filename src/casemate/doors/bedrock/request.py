"""The body of Converse, as far as we read it; unknown fields are passed over, refused ones are told.

An answer of ours may come back as history: its text is in the text block, and `citationsContent` repeats none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.models import Message
from casemate.words import say

__all__ = ["Block", "Inference", "Request", "Turn", "messages_of", "refuse_unoffered", "texts"]

_ROLES = ("system", "user", "assistant")


class Generated(msgspec.Struct):
    """Text inside citationsContent."""

    text: str = ""


class Cited(msgspec.Struct):
    """A citationsContent block."""

    content: list[Generated] | None = None


class Block(msgspec.Struct, rename="camel"):
    """A content block: a union, of which we take text and what was cited. A cache point changes no answer."""

    text: str | None = None
    citations_content: Cited | None = None
    cache_point: Any = None
    image: Any = None
    document: Any = None
    video: Any = None
    audio: Any = None
    tool_use: Any = None
    tool_result: Any = None
    guard_content: Any = None
    reasoning_content: Any = None
    search_result: Any = None

    @property
    def texts(self) -> list[str]:
        """What somebody wrote in it."""
        found = [] if self.text is None else [self.text]
        generated = self.citations_content.content if self.citations_content is not None else None
        return [*found, *(part.text for part in generated or ())]

    @property
    def kind(self) -> str:
        """The protocol's name of what it holds."""
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        return next((encoded for name, encoded in names if getattr(self, name) is not None), "unknown")


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: list[Block]


class Inference(msgspec.Struct, rename="camel"):
    """How to write. `topP` is passed over."""

    max_tokens: int | None = None
    temperature: float | None = None
    stop_sequences: list[str] | None = None


class Request(msgspec.Struct, rename="camel", kw_only=True):
    """What we read of Converse. `Any` fields are looked at only to refuse them."""

    messages: list[Turn]
    system: list[Block] | None = None
    inference_config: Inference | None = None
    request_metadata: dict[str, str] | None = None
    tool_config: Any = None
    guardrail_config: Any = None
    prompt_variables: Any = None
    output_config: dict[str, Any] | None = None


def texts(request: Request) -> Iterable[str]:
    """Everything that somebody wrote, to be looked at for marks."""
    for turn in _turns(request):
        for block in turn.content:
            yield from block.texts


def messages_of(request: Request, language: str) -> list[Message]:
    """The messages as the house speaks of them, the system's first. Raises BadInput."""
    return [_message(place, turn, language) for place, turn in enumerate(_turns(request), start=1)]


def refuse_unoffered(request: Request, language: str) -> None:
    """What would change the answer and is not offered is refused, never ignored."""
    inference = request.inference_config or Inference()
    asked = {
        "toolConfig": bool(request.tool_config),
        "guardrailConfig": bool(request.guardrail_config),
        "promptVariables": bool(request.prompt_variables),
        "outputConfig.textFormat": bool((request.output_config or {}).get("textFormat")),
        "stopSequences": bool(inference.stop_sequences),
    }
    for name, found in asked.items():
        if found:
            raise BadInput(what=say("models.not_offered", language, name=name))


def _turns(request: Request) -> Sequence[Turn]:
    return [Turn("system", request.system), *request.messages] if request.system else request.messages


def _message(place: int, turn: Turn, language: str) -> Message:
    if turn.role not in _ROLES:
        raise BadInput(what=say("models.role", language, place=place, role=turn.role[:40]))
    for block in turn.content:
        if block.kind not in ("text", "citationsContent", "cachePoint"):
            raise BadInput(what=say("models.only_text", language, place=place, kind=block.kind))
    return Message(turn.role, "\n\n".join(text for block in turn.content for text in block.texts))
