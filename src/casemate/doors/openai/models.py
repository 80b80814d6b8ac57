"""GET /v1/models and /v1/models/{id}: the models that may be used at the request's floor."""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Call, Reply
from casemate.models import Card, Catalogue

__all__ = ["listing", "one"]


async def listing(catalogue: Catalogue, call: Call) -> Reply:
    """The list, by name."""
    cards = [_model(card) for card in catalogue.visible(call.flow)]
    return Reply(msgspec.json.encode({"object": "list", "data": cards}))


async def one(catalogue: Catalogue, call: Call) -> Reply:
    """One model, or UnknownModel. An id may hold slashes, encoded or not."""
    return Reply(msgspec.json.encode(_model(catalogue.named(call.flow, call.path["id"]))))


def _model(card: Card) -> dict[str, object]:
    """A card says nothing of when it was made: the protocol wants a number, so it is 0."""
    return {"id": card.name, "object": "model", "created": 0, "owned_by": card.vendor}
