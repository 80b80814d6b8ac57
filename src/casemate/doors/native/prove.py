"""Prove that an answer depends on nothing above: ask again in a world that holds only what may be seen."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.assistants import Proof
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.answers import AskRequest, chat_of
from casemate.doors.native.rooms import Rooms, reply
from casemate.errors import BadInput
from casemate.policy import Action

__all__ = ["ProveRequest", "routes"]


class ProveRequest(msgspec.Struct, frozen=True):
    """`who`: a principal's name ("" = oneself); `at`: the acting label to prove ("" = his ceiling); `last`: the last
    question that the caller asked."""

    question: str = ""
    who: str = ""
    at: str = ""
    reason: str = ""
    last: bool = False
    knowledge: str = "all"


def routes(rooms: Rooms) -> list[Route]:
    """The one route of this noun."""
    return [
        Route(
            "POST",
            "/api/prove",
            "native",
            Action("prove", "answer"),
            _Proves(rooms).prove,
            ProveRequest,
            Proof,
            texts=_question,
            asks=True,
        )
    ]


def _question(request: ProveRequest) -> Iterable[str]:
    return (request.question,)


class _Proves:
    """The handler needs the prover."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def prove(self, call: Call) -> Reply:
        """A signed proof, also where the two answers differ."""
        request: ProveRequest = call.body
        question = request.question
        if request.last:
            question = await self._rooms.prover.last_question(call.flow)
        if not question.strip():
            raise BadInput(what="There is no question to prove: give one, or ask one first.")
        chat = chat_of(AskRequest(question, knowledge=request.knowledge), call.flow)
        proof = await self._rooms.prover.prove(call.flow, chat, request.who, request.at, request.reason)
        return reply(call.flow, proof, equal=int(proof.equal))
