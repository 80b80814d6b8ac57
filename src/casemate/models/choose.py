"""What a request chooses besides its words: model, knowledge bases, rungs or one paragraph. The same on every wire.

Free slots of each protocol carry it (`metadata`, `requestMetadata`), as text. Nothing here looks at what exists: an
unknown knowledge base is the answer side's to tell, from the visible world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from casemate.errors import BadInput, Refused
from casemate.models.card import READER, Card
from casemate.models.chat import Chat
from casemate.words import say

__all__ = ["MOST_TOKENS", "able", "chosen", "within"]

MOST_TOKENS = 1 << 20


def chosen(cards: Sequence[Card], chat: Chat, metadata: Mapping[str, str]) -> Chat:
    """The chat as it will be answered by one of these models. Raises BadInput, or Refused (`model-allows`).

    `cards` is what `Catalogue.candidates` gave for the name that the caller used; it is not empty. A model that cannot
    take what the request holds is no candidate: nothing of a request is ever dropped to make it fit.
    """
    reads = cards[0].name == READER
    chat = replace(
        chat,
        model=cards[0].name if len(cards) == 1 else chat.model,
        knowledge=_knowledge(reads, metadata.get("knowledge"), chat.language),
        mode=_mode(metadata.get("mode", "rungs"), chat.language),
    )
    able(cards, chat)
    if chat.knowledge and not chat.question.strip():
        raise BadInput(what=say("models.no_question", chat.language))
    if not any(message.content for message in chat.messages):
        raise BadInput(what=say("models.no_question", chat.language))
    return chat


def able(cards: Sequence[Card], chat: Chat) -> list[Card]:
    """Those that can take the chat as it is. Raises BadInput or Refused where none can."""
    demands = chat.demands
    takes = [card for card in cards if demands <= (card.takes if card.engine is not None else frozenset())]
    if not takes or (chat.knowledge and demands):
        names = ", ".join(sorted(demands - (cards[0].takes if cards[0].engine is not None else frozenset())))
        raise BadInput(what=say("models.not_taken", chat.language, names=names or ", ".join(sorted(demands))))
    allowed = [card for card in takes if card.allows.issuperset(chat.needs)]
    if not allowed:
        raise Refused(rule="model-allows", fields=", ".join(chat.needs), model=cards[0].name)
    return allowed


def within(name: str, given: float | None, low: float, high: float, language: str) -> None:
    """BadInput where a number that was given lies outside its range."""
    if given is not None and not low <= given <= high:
        raise BadInput(what=say("models.range", language, name=name, low=low, high=high))


def _knowledge(reads: bool, given: str | None, language: str) -> tuple[str, ...]:
    """The reader reads everything unless told otherwise; an upstream answers as itself."""
    if given is None:
        return ("all",) if reads else ()
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
