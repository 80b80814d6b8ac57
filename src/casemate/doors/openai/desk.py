"""What the operations of this wire stand on, and how each of them comes to its model."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access import Gate
from casemate.clock import SECOND
from casemate.doors.frame import Call
from casemate.doors.openai.asked import FETCHED, HOSTED
from casemate.errors import BadInput, UnknownModel
from casemate.ids import short
from casemate.models import Answerer, Card, Catalogue, Chat, chosen
from casemate.models.shelf import Shelf
from casemate.words import say

__all__ = ["Desk"]

_NEVER = HOSTED | {FETCHED, "file_id", "item_reference"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Gate, catalogue, whoever answers, and what is asked about files (None: nothing is)."""

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer
    shelf: Shelf | None = None

    def cards(self, call: Call, model: str, task: str = "chat") -> list[Card]:
        """The models of that name that this request may use for the task. Raises UnknownModel, BadInput."""
        found = self.catalogue.candidates(call.flow, model)
        if not found:
            raise UnknownModel(model=model[:200])
        fitting = [card for card in found if task in card.tasks]
        if not fitting:
            raise BadInput(what=say("openai.task", call.flow.session.language, model=model[:200], task=task))
        return fitting

    def settle(self, cards: list[Card], chat: Chat, metadata: dict[str, str]) -> Chat:
        """The chat as one of these models answers it. Raises BadInput, Refused.

        What a card allows and we have no way to pass on is told as such: it is never left out of a request.
        """
        settled = chosen(cards, chat, metadata)
        for name in settled.needs:
            if name in _NEVER:
                raise BadInput(what=say("models.not_offered", chat.language, name=name))
        return settled

    def named(self, call: Call, prefix: str) -> str:
        """An id, drawn from the entropy of class and session, so that nobody else's request shifts it."""
        return prefix + short(self.gate.vault.entropy.draw(f"chat/{call.flow.access.id}/{call.flow.session.id}"))

    def second(self) -> int:
        """What time it is, in whole seconds."""
        return self.gate.vault.clock.now() // SECOND
