"""Lists in pages, as this protocol has them: `limit`, `after` or `before` (an id of a neighbouring page), `order`."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["page"]


def page(call: Call, listed: list[tuple[str, dict[str, Any]]], usual: int, most: int) -> Reply:
    """A page of what is listed with ids, oldest first in `listed`; the answer has the newest first. Raises BadInput."""
    language = call.flow.session.language
    limit = call.query.get("limit", str(usual))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 8 and 1 <= int(limit) <= most):
        raise BadInput(what=say("openai.limit", language, most=most))
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise BadInput(what=say("openai.order", language))
    ordered = listed if order == "asc" else listed[::-1]
    after = call.query.get("after", "")
    if after:
        ids = [id for id, _ in ordered]
        ordered = ordered[ids.index(after) + 1 :] if after in ids else []
    before = call.query.get("before", "")
    if before:
        ids = [id for id, _ in ordered]
        ordered = ordered[: ids.index(before)] if before in ids else []
    shown = ordered[-int(limit) :] if before and not after else ordered[: int(limit)]
    body = {
        "object": "list",
        "data": [value for _, value in shown],
        "first_id": shown[0][0] if shown else None,
        "last_id": shown[-1][0] if shown else None,
        "has_more": len(ordered) > len(shown),
    }
    return Reply(msgspec.json.encode(body))
