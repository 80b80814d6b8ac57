"""POST /guardrail/{id}/version/{version}/apply: a guardrail alone, over texts that the caller brings."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from casemate.doors.bedrock.assessment import assessed, units
from casemate.doors.bedrock.guarding import Guarding, found
from casemate.doors.bedrock.parts import malformed
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["apply"]


class Content(msgspec.Struct):
    """A text, under its name in the union; what it is for changes nothing here."""

    text: str


class Block(msgspec.Struct):
    """A union."""

    text: Content | None = None


class Request(msgspec.Struct, rename="camel"):
    """What to look at, as what, and how much to tell."""

    source: Literal["INPUT", "OUTPUT"]
    content: list[Block]
    output_scope: Literal["INTERVENTIONS", "FULL"] = "INTERVENTIONS"


async def apply(call: Call) -> Reply:
    """What the guardrail says of the texts, and the texts as they may be seen."""
    language = call.flow.session.language
    try:
        request = msgspec.convert(call.body, Request)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    texts = [block.text.text for block in request.content if block.text is not None]
    if len(texts) < len(request.content):
        raise BadInput(what=say("bedrock.only_text", language))
    guardrail = await found(call.flow, call.path["guardrail"], call.path["version"])
    guard = Guarding(call.flow, guardrail, "enabled")
    passed = [await guard.text(request.source, text) for text in texts]
    verdicts = guard.asked if request.source == "INPUT" else guard.answered
    blocked = any(verdict.blocked for verdict in verdicts)
    acted = blocked or any(verdict.changed for verdict in verdicts)
    instead = guardrail.blocked_input if request.source == "INPUT" else guardrail.blocked_output
    size = sum(len(text) for text in texts)
    full = request.output_scope == "FULL"
    told: dict[str, Any] = {
        "usage": units(guardrail, size),
        "action": "GUARDRAIL_INTERVENED" if acted else "NONE",
        "outputs": [{"text": instead}] if blocked else [{"text": text} for text in passed] if acted else [],
        "assessments": [assessed(verdicts, full)] if acted or full else [],
        "guardrailCoverage": {"textCharacters": {"guarded": size, "total": size}},
    }
    return Reply(msgspec.json.encode(told), facts=guard.facts())
