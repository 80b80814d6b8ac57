"""Principals, for security officers: who may come in, how far, and what waits for a second officer's yes."""

from __future__ import annotations

import msgspec

from casemate.accounts import PersonRequest
from casemate.doors.console import shades
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.identity import ROLES
from casemate.policy import Action

__all__ = ["routes"]


class PersonForm(msgspec.Struct, frozen=True):
    """A principal as the page asks for it: a box for each role."""

    clearance: str
    name: str = ""
    uid: str = ""
    role_user: str = ""
    role_officer: str = ""
    role_auditor: str = ""
    role_operator: str = ""
    role_releaser: str = ""

    @property
    def request(self) -> PersonRequest:
        """The same as the native API takes it."""
        roles = tuple(role for role in ROLES if getattr(self, f"role_{role}"))
        return PersonRequest(self.name, self.clearance, roles, self.uid)


def routes(face: Face) -> list[Route]:
    """The list and its deeds."""
    people = _People(face)
    listing, grant = Action("list", "principal"), Action("grant", "principal")
    return [
        *page("GET", "/principals", listing, people.show),
        part("POST", "/principals", Action("add", "principal"), people.add, takes=PersonForm),
        part("POST", "/principals/{id}", grant, people.change, takes=PersonForm),
        part("POST", "/principals/{id}/confirm", grant, people.confirm),
    ]


class _People:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/principals", call)
        data["principals"].sort(key=lambda person: person["name"])
        choices = shades.acting(call.flow, call.flow.session.language)
        return Shown("principals.html", data, facts=facts, more={"choices": choices, "roles": ROLES})

    async def add(self, call: Call) -> Reply:
        _, facts = await self._face.ask("POST /api/principals", call, call.body.request)
        return go("/principals", facts=facts)

    async def change(self, call: Call) -> Reply:
        _, facts = await self._face.ask("PUT /api/principals/{id}", call, call.body.request)
        return go("/principals", facts=facts)

    async def confirm(self, call: Call) -> Reply:
        _, facts = await self._face.ask("POST /api/principals/{id}/confirm", call)
        return go("/principals", facts=facts)
