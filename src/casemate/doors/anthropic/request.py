"""The body of a message, and how it becomes a chat.

It is decoded once, to plain values: the strings that are looked at for marks and the fields that are read come from
the same ones. Fields that the house does not know go on as they are, to an engine of the same protocol, and are named
in the entry. Those that only say how to work, and not what to answer, are left out where no engine of this protocol can
be asked, and the entry says that too: an agent that always sends them can then be served by any model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from casemate.doors.anthropic.desk import DIALECT, speaks
from casemate.doors.anthropic.parts import Block, Reading, malformed, parts_of, words
from casemate.doors.anthropic.tools import Offered, choice_of, offered
from casemate.errors import BadInput
from casemate.models import MOST_TOKENS, Card, Chat, Message, Shape, within
from casemate.words import say

__all__ = ["Body", "Request", "chat_of", "metadata_of", "noted", "read"]

Body = dict[str, Any]

_ROLES = ("user", "assistant", "system")  # a system's turn may stand among the others since 2026
_MOST_STOPS = 256
_NAMED, _NAMES = 60, 16
_BETA = re.compile(r"[a-z0-9-]{1,60}-[0-9]{2,8}")
_BETAS = 32

# By these a vendor would keep something for later, fetch it, or call somebody: flow.md, rule 8.
_NEEDS = ("mcp_servers", "container", "diagnostics")
# These say how to work and not what to answer, and who pays.
_HOW = frozenset({"thinking", "context_management", "output_config", "speed", "service_tier", "anthropic_beta"})
# What says as much as its absence.
_USUAL: dict[str, tuple[Any, ...]] = {"service_tier": ("auto", "standard_only"), "speed": ("standard",)}


class Turn(msgspec.Struct):
    """A message."""

    role: str
    content: str | list[Block]


class Format(msgspec.Struct):
    """The form of the answer's text."""

    type: str
    schema: dict[str, Any]


class Output(msgspec.Struct):
    """`effort` and what else it holds go on to an engine of this protocol."""

    format: Format | None = None


class Request(msgspec.Struct, kw_only=True):
    """What we read of a message. `metadata` stays here: `user_id` tells a vendor who asks."""

    model: str
    messages: list[Turn]
    max_tokens: int | None = None
    system: str | list[Block] | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Block] | None = None
    tool_choice: Block | None = None
    metadata: dict[str, Any] | None = None
    output_config: Output | None = None
    output_format: Format | None = None
    cache_control: Any = None


_KNOWN = frozenset(Request.__struct_fields__) - {"output_config"}


def read(body: Body, language: str) -> Request:
    """The fields that we know. Raises BadInput, naming the place."""
    try:
        return msgspec.convert(body, Request)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None


def metadata_of(request: Request) -> dict[str, str]:
    """Where the house's own choices stand: the texts among it, by name."""
    return {name: value for name, value in (request.metadata or {}).items() if isinstance(value, str)}


def chat_of(
    request: Request, body: Body, betas: str, cards: Sequence[Card], language: str
) -> tuple[Chat, dict[str, str]]:
    """The chat, before anybody has chosen a model for it, and what the ledger says of its fields. Raises BadInput.

    `betas` is the header `anthropic-beta`; `cards` are the models that may be asked.
    """
    _bounded(request, language)
    reading = Reading(language)
    if request.cache_control is not None:
        reading.passed.add("cache_control")
    messages = tuple(_messages(request, reading))
    reading.place = 0
    tools = offered(request.tools or [], reading)
    choice = choice_of(request.tool_choice, tools.names, language)
    reading.needs += [name for name in _NEEDS if body.get(name)]
    beyond = _beyond(body, tools, betas, language)
    if not any(speaks(card) for card in cards):
        reading.passed.update(name for name in beyond if name in _HOW)
        beyond = {name: value for name, value in beyond.items() if name not in _HOW}
    chat = Chat(
        model=request.model,
        messages=messages,
        max_tokens=1024 if request.max_tokens is None else request.max_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        stop=tuple(request.stop_sequences or ()),
        tools=tuple(tools.tools),
        choice=choice,
        shape=_shape(request, language),
        dialect=DIALECT,
        extra=_raw(beyond),
        needs=tuple(dict.fromkeys(reading.needs)),
        whole=not request.stream,
        language=language,
    )
    return chat, {**noted("unknown", beyond), **noted("passed_over", reading.passed)}


def noted(fact: str, names: Iterable[str]) -> dict[str, str]:
    """The fact that names these fields, bounded; {} where there is none."""
    listed = sorted(names)
    told = [name[:_NAMED] for name in listed[:_NAMES]] + (["..."] if len(listed) > _NAMES else [])
    return {fact: ", ".join(told)} if told else {}


def _bounded(request: Request, language: str) -> None:
    within("max_tokens", request.max_tokens, 1, MOST_TOKENS, language)
    within("temperature", request.temperature, 0, 1, language)
    within("top_p", request.top_p, 0, 1, language)
    within("top_k", request.top_k, 0, 1 << 31, language)
    stops = request.stop_sequences or []
    if len(stops) > _MOST_STOPS or not all(stops):
        raise BadInput(what=say("anthropic.stop", language, most=_MOST_STOPS))


def _messages(request: Request, reading: Reading) -> Iterator[Message]:
    """The system's first; places are counted as the caller sees them."""
    if request.system:
        yield Message("system", words(list(parts_of(request.system, reading))))
    for place, turn in enumerate(request.messages, start=1):
        reading.place = place
        if turn.role not in _ROLES:
            raise BadInput(what=say("anthropic.role", reading.language, place=place, role=turn.role[:40]))
        if isinstance(turn.content, str):
            yield Message(turn.role, turn.content)
        else:
            yield Message(turn.role, words(list(parts_of(turn.content, reading))))


def _beyond(body: Body, tools: Offered, betas: str, language: str) -> Body:
    """The fields that the house does not know. Written anew from what was looked at, never copied from the body."""
    beyond = {
        name: value
        for name, value in body.items()
        if name not in _KNOWN and value is not None and value not in _USUAL.get(name, ())
    }
    if isinstance(config := beyond.get("output_config"), dict):
        beyond["output_config"] = {name: value for name, value in config.items() if name != "format"}
        if not beyond["output_config"]:
            del beyond["output_config"]
    if tools.others:
        beyond["tools"] = tools.others
    listed = [name.strip() for name in betas.split(",") if name.strip()]
    if listed:
        if len(listed) > _BETAS or not all(map(_BETA.fullmatch, listed)):
            raise BadInput(what=say("anthropic.beta", language, most=_BETAS))
        beyond["anthropic_beta"] = listed
    return beyond


def _raw(fields: Body) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}


def _shape(request: Request, language: str) -> Shape | None:
    config = request.output_config
    wanted = request.output_format or (config.format if config is not None else None)
    if wanted is None:
        return None
    if wanted.type != "json_schema":
        raise BadInput(what=say("models.not_offered", language, name=f"output_config.format.{wanted.type[:40]}"))
    return Shape(schema=msgspec.json.encode(wanted.schema))
