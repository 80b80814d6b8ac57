"""GET /v1/models and /v1/models/{id} in Anthropic's shape: the models that may be used at the request's floor.

The path is the same as in another protocol; whoever sends `anthropic-version` speaks this one (`Route.spoken`).
"""

from __future__ import annotations

from itertools import dropwhile

import msgspec

from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.models import Card, Catalogue
from casemate.words import say

__all__ = ["listing", "one"]

_MOST = 1000


async def listing(catalogue: Catalogue, call: Call) -> Reply:
    """A page, by name: `limit` (1 to 1000), and `after_id` or `before_id`, neither of which is in it."""
    cards = catalogue.visible(call.flow)
    limit = _limit(call)
    after, before = call.query.get("after_id", ""), call.query.get("before_id", "")
    if before:
        cards = [card for card in cards if card.name < before]
        page, more = cards[-limit:], len(cards) > limit
    else:
        rest = list(dropwhile(lambda card: card.name <= after, cards)) if after else cards
        page, more = rest[:limit], len(rest) > limit
    data = [_model(card) for card in page]
    ends = {"first_id": page[0].name if page else None, "last_id": page[-1].name if page else None}
    return Reply(msgspec.json.encode({"data": data, "has_more": more, **ends}))


async def one(catalogue: Catalogue, call: Call) -> Reply:
    """One model, or UnknownModel. An id may hold slashes, encoded or not."""
    return Reply(msgspec.json.encode(_model(catalogue.named(call.flow, call.path["id"]))))


def _limit(call: Call) -> int:
    said = call.query.get("limit", "20")
    if not (said.isascii() and said.isdigit() and len(said) < 5 and 1 <= int(said) <= _MOST):
        language = call.flow.session.language
        raise BadInput(what=say("models.range", language, name="limit", low=1, high=_MOST))
    return int(said)


def _model(card: Card) -> dict[str, object]:
    """A card says nothing of when it was made: the protocol wants a time, so it is the epoch."""
    return {
        "type": "model",
        "id": card.name,
        "display_name": card.name,
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": card.context or None,
        "max_tokens": None,
        "capabilities": None,
        "vendor": card.vendor,
    }
