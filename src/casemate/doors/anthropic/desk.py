"""What the operations of this wire stand on, and how each of them comes to its model."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access import Gate
from casemate.doors.frame import Call
from casemate.errors import BadInput, UnknownModel
from casemate.ids import short
from casemate.models import Answerer, Card, Catalogue, Chat, chosen
from casemate.words import say

__all__ = ["DIALECT", "Desk"]

DIALECT = "anthropic"

# What a card may allow and we still cannot pass on: a chat has no place for it.
_NEVER = frozenset({"image.url", "image.file", "document.url", "document.file"})


@dataclass(frozen=True, slots=True)
class Desk:
    """Gate, catalogue, and whoever answers."""

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer

    def cards(self, call: Call, model: str) -> list[Card]:
        """The models of that name that this request may use. Raises UnknownModel, BadInput."""
        found = self.catalogue.candidates(call.flow, model)
        if not found:
            raise UnknownModel(model=model[:200])
        fitting = [card for card in found if "chat" in card.tasks]
        if not fitting:
            language = call.flow.session.language
            raise BadInput(what=say("models.not_offered", language, name=f"messages, {model[:200]}"))
        return fitting

    def settle(self, cards: list[Card], chat: Chat, metadata: dict[str, str]) -> Chat:
        """The chat as one of these models answers it. Raises BadInput, Refused.

        A field that only this protocol has goes to an engine of this protocol, or nowhere: it is told, never dropped.
        """
        settled = chosen(cards, chat, metadata)
        for name in settled.needs:
            if name in _NEVER:
                raise BadInput(what=say("models.not_offered", chat.language, name=name))
        if settled.extra and not settled.knowledge and not any(speaks(card) for card in cards):
            names = ", ".join(sorted(settled.extra))[:200]
            raise BadInput(what=say("models.not_taken", chat.language, names=names))
        return settled

    def named(self, call: Call, prefix: str) -> str:
        """An id, drawn from the entropy of class and session, so that nobody else's request shifts it."""
        return prefix + short(self.gate.vault.entropy.draw(f"chat/{call.flow.access.id}/{call.flow.session.id}"))


def speaks(card: Card) -> bool:
    """Whether its engine can pass on what only this protocol knows."""
    return card.engine is not None and card.engine.dialect in ("", DIALECT)
