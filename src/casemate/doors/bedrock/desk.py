"""What the operations that ask stand on, and the one way in which a chat is answered whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from casemate.access import Gate
from casemate.doors.bedrock.answered import Answered, gathered
from casemate.doors.bedrock.fields import noted
from casemate.doors.bedrock.guarding import Guarding
from casemate.doors.frame import Call
from casemate.errors import UnknownModel
from casemate.models import Answerer, Catalogue, Chat, Course, Usage, chosen

__all__ = ["Desk", "answered", "facts_of"]

_MILLI = 1000  # microseconds


@dataclass(frozen=True, slots=True)
class Desk:
    """What the operations stand on."""

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer

    def now(self) -> int:
        """Microseconds since the epoch, by the region's clock."""
        return self.gate.vault.clock.now()

    def since(self, started: int) -> int:
        """Milliseconds from then to now."""
        return (self.now() - started) // _MILLI

    def choose(self, call: Call, chat: Chat, metadata: dict[str, str]) -> Chat:
        """The chat as it will be answered. Raises UnknownModel, BadInput, Refused."""
        cards = self.catalogue.candidates(call.flow, chat.model)
        if not cards:
            raise UnknownModel(model=chat.model[:200])
        return chosen(cards, chat, metadata)


async def answered(
    desk: Desk, call: Call, chat: Chat, guard: Guarding | None
) -> tuple[Answered, Usage, dict[str, Any]]:
    """The whole answer, as a guardrail lets it pass; the usage is that of the model, whatever was shown of it."""
    if guard is not None:
        passed = await guard.question(chat)
        if passed is None:
            return guard.refusal(), Usage(), {"model": chat.model, **facts_of(chat), **guard.facts()}
        chat = passed
    course, deltas = await Course.whole(desk.answerer, call.flow, replace(chat, whole=True))
    answer = gathered(deltas)
    facts = course.facts | facts_of(chat)
    if guard is not None:
        answer = await guard.answer(answer)
        facts |= guard.facts()
    return answer, course.usage, facts


def facts_of(chat: Chat) -> dict[str, str]:
    """For the entry: the fields of the request that the house does not know."""
    return noted(list(chat.extra))
