"""The body of Converse and ConverseStream, and how it becomes a chat.

Fields that this wire does not know go on as they are, to an engine of the same protocol, and are named in the entry. An
answer of ours may come back as history: its text is in the text block, and `citationsContent` repeats none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from casemate.doors.bedrock.parts import malformed, parts_of
from casemate.doors.bedrock.tools import ToolConfig, choice_of, tools_of
from casemate.errors import BadInput
from casemate.models import MOST_TOKENS, Chat, Message, Part, Shape, Text, within
from casemate.words import say

__all__ = ["Body", "GuardrailConfig", "chat_of", "plain", "read"]

_ROLES = ("system", "user", "assistant")
_MOST_STOPS = 2500


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: list[dict[str, Any]]


class Inference(msgspec.Struct, rename="camel"):
    """How to write."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class GuardrailConfig(msgspec.Struct, rename="camel"):
    """Which guardrail looks at question and answer, and whether what it found is told (`trace`)."""

    guardrail_identifier: str = ""
    guardrail_version: str = ""
    trace: str = "disabled"
    stream_processing_mode: str = "sync"


class JsonSchema(msgspec.Struct):
    """A schema as JSON text."""

    schema: str
    name: str = ""
    description: str = ""


class Structure(msgspec.Struct, rename="camel"):
    """A union of one member."""

    json_schema: JsonSchema


class TextFormat(msgspec.Struct):
    """The form of the answer's text."""

    type: str
    structure: Structure


class Output(msgspec.Struct, rename="camel"):
    """`effort` goes on to an engine of this protocol."""

    text_format: TextFormat | None = None
    effort: str | None = None


class Body(msgspec.Struct, rename="camel", kw_only=True):
    """What we read of a request. Blocks are read one by one, since each is a union."""

    messages: list[Turn]
    system: list[dict[str, Any]] | None = None
    inference_config: Inference | None = None
    tool_config: ToolConfig | None = None
    guardrail_config: GuardrailConfig | None = None
    prompt_variables: dict[str, Any] | None = None
    request_metadata: dict[str, str] | None = None
    output_config: Output | None = None


_KNOWN = frozenset(Body.__struct_encode_fields__)


def read(raw: dict[str, Any], language: str) -> Body:
    """The body as it is written. Raises BadInput, naming the place."""
    try:
        return msgspec.convert(raw, Body)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None


def chat_of(body: Body, raw: dict[str, Any], model: str, language: str) -> Chat:
    """The chat, before anybody has chosen a model for it. Raises BadInput."""
    if body.prompt_variables:
        raise BadInput(what=say("models.not_offered", language, name="promptVariables"))
    inference = body.inference_config or Inference()
    stops = tuple(inference.stop_sequences or ())
    within("maxTokens", inference.max_tokens, 1, MOST_TOKENS, language)
    within("temperature", inference.temperature, 0, 1, language)
    within("topP", inference.top_p, 0, 1, language)
    within("stopSequences", len(stops), 0, _MOST_STOPS, language)
    tools = tools_of(body.tool_config, language)
    return Chat(
        model=model,
        messages=tuple(_messages(body, language)),
        max_tokens=inference.max_tokens or 1024,
        temperature=inference.temperature,
        top_p=inference.top_p,
        stop=stops,
        tools=tools,
        choice=choice_of(body.tool_config, tools, language),
        shape=_shape(body.output_config, language),
        dialect="bedrock",
        extra=_extra(body, raw),
        language=language,
    )


def _extra(body: Body, raw: dict[str, Any]) -> dict[str, msgspec.Raw]:
    """What the house does not know, by the name that it has in the protocol."""
    beyond = {name: value for name, value in raw.items() if name not in _KNOWN and value is not None}
    if body.output_config is not None and body.output_config.effort:
        beyond["outputConfig"] = {"effort": body.output_config.effort}
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in beyond.items()}


def _messages(body: Body, language: str) -> Iterator[Message]:
    """The system's first; places are counted as the caller sees them."""
    if body.system:
        yield _message(0, Turn("system", body.system), language)
    for place, turn in enumerate(body.messages, start=1):
        yield _message(place, turn, language)


def _message(place: int, turn: Turn, language: str) -> Message:
    if turn.role not in _ROLES:
        raise BadInput(what=say("models.role", language, place=place, role=turn.role[:40]))
    parts = [part for block in turn.content for part in parts_of(block, place, language)]
    return Message(turn.role, plain(parts))


def plain(parts: list[Part]) -> str | tuple[Part, ...]:
    """Words alone are one text, blocks apart by a blank line; anything else stays in parts."""
    if all(isinstance(part, Text) for part in parts):
        return "\n\n".join(part.text for part in parts if isinstance(part, Text))
    return tuple(parts)


def _shape(output: Output | None, language: str) -> Shape | None:
    if output is None or output.text_format is None:
        return None
    if output.text_format.type != "json_schema":
        raise BadInput(what=say("models.not_offered", language, name="outputConfig.textFormat.type"))
    written = output.text_format.structure.json_schema
    try:
        msgspec.json.decode(written.schema, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BadInput(what=say("bedrock.schema", language)) from None
    return Shape(name=written.name, schema=written.schema.encode())
