"""The lines of a batch as requests of this wire: implements `models.batch.Wire`."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from casemate.access import Flow, Gate
from casemate.doors.frame import Call, Handler, Reply, spelled
from casemate.doors.openai import chat, embeddings, responses
from casemate.doors.openai.brought import looked_at
from casemate.doors.openai.desk import Desk
from casemate.doors.openai.problem import told
from casemate.errors import BadInput, CasemateError
from casemate.models import Answerer, Catalogue
from casemate.models.batch import Answered
from casemate.models.shelf import Shelf
from casemate.words import say

__all__ = ["Lines"]


class Lines:
    """Answers a request without a caller: its flow is the batch's own."""

    def __init__(self, gate: Gate, catalogue: Catalogue, answerer: Answerer, shelf: Shelf | None = None) -> None:
        desk = Desk(gate, catalogue, answerer, shelf)
        self._gate = gate
        self._handlers: dict[str, Handler] = {
            "/v1/chat/completions": partial(chat.complete, desk),
            "/v1/embeddings": partial(embeddings.create, desk),
            "/v1/responses": partial(responses.create, desk),
        }

    def serves(self, url: str) -> bool:
        """Whether a line of that url is one of this wire's."""
        return url in self._handlers

    def texts(self, body: dict[str, Any]) -> list[str]:
        """Everything that somebody wrote in it."""
        return looked_at(body)

    async def answer(self, flow: Flow, url: str, body: dict[str, Any]) -> Answered:
        """Answer it, whole."""
        if body.get("stream"):
            raise BadInput(what=say("openai.stream", flow.session.language))
        reply = await self._handlers[url](Call(self._gate, flow, {}, {}, {}, body, b""))
        assert isinstance(reply, Reply)
        return Answered(reply.body, reply.facts)

    def told(self, error: CasemateError, flow: Flow) -> bytes:
        """The error in this protocol's brackets."""
        policies, language = self._gate.vault.region.policies, flow.session.language
        return msgspec.json.encode(told(spelled(error, policies, language, flow.label.text, error.entry)))
