"""The ledger: entries, what one of them says, the verdict over all, and opening what was said with a reason."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.ledger import OpenRequest, VerifyRequest
from casemate.errors import BadInput
from casemate.ledger import Head
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

READ, CHECK, OPEN = Action("read", "ledger"), Action("verify", "ledger"), Action("open", "ledger")
SHOWN = "200"


class OpenForm(msgspec.Struct, frozen=True):
    """Why what was said is opened."""

    reason: str = ""


class VerifyForm(msgspec.Struct, frozen=True):
    """Heads that somebody remembers outside, as JSON."""

    heads: str = ""


def routes(face: Face) -> list[Route]:
    """Pages of the ledger."""
    ledger = _Ledger(face)
    return [
        *page("GET", "/ledger", READ, ledger.show),
        *page("POST", "/ledger/verify", CHECK, ledger.verify, takes=VerifyForm),
        *page("GET", "/ledger/{id}", READ, ledger.one),
        *page("POST", "/ledger/{id}/open", OPEN, ledger.open, takes=OpenForm),
    ]


class _Ledger:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        query = {"limit": call.query.get("limit") or SHOWN}
        data, facts = await self._face.ask("GET /api/ledger", replace(call, query=query))
        return Shown("ledger.html", data, facts=facts)

    async def one(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/ledger/{id}", call)
        return Shown("entry.html", data, facts=facts, more={"opened": None, "reason": ""})

    async def open(self, call: Call) -> Shown:
        """The entry again, with what was said."""
        form: OpenForm = call.body
        entry, _ = await self._face.ask("GET /api/ledger/{id}", call)
        opened, facts = await self._face.ask("POST /api/ledger/{id}/open", call, OpenRequest(form.reason))
        return Shown("entry.html", entry, facts=facts, more={"opened": opened, "reason": form.reason})

    async def verify(self, call: Call) -> Shown:
        form: VerifyForm = call.body
        try:
            heads = msgspec.json.decode(form.heads.strip() or "[]", type=tuple[Head, ...])
        except msgspec.DecodeError:
            raise BadInput(what=say("console.ledger.no_heads", call.flow.session.language)) from None
        data, facts = await self._face.ask("POST /api/ledger/verify", call, VerifyRequest(heads))
        return Shown("verdict.html", data, part="ledger/verdict.html", facts=facts)
