"""Keys for clients: issue one and paste its lines; see them, and take them back."""

from __future__ import annotations

import msgspec

from casemate.accounts import KeyRequest
from casemate.doors.console import shades
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]


class KeyForm(msgspec.Struct, frozen=True):
    """A key as the page asks for it; the range may be written by hand."""

    client: str = "openai"
    floor: str = ""
    ceiling: str = ""
    days: str = "90"
    name: str = ""


class RevokeForm(msgspec.Struct, frozen=True):
    """The key that is taken back."""

    id: str


def routes(face: Face) -> list[Route]:
    """The page, a new key (its secret is shown once), and the end of a key."""
    keys = _Keys(face)
    return [
        *page("GET", "/keys", Action("list", "key"), keys.show),
        *page("POST", "/keys", Action("issue", "key"), keys.issue, takes=KeyForm),
        part("POST", "/keys/revoke", Action("revoke", "key"), keys.revoke, takes=RevokeForm),
    ]


class _Keys:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/keys", call)
        choices = shades.acting(call.flow, call.flow.session.language)
        within = [choice for choice in choices if call.gate.vault.region.reach(choice.text) <= call.flow.acting]
        return Shown("keys.html", data, facts=facts, more={"choices": within})

    async def issue(self, call: Call) -> Shown:
        """The only page that ever shows the secret; neither the ledger nor the browser's history keeps it."""
        form: KeyForm = call.body
        if not form.days.isascii() or not form.days.isdigit() or len(form.days) > 4:
            raise BadInput(what=say("console.keys.no_days", call.flow.session.language))
        body = KeyRequest(form.client, form.floor, form.ceiling, int(form.days), form.name)
        data, facts = await self._face.ask("POST /api/keys", call, body)
        here = f"http://{call.headers.get('host', '127.0.0.1')}"
        split = self._face.rooms.settings.listen.processes == "split"
        address = self._face.rooms.wires() if split else here
        return Shown("key.html", data, status=201, facts=facts, secret=True, more={"address": address})

    async def revoke(self, call: Call) -> Reply:
        _, facts = await self._face.ask("DELETE /api/keys/{id}", call, id=call.body.id)
        acting = "" if call.flow.acting is call.flow.session.usual else call.flow.acting.text
        return go("/keys", acting=acting, facts=facts)
