"""The release door with a face: ask, see exactly what would leave, approve with a signature made elsewhere, carry out.

An approver's key never comes near the browser: the page gives the statement as a file, and takes the line that
`casemate release sign` prints on the approver's own machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.access import ReleaseAsk
from casemate.accounts import ApprovalKeyRequest, ReleaseQuotaRequest
from casemate.doors.console import shades
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.view import SAFE
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.release import ApproveRequest, EndRequest
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

KINDS = ("answer", "document.part", "mission-finding", "transfer.dispatch")


class AskForm(msgspec.Struct, frozen=True):
    """A request as the page asks for it."""

    object: str
    to: str
    reason: str
    kind: str = "answer"
    part: str = ""
    label: str = ""
    days: str = "7"
    format: str = ""
    schema: str = ""


class LineForm(msgspec.Struct, frozen=True):
    """What `casemate release sign` has printed."""

    line: str = ""


class WhyForm(msgspec.Struct, frozen=True):
    """Why it is refused or withdrawn."""

    why: str = ""


class RegisterForm(msgspec.Struct, frozen=True):
    """What an officer says of a key; `speaks` with commas between agencies."""

    lowest: str
    days: str = "365"
    speaks: str = ""


class QuotaForm(msgspec.Struct, frozen=True):
    """How much may leave in a day from the acting label."""

    count: str
    size: str


def routes(face: Face) -> list[Route]:
    """The list, one request and its deeds; keys."""
    at = _Releases(face)
    return [
        *page("GET", "/releases", _act("list"), at.show),
        part("POST", "/releases", _act("request"), at.ask, takes=AskForm, texts=_reason),
        part("GET", "/releases/{id}/statement", _act("show"), at.statement),
        *page("GET", "/releases/{id}", _act("show"), at.one),
        part("POST", "/releases/{id}/approve", _act("approve"), at.approve, takes=LineForm),
        part("POST", "/releases/{id}/refuse", _act("refuse"), at.refuse, takes=WhyForm, texts=_why),
        part("POST", "/releases/{id}/carry", _act("carry"), at.carry),
        part("POST", "/release-keys/{id}/register", _act("register"), at.register, takes=RegisterForm),
        part("POST", "/release-keys/{id}/revoke", _act("revoke"), at.revoke),
        part("POST", "/release-quota", _act("allow"), at.set_quota, takes=QuotaForm),
    ]


def _act(verb: str) -> Action:
    return Action(verb, "release")


def _reason(form: AskForm) -> Iterable[str]:
    return (form.reason,)


def _why(form: WhyForm) -> Iterable[str]:
    return (form.why,)


class _Releases:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """Newest first, with the keys that the caller may see; an object named in the query is put into the form."""
        data, facts = await self._face.ask("GET /api/releases", call)
        data["requests"].sort(key=lambda each: -each["request"]["at"])
        roles = call.flow.session.principal.roles
        data["keys"] = []
        if roles & {"officer", "auditor", "releaser"}:
            data["keys"] = (await self._face.ask("GET /api/release-keys", call))[0]
        data["today"] = None
        if roles & {"officer", "auditor", "releaser"}:
            data["today"] = (await self._face.ask("GET /api/release-quota", call))[0]
        asked = {name: call.query.get(name, "") for name in ("kind", "object", "part", "label")}
        return Shown("releases.html", data, facts=facts, more={"asked": asked, **self._choices(call)})

    async def one(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/releases/{id}", call)
        mine = data["request"]["requester"] == call.flow.session.principal.id
        given = {each["approver"] for each in data["approvals"]}
        here = data["label"] == call.flow.acting.text
        more = {"mine": mine, "given": call.flow.session.principal.id in given, "here_label": here}
        return Shown("release.html", data, facts=facts, more=more)

    async def statement(self, call: Call) -> Reply:
        """The statement that this approver would sign, as a file."""
        data, facts = await self._face.ask("GET /api/releases/{id}", call)
        disposition = ("Content-Disposition", f'attachment; filename="{data["id"]}.json"')
        body = msgspec.json.encode(data["statement"])
        return Reply(body, "application/json", headers=(*SAFE, disposition), facts=facts)

    async def ask(self, call: Call) -> Reply:
        form: AskForm = call.body
        days = int(form.days) if form.days.isascii() and form.days.isdigit() and len(form.days) < 4 else 0
        body = ReleaseAsk(form.kind, form.object.strip(), form.to, form.reason, form.part.strip(), form.label, days)
        body = msgspec.structs.replace(body, format=form.format, schema=form.schema.strip())
        data, facts = await self._face.ask("POST /api/releases", call, body)
        return self._go(call, f"/releases/{data['id']}", facts)

    async def approve(self, call: Call) -> Reply:
        key, _, signature = call.body.line.strip().partition(" ")
        if not key or not signature:
            raise BadInput(what=say("console.release.no_line", call.flow.session.language))
        body = ApproveRequest(key, signature.strip())
        _, facts = await self._face.ask("POST /api/releases/{id}/approve", call, body)
        return self._go(call, f"/releases/{call.path['id']}", facts)

    async def refuse(self, call: Call) -> Reply:
        _, facts = await self._face.ask("POST /api/releases/{id}/refuse", call, EndRequest(call.body.why))
        return self._go(call, f"/releases/{call.path['id']}", facts)

    async def carry(self, call: Call) -> Reply:
        _, facts = await self._face.ask("POST /api/releases/{id}/carry", call)
        return self._go(call, f"/releases/{call.path['id']}", facts)

    async def register(self, call: Call) -> Reply:
        form: RegisterForm = call.body
        days = int(form.days) if form.days.isascii() and form.days.isdigit() and len(form.days) < 4 else 0
        speaks = tuple(each.strip() for each in form.speaks.split(",") if each.strip())
        body = ApprovalKeyRequest(form.lowest, days, speaks)
        _, facts = await self._face.ask("POST /api/release-keys/{id}/register", call, body)
        return self._go(call, "/releases", facts)

    async def set_quota(self, call: Call) -> Reply:
        form: QuotaForm = call.body
        if not all(said.isascii() and said.isdecimal() and len(said) < 12 for said in (form.count, form.size)):
            raise BadInput(what=say("console.release.quota_lead", call.flow.session.language))
        body = ReleaseQuotaRequest(int(form.count), int(form.size))
        _, facts = await self._face.ask("PUT /api/release-quota", call, body)
        return self._go(call, "/releases", facts)

    async def revoke(self, call: Call) -> Reply:
        _, facts = await self._face.ask("DELETE /api/release-keys/{id}", call)
        return self._go(call, "/releases", facts)

    def _choices(self, call: Call) -> dict[str, Any]:
        return {"choices": shades.acting(call.flow, call.flow.session.language), "kinds": KINDS}

    def _go(self, call: Call, path: str, facts: dict[str, Any]) -> Reply:
        acting = "" if call.flow.acting is call.flow.session.ceiling else call.flow.acting.text
        return go(path, acting=acting, facts=facts)
