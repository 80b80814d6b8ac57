"""The lines of invocation jobs, answered: what `models.batches` asks of this wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.bedrock import converse, invoke
from casemate.doors.bedrock.desk import Desk
from casemate.doors.bedrock.problem import named
from casemate.doors.frame import Call, Reply, strings
from casemate.errors import BadInput, CasemateError
from casemate.models.batch import Answered
from casemate.words import problem

__all__ = ["Invocations"]

Operation = Callable[[Desk, Call], Awaitable[Reply]]
_VERBS: dict[str, Operation] = {"invoke": invoke.invoke, "converse": converse.converse}


class Invocations:
    """Implements `models.batch.Wire` for the paths of this protocol (`serves`)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @staticmethod
    def serves(url: str) -> bool:
        """Whether a line of that url is one of this wire's."""
        return url.startswith("/model/")

    def texts(self, body: dict[str, Any]) -> list[str]:
        """Everything that somebody wrote."""
        return strings(body)

    async def answer(self, flow: Flow, url: str, body: dict[str, Any]) -> Answered:
        """The operation of the path, as if it had been called alone. Raises CasemateError."""
        model, _, verb = url.removeprefix("/model/").rpartition("/")
        if verb not in _VERBS:
            raise BadInput(what=f"A job's lines are for {' or '.join(sorted(_VERBS))}.")
        call = Call(self._desk.gate, flow, {"model": model}, {}, {}, body, b"")
        reply = await _VERBS[verb](self._desk, call)
        return Answered(reply.body, reply.facts)

    def told(self, error: CasemateError, flow: Flow) -> bytes:
        """An error as a job's output has it."""
        told = problem(error, flow.session.language, flow.label.text)
        return msgspec.json.encode(
            {"errorCode": named(told)[1], "errorMessage": f"{told.detail} {told.remedy}".strip()}
        )
