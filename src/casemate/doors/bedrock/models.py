"""ListFoundationModels, GetFoundationModel and inference profiles: the models that may be used at a request's floor.

Ids have a dot where ours have a slash; an ARN is `arn:aws:bedrock:REGION::foundation-model/ID`. An inference profile
is the same model under a partition's prefix (`us.`, `us-gov.`): clients that were written for one find it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.bedrock.arns import foundation, identity, page, profile
from casemate.doors.frame import Call, Reply
from casemate.errors import Absent
from casemate.models import Card, Catalogue

__all__ = ["listing", "one", "one_profile", "profiles"]

_PREFIXES = ("us", "us-gov")


async def listing(catalogue: Catalogue, call: Call) -> Reply:
    """The list; the protocol's own filters choose among them."""
    asked = call.query.get
    cards = [
        card
        for card in catalogue.visible(call.flow)
        if asked("byInferenceType", "ON_DEMAND") == "ON_DEMAND"
        and "byCustomizationType" not in call.query
        and asked("byProvider") in (None, _vendor(card))
        and asked("byOutputModality") in (None, *_gives(card))
    ]
    return Reply(msgspec.json.encode({"modelSummaries": [_summary(card, call.flow) for card in cards]}))


async def one(catalogue: Catalogue, call: Call) -> Reply:
    """One model. Raises UnknownModel."""
    card = catalogue.named(call.flow, call.path["model"])
    return Reply(msgspec.json.encode({"modelDetails": _summary(card, call.flow)}))


async def profiles(catalogue: Catalogue, call: Call) -> Reply:
    """All of them are the system's own; nobody makes one here."""
    found = [
        _profile(call.flow, prefix, card)
        for card in catalogue.visible(call.flow)
        for prefix in _PREFIXES
        if call.query.get("typeEquals", "SYSTEM_DEFINED") == "SYSTEM_DEFINED"
    ]
    shown, more = page(call, found)
    return Reply(msgspec.json.encode({"inferenceProfileSummaries": shown, **more}))


async def one_profile(catalogue: Catalogue, call: Call) -> Reply:
    """One of them, by id or ARN. Raises Absent."""
    id = call.path["profile"].rpartition("/")[2]
    for prefix in _PREFIXES:
        if id.startswith(f"{prefix}."):
            cards = catalogue.candidates(call.flow, id.removeprefix(f"{prefix}."))
            if cards:
                return Reply(msgspec.json.encode(_profile(call.flow, prefix, cards[0])))
    raise Absent(kind="inference-profile", id=id[:200])


def _summary(card: Card, flow: Flow) -> dict[str, Any]:
    return {
        "modelArn": foundation(flow, card),
        "modelId": identity(card),
        "modelName": card.name.rpartition("/")[2][:20],
        "providerName": _vendor(card),
        "inputModalities": ["TEXT", *(["IMAGE"] if card.engine is not None and "images" in card.takes else [])],
        "outputModalities": _gives(card),
        "responseStreamingSupported": "chat" in card.tasks,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _profile(flow: Flow, prefix: str, card: Card) -> dict[str, Any]:
    return {
        "inferenceProfileName": f"{prefix} {card.name.rpartition('/')[2]}"[:64],
        "inferenceProfileArn": profile(flow, prefix, card),
        "inferenceProfileId": f"{prefix}.{identity(card)}"[:64],
        "models": [{"modelArn": foundation(flow, card)}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def _gives(card: Card) -> list[str]:
    told = ["TEXT"] if "chat" in card.tasks else []
    return [*told, *(["EMBEDDING"] if "embeddings" in card.tasks else [])] or ["TEXT"]


def _vendor(card: Card) -> str:
    return card.vendor[:20] or "unknown"
