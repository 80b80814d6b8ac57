"""POST /model/{modelId}/count-tokens: by the model's own tokenizer where it runs here, else an estimate.

An estimate takes four bytes of UTF-8 for a token: about right for English, too many for most other languages.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.doors.bedrock.desk import Desk
from casemate.doors.bedrock.invoke import body_of
from casemate.doors.bedrock.request import chat_of, read
from casemate.doors.frame import Call, Reply, strings
from casemate.errors import BadInput
from casemate.models import Chat, Image, Part, Text, Thought, ToolCall, ToolResult
from casemate.words import say

__all__ = ["count", "texts"]

_BYTES = 4
_PICTURE = 1600  # tokens, as vendors count one of ordinary size


def texts(body: dict[str, Any]) -> list[str]:
    """Every string, also of a body inside the body."""
    inner = _inner(body)
    return strings(body) if inner is None else [*strings(body), *strings(inner)]


async def count(desk: Desk, call: Call) -> Reply:
    """How many tokens the input of another operation has."""
    language = call.flow.session.language
    given = call.body.get("input")
    inner = _inner(call.body)
    if inner is not None:
        chat = body_of(inner, language).chat(call.path["model"])
    elif isinstance(given, dict) and isinstance(given.get("converse"), dict):
        converse = {"messages": [], **given["converse"]}
        chat = chat_of(read(converse, language), converse, call.path["model"], language)
    else:
        raise BadInput(what=say("bedrock.count", language))
    desk.catalogue.named(call.flow, call.path["model"])
    usage = await desk.answerer.count(call.flow, replace(chat, knowledge=()))  # what is given, and no more
    tokens = _tokens(chat) if usage.estimated else usage.prompt
    facts = {"model": chat.model, "counted": tokens, "estimated": int(usage.estimated)}
    return Reply(msgspec.json.encode({"inputTokens": tokens}), facts=facts)


def _inner(body: dict[str, Any]) -> dict[str, Any] | None:
    """The body of InvokeModel, which travels in base64; None where there is none."""
    match body.get("input"):
        case {"invokeModel": {"body": str(written)}}:
            try:
                return msgspec.json.decode(base64.b64decode(written, validate=True), type=dict[str, Any])
            except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError, ValueError, RecursionError):
                return None
    return None


def _tokens(chat: Chat) -> int:
    size = sum(_size(part) for message in chat.messages for part in message.parts)
    size += sum(len(tool.name) + len(tool.description.encode()) + len(tool.schema) for tool in chat.tools)
    return -(-size // _BYTES)


def _size(part: Part) -> int:
    """Bytes of what is read as words; a picture counts as many as its tokens would be."""
    match part:
        case Text(text=text) | Thought(text=text):
            return len(text.encode())
        case Image():
            return _PICTURE * _BYTES
        case ToolCall():
            return len(part.name) + len(part.arguments.encode())
        case ToolResult():
            return sum(_size(inner) for inner in part.parts)
