"""POST /v1/embeddings: floats, or base64 of little-endian float32, which the official client asks for by default."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import given, read
from casemate.doors.openai.desk import Desk
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["create"]

_MOST = 2048


class Request(msgspec.Struct, kw_only=True):
    """The whole of it. `user` stays here: it tells a vendor who asks."""

    model: str
    input: str | list[Any]
    encoding_format: str | None = None
    dimensions: int | None = None
    user: str | None = None


class _Vector(msgspec.Struct):
    embedding: list[float] | str
    index: int
    object: str = "embedding"


class _Usage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class _List(msgspec.Struct):
    data: list[_Vector]
    model: str
    usage: _Usage
    object: str = "list"


_KNOWN = frozenset(Request.__struct_fields__)


async def create(desk: Desk, call: Call) -> Reply:
    """Embed one text, or several, each by itself. An engine takes nothing but texts: other fields are refused."""
    language = call.flow.session.language
    request = read(Request, call.body, language)
    for name in given(call.body, _KNOWN):
        raise refuse(name, language)
    card = desk.cards(call, request.model, "embeddings")[0]
    texts = _texts(request.input, language)
    if request.encoding_format not in (None, "float", "base64"):
        raise BadInput(what=say("openai.encoding", language))
    vectors = await desk.answerer.vectors(call.flow, card, texts)
    size = len(vectors[0])
    if request.dimensions not in (None, size):
        raise BadInput(what=say("openai.dimensions", language, size=size))
    words = sum(len(text.split()) for text in texts)
    packed = request.encoding_format == "base64"
    data = [_Vector(_packed(vector) if packed else vector, index) for index, vector in enumerate(vectors)]
    body = msgspec.json.encode(_List(data, card.name, _Usage(words, words)))
    return Reply(body, facts={"model": card.name, "texts": len(texts), "prompt": words})


def _texts(given: str | list[Any], language: str) -> list[str]:
    listed = [given] if isinstance(given, str) else given
    if any(isinstance(one, int | list) for one in listed):
        raise BadInput(what=say("openai.tokens", language))
    if not 0 < len(listed) <= _MOST or not all(isinstance(one, str) and one for one in listed):
        raise BadInput(what=say("openai.input", language, most=_MOST))
    return listed


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
