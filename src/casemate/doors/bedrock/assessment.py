"""What a guardrail found, in the shapes of the protocol: the same for Converse's trace and for ApplyGuardrail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemate.models.guardrail import Found, Guardrail, Verdict

__all__ = ["assessed", "units"]

_UNIT = 1000  # characters


def assessed(verdicts: Iterable[Verdict], everything: bool = False) -> dict[str, Any]:
    """One assessment of all texts. What was only to be told (NONE) is told where `everything` is asked for."""
    found = [one for verdict in verdicts for one in verdict.found if everything or one.action != "NONE"]
    topics = [_topic(one) for one in found if one.rule.kind == "topic"]
    words = [_word(one) for one in found if one.rule.kind == "word"]
    pii = [_pii(one) for one in found if one.rule.kind == "pii"]
    regexes = [_regex(one) for one in found if one.rule.kind == "regex"]
    told: dict[str, Any] = {}
    if topics:
        told["topicPolicy"] = {"topics": topics}
    if words:
        told["wordPolicy"] = {"customWords": words, "managedWordLists": []}
    if pii or regexes:
        told["sensitiveInformationPolicy"] = {"piiEntities": pii, "regexes": regexes}
    return told


def units(guardrail: Guardrail, characters: int) -> dict[str, int]:
    """What was looked at, in the protocol's units of a thousand characters; nothing is charged for any of it."""
    count = -(-characters // _UNIT)
    kinds = {rule.kind for rule in guardrail.rules}
    return {
        "topicPolicyUnits": count if "topic" in kinds else 0,
        "contentPolicyUnits": 0,
        "wordPolicyUnits": count if "word" in kinds else 0,
        "sensitiveInformationPolicyUnits": count if "pii" in kinds else 0,
        "sensitiveInformationPolicyFreeUnits": count if "regex" in kinds else 0,
        "contextualGroundingPolicyUnits": 0,
    }


def _topic(one: Found) -> dict[str, Any]:
    return {"name": one.rule.name, "type": "DENY", "action": one.action, "detected": True}


def _word(one: Found) -> dict[str, Any]:
    return {"match": one.match, "action": one.action, "detected": True}


def _pii(one: Found) -> dict[str, Any]:
    return {"match": one.match, "type": one.rule.name, "action": one.action, "detected": True}


def _regex(one: Found) -> dict[str, Any]:
    told = {"name": one.rule.name, "match": one.match, "regex": one.rule.pattern}
    return {**told, "action": one.action, "detected": True}
