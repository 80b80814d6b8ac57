"""Prove it on everybody's own data: every principal's world against a copy, and the tallies that were kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.assistants import TALLY, Asking, Counted, Prover, Step, Tally, finish, prove_all, stands
from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["ProveAllRequest", "routes"]

_MOST, _LONG = 500, 8192
_LISTED = 200


class ProveAllRequest(msgspec.Struct, frozen=True):
    """The questions that are asked of every world, and why the auditor asks as others."""

    questions: tuple[str, ...]
    reason: str
    knowledge: str = "all"


class Kept(msgspec.Struct, frozen=True):
    """A kept tally. `stands`: whether this region's key signed it."""

    id: str
    tally: Tally
    good: bool
    stands: bool
    label: str
    marking: str
    mark: str


def routes(rooms: Rooms) -> list[Route]:
    """Counting, and what was counted."""
    make, listing = Action("make", "proof"), Action("list", "proof")
    proves = _Proves(rooms).prove
    return [
        Route("POST", "/api/prove/all", "native", make, proves, ProveAllRequest, Step, texts=_texts, asks=True),
        Route("GET", "/api/proofs", "native", listing, _list, gives=dict[str, Any]),
    ]


def _texts(request: ProveAllRequest) -> Iterable[str]:
    return request.questions


class _Proves:
    """The handler needs the prover."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def prove(self, call: Call) -> Stream:
        """Server-sent events: a `step` for each world, and the `tally` at the end with the salt of its digests."""
        request: ProveAllRequest = call.body
        flow, language = call.flow, call.flow.session.language
        questions = tuple(question.strip()[:_LONG] for question in request.questions if question.strip())
        if not 0 < len(questions) <= _MOST:
            raise BadInput(what=say("assistants.prove_questions", language, most=_MOST))
        if not request.reason.strip():
            raise BadInput(what=say("assistants.prove_reason", language))
        names = tuple(name.strip() for name in request.knowledge.split(",") if name.strip())
        salt = flow.gate.vault.entropy.draw(f"proof/{flow.access.id}/{flow.session.id}")
        asking = Asking(questions, salt, names or ("all",), language)
        facts: dict[str, Any] = {"questions": len(questions)}
        return Stream(_steps(self._rooms.prover, flow, asking, request.reason, facts), facts=facts)


async def _steps(
    prover: Prover, flow: Flow, asking: Asking, reason: str, facts: dict[str, Any]
) -> AsyncIterator[bytes]:
    counted, at = Counted(), flow.gate.vault.clock.now()
    async for step in prove_all(prover, flow, asking, reason, counted):
        yield _event("step", step)
    tally = await finish(flow, asking, counted, at)
    facts |= {"worlds": len(tally.worlds), "equal": int(tally.good)}
    yield _event("tally", {"tally": tally, "salt": asking.salt.hex(), "good": tally.good})


def _event(name: str, told: Any) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(told) + b"\n\n"


async def _list(call: Call) -> Reply:
    """The kept tallies that the acting label sees, newest first, and the key that should have signed them."""
    flow = call.flow
    public = flow.gate.vault.signer.public
    found = sorted(await flow.every(TALLY), key=lambda each: (-each.value.at, each.id))[:_LISTED]
    proofs = [
        Kept(
            id=each.id,
            tally=each.value,
            good=each.value.good,
            stands=stands(each.value.body(), each.value.signature, each.value.key_id, public),
            **marked(flow, each.label),
        )
        for each in found
    ]
    return reply(flow, {"proofs": proofs, "public": public.hex()})
