"""InvokeModel of a model that embeds: Titan's body (one text) and Cohere's (several)."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.bedrock.desk import Desk
from casemate.doors.bedrock.fields import noted
from casemate.doors.bedrock.parts import malformed
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput, UnknownModel
from casemate.ids import short
from casemate.models import Card
from casemate.words import say

__all__ = ["embeds", "vectors"]

_MOST = 96  # texts, as this body has it
_TYPES = ("float",)


class Titan(msgspec.Struct, rename="camel"):
    """One text. `normalize` must be left as it is: a model's vectors are what they are."""

    input_text: str
    dimensions: int | None = None
    normalize: bool | None = None
    embedding_types: list[str] | None = None


class Cohere(msgspec.Struct):
    """Several texts, each by itself; what they are for changes nothing here."""

    texts: list[str]
    input_type: str = ""
    truncate: str = "NONE"
    embedding_types: list[str] | None = None


def embeds(desk: Desk, call: Call) -> bool:
    """Whether this is a request for vectors: by its body, and by what the model is for."""
    if "texts" in call.body:
        return True
    return "inputText" in call.body and any(_embeds(card) for card in _cards(desk, call))


async def vectors(desk: Desk, call: Call) -> Reply:
    """Embed. Raises UnknownModel where the model of that name does not."""
    language = call.flow.session.language
    card = next((card for card in _cards(desk, call) if _embeds(card)), None)
    if card is None:
        raise UnknownModel(model=call.path["model"][:200])
    known: type[Cohere | Titan] = Cohere if "texts" in call.body else Titan
    try:
        body: Cohere | Titan = msgspec.convert(call.body, known)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    texts = body.texts if isinstance(body, Cohere) else [body.input_text]
    if not 0 < len(texts) <= _MOST or not all(texts):
        raise BadInput(what=say("bedrock.texts", language, most=_MOST))
    if set(body.embedding_types or _TYPES) - set(_TYPES):
        raise BadInput(what=say("models.not_offered", language, name="embedding types other than float"))
    found = await desk.answerer.vectors(call.flow, card, texts)
    words = sum(len(text.split()) for text in texts)
    told = _cohere(desk, call, texts, found) if isinstance(body, Cohere) else _titan(body, found[0], words, language)
    unknown = [name for name in call.body if name not in known.__struct_encode_fields__]
    return Reply(msgspec.json.encode(told), facts={"model": card.name, "texts": len(texts), **noted(unknown)})


def _cards(desk: Desk, call: Call) -> list[Card]:
    return desk.catalogue.candidates(call.flow, call.path["model"])


def _embeds(card: Card) -> bool:
    return card.vectors is not None and "embeddings" in card.tasks


def _titan(body: Titan, vector: list[float], words: int, language: str) -> dict[str, Any]:
    if body.dimensions not in (None, len(vector)):
        raise BadInput(what=say("bedrock.dimensions", language, size=len(vector)))
    told: dict[str, Any] = {"embedding": vector, "inputTextTokenCount": words}
    return {**told, "embeddingsByType": {"float": vector}} if body.embedding_types else told


def _cohere(desk: Desk, call: Call, texts: list[str], found: list[list[float]]) -> dict[str, Any]:
    drawn = desk.gate.vault.entropy.draw(f"embed/{call.flow.access.id}/{call.flow.session.id}")
    told = {"id": short(drawn), "response_type": "embeddings_floats", "texts": texts}
    typed = call.body.get("embedding_types")
    return (
        {**told, "response_type": "embeddings_by_type", "embeddings": {"float": found}}
        if typed
        else {
            **told,
            "embeddings": found,
        }
    )
