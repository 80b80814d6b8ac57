"""Vectors for callers: texts are lent to an engine that embeds, and what comes back bears the acting label.

One model, never another in its place: vectors of two models cannot be compared, so a failure is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.models.card import Card
from casemate.models.chat import Message, Prompt
from casemate.models.inspect import Inspect
from casemate.telemetry import EMBEDDINGS

__all__ = ["DEADLINE", "embed"]

DEADLINE = 120.0  # seconds for all texts of a request


async def embed(flow: Flow, card: Card, texts: Sequence[str], inspect: Inspect | None) -> list[list[float]]:
    """A vector for each text, in order; each is looked at like a message. Raises Refused and EngineFailed."""
    if card.vectors is None:
        raise EngineFailed(engine=card.name, why="it gives no vectors")
    domain = flow.gate.classes.of(flow.domain).id
    prompt = Prompt(model=card.served, messages=tuple(Message("user", text) for text in texts), partition=domain)
    if inspect is not None:
        prompt = await inspect(flow, prompt, card.outside)
    lent = await flow.lend(flow.take(tuple(message.text for message in prompt.messages)), card.ceiling)
    now = flow.gate.vault.clock.now()
    call = flow.gate.telemetry.generation(flow.domain, card.vendor, card.name, card.served, now, EMBEDDINGS)
    with call.going_on(flow.begun):
        found = await card.vectors.vectors(card.served, lent, DEADLINE, domain)
    if len(found) != len(texts) or len({len(vector) for vector in found}) > 1:
        raise EngineFailed(engine=card.name, why="it gave other vectors than were asked for")
    return found
