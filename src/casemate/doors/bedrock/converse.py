"""POST /model/{modelId}/converse. ConverseStream is told that it is not offered yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from casemate.access import Gate
from casemate.doors.bedrock.models import named
from casemate.doors.bedrock.request import Inference, Request, messages_of, refuse_unoffered, texts
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.models import MOST_TOKENS, Answerer, Catalogue, Chat, Citation, Course, chosen, within
from casemate.words import say

__all__ = ["Desk", "Request", "converse", "stream", "texts"]

_STOP = {"stop": "end_turn", "length": "max_tokens", "abstain": "end_turn"}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the operation stands on."""

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer


async def converse(desk: Desk, call: Call) -> Reply:
    """Answer a chat, whole."""
    clock = desk.gate.vault.clock
    started = clock.now()
    chat = _chat(desk, call)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    text, cited = await course.rest()
    used = course.usage
    body = {
        "output": {"message": {"role": "assistant", "content": _content(text, cited)}},
        "stopReason": _STOP.get(course.finish, "end_turn"),
        "usage": {
            "inputTokens": used.prompt,
            "outputTokens": used.completion,
            "totalTokens": used.prompt + used.completion,
        },
        "metrics": {"latencyMs": (clock.now() - started) // 1000},
    }
    return Reply(msgspec.json.encode(body), facts=course.facts)


async def stream(call: Call) -> Reply:
    """ConverseStream: a plain refusal, which boto3 raises as ValidationException."""
    raise BadInput(what=say("models.no_stream", call.flow.session.language))


def _chat(desk: Desk, call: Call) -> Chat:
    request: Request = call.body
    language = call.flow.session.language
    card = named(desk.catalogue, call.flow, call.path["model"])
    refuse_unoffered(request, language)
    inference = request.inference_config or Inference()
    within("maxTokens", inference.max_tokens, 1, MOST_TOKENS, language)
    within("temperature", inference.temperature, 0, 1, language)
    messages = messages_of(request, language)
    metadata = request.request_metadata or {}
    return chosen(card, messages, metadata, language, inference.max_tokens, inference.temperature)


def _content(text: str, citations: Iterable[Citation]) -> list[dict[str, Any]]:
    """The whole text in one block, where every client looks for it; then the citations, a block for each paragraph.

    `citationsContent.content` stays empty, so that a client that joins all blocks has the text once.
    """
    cited = [list(group) for _, group in groupby(citations, key=lambda c: c.label)]
    return [
        {"text": text},
        *({"citationsContent": {"content": [], "citations": [_citation(c) for c in group]}} for group in cited),
    ]


def _citation(citation: Citation) -> dict[str, Any]:
    """The title bears its portion mark, as titles do in a marked document; the link opens the passage."""
    return {
        "title": f"{citation.mark} {citation.title}".strip(),
        "source": citation.link,
        "sourceContent": [{"text": citation.quote}],
        "location": {"web": {"url": citation.link}},
    }
