"""Names and moments as this protocol writes them. The account is always the same: there is none here."""

from __future__ import annotations

import re
from typing import Any

from casemate.access import Flow
from casemate.doors.frame import Call
from casemate.errors import BadInput
from casemate.models import Card
from casemate.words import say

__all__ = ["arn", "foundation", "identity", "page", "profile"]

_ACCOUNT = "000000000000"
_MOST = 1000


def arn(flow: Flow, kind: str, id: str) -> str:
    """`arn:aws:bedrock:REGION:ACCOUNT:KIND/ID`."""
    return f"arn:aws:bedrock:{_region(flow)}:{_ACCOUNT}:{kind}/{id}"


def foundation(flow: Flow, card: Card) -> str:
    """The ARN of a model; it has no account."""
    return f"arn:aws:bedrock:{_region(flow)}::foundation-model/{identity(card)}"


def profile(flow: Flow, prefix: str, card: Card) -> str:
    """The ARN of an inference profile."""
    return arn(flow, "inference-profile", f"{prefix}.{identity(card)}")


def identity(card: Card) -> str:
    """A model's id: a dot where ours has a slash."""
    return card.name.replace("/", ".")


def page(call: Call, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The asked-for stretch of a list, and `nextToken` where there is more. Raises BadInput."""
    most, start = call.query.get("maxResults", str(_MOST)), call.query.get("nextToken", "0")
    numbers = [int(one) for one in (most, start) if one.isascii() and one.isdigit() and len(one) < 10]
    if len(numbers) != 2 or not 0 < numbers[0] <= _MOST:
        raise BadInput(what=say("bedrock.page", call.flow.session.language, most=_MOST))
    end = numbers[1] + numbers[0]
    return items[numbers[1] : end], {"nextToken": str(end)} if end < len(items) else {}


def _region(flow: Flow) -> str:
    return re.sub(r"[^a-z0-9-]", "-", flow.gate.vault.region.name.lower())[:20] or "region"
