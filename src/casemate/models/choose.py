"""What a request chooses besides its words: model, knowledge bases, rungs or one paragraph. The same on every wire.

Free slots of each protocol carry it (`metadata`, `requestMetadata`), as text. Nothing here looks at what exists: an
unknown knowledge base is the answer side's to tell, from the visible world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from casemate.errors import BadInput
from casemate.models.card import Card
from casemate.models.chat import Chat, Message
from casemate.words import say

__all__ = ["MOST_TOKENS", "chosen", "within"]

MOST_TOKENS = 1 << 20
TOKENS = 1024


def chosen(
    card: Card,
    messages: Sequence[Message],
    metadata: Mapping[str, str],
    language: str,
    max_tokens: int | None,
    temperature: float | None,
) -> Chat:
    """The chat that a request asks for. Raises BadInput in the session's language."""
    chat = Chat(
        model=card.name,
        messages=tuple(messages),
        knowledge=_knowledge(card, metadata.get("knowledge"), language),
        mode=_mode(metadata.get("mode", "rungs"), language),
        max_tokens=TOKENS if max_tokens is None else max_tokens,
        temperature=temperature,
        language=language,
    )
    if not chat.question.strip():
        raise BadInput(what=say("models.no_question", language))
    return chat


def within(name: str, given: float | None, low: float, high: float, language: str) -> None:
    """BadInput where a number that was given lies outside its range."""
    if given is not None and not low <= given <= high:
        raise BadInput(what=say("models.range", language, name=name, low=low, high=high))


def _knowledge(card: Card, given: str | None, language: str) -> tuple[str, ...]:
    """The reader reads everything unless told otherwise; an upstream answers as itself."""
    if given is None:
        return ("all",) if card.engine is None else ()
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    if names == ("none",):
        return ()
    if "" in names or (len(names) > 1 and {"all", "none"} & set(names)):
        raise BadInput(what=say("models.knowledge", language, given=given[:200]))
    return names


def _mode(given: str, language: str) -> Literal["rungs", "single"]:
    if given == "single":
        return "single"
    if given != "rungs":
        raise BadInput(what=say("models.mode", language, given=given[:200]))
    return "rungs"
