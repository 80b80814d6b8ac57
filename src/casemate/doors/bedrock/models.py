"""ListFoundationModels and GetFoundationModel; and what this protocol calls a model.

Its ids have a dot where ours have a slash, and an ARN is `arn:aws:bedrock:REGION::foundation-model/ID`.
"""

from __future__ import annotations

import re

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply
from casemate.models import Card, Catalogue

__all__ = ["listing", "named", "one"]


def named(catalogue: Catalogue, flow: Flow, model: str) -> Card:
    """The model of an id, an ARN or our own name. Raises UnknownModel."""
    id = model.partition("/")[2] if model.startswith("arn:") else model
    for card in catalogue.visible(flow):
        if _id(card) == id:
            return card
    return catalogue.named(flow, model)


async def listing(catalogue: Catalogue, call: Call) -> Reply:
    """The models that may be used at the request's floor; the protocol's own filters choose among them."""
    provider = call.query.get("byProvider")
    fits = (
        call.query.get("byOutputModality", "TEXT") == "TEXT"
        and call.query.get("byInferenceType", "ON_DEMAND") == "ON_DEMAND"
        and "byCustomizationType" not in call.query
    )
    cards = [c for c in catalogue.visible(call.flow) if fits and provider in (None, _vendor(c))]
    return Reply(msgspec.json.encode({"modelSummaries": [_summary(card, call.flow) for card in cards]}))


async def one(catalogue: Catalogue, call: Call) -> Reply:
    """One model."""
    card = named(catalogue, call.flow, call.path["model"])
    return Reply(msgspec.json.encode({"modelDetails": _summary(card, call.flow)}))


def _summary(card: Card, flow: Flow) -> dict[str, object]:
    region = re.sub(r"[^a-z0-9-]", "-", flow.gate.vault.region.name.lower())[:20] or "region"
    return {
        "modelArn": f"arn:aws:bedrock:{region}::foundation-model/{_id(card)}",
        "modelId": _id(card),
        "modelName": card.name.rpartition("/")[2][:20],
        "providerName": _vendor(card),
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": False,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _id(card: Card) -> str:
    return card.name.replace("/", ".")


def _vendor(card: Card) -> str:
    return card.vendor[:20] or "unknown"
