"""Vectors for callers: texts are lent to an engine that embeds, and what comes back bears the acting label.

One model, never another in its place: vectors of two models cannot be compared, so a failure is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.models.card import Card

__all__ = ["DEADLINE", "embed"]

DEADLINE = 120.0  # seconds for all texts of a request


async def embed(flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
    """A vector for each text, in order. Raises Refused (`accreditation`) and EngineFailed."""
    if card.vectors is None:
        raise EngineFailed(engine=card.name, why="it gives no vectors")
    lent = await flow.lend(flow.take(tuple(texts)), card.ceiling)
    domain = flow.gate.classes.of(flow.domain).id
    found = await card.vectors.vectors(card.served, lent, DEADLINE, domain)
    if len(found) != len(texts) or len({len(vector) for vector in found}) > 1:
        raise EngineFailed(engine=card.name, why="it gave other vectors than were asked for")
    return found
