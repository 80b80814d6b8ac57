"""The page before all others: on what terms one works here. What was read is remembered by its digest, in a cookie.

A text that changes is a text that has not been read.
"""

from __future__ import annotations

import hashlib

from casemate.doors import frame
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route, same_origin
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.settings import Settings
from casemate.words import say

__all__ = ["agreed", "cookie_of", "routes"]

SEE = Action("read", "region")
COOKIE = "casemate-consent"
HOURS = 8


def routes(face: Face) -> list[Route]:
    """`/` leads to the first page that is still to be read."""
    return _Consent(face.rooms.settings).routes()


def agreed(settings: Settings, call: Call) -> bool:
    """Whether this browser has acknowledged the text as it stands now."""
    return cookie_of(call, COOKIE) == _digest(settings)


def cookie_of(call: Call, name: str) -> str:
    """A cookie's value, or ""."""
    return frame.cookie_of(call.headers, name)


def local(path: str) -> str:
    """A path of ours to go on to, or "": never another host."""
    fits = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) < 2000
    return path if fits and "\\" not in path else ""


def from_here(call: Call) -> None:
    """Raises BadInput where a public form was sent by a page of somebody else."""
    if not same_origin(call.headers):
        raise BadInput(what=say("console.problem.elsewhere", call.flow.session.language))


def _digest(settings: Settings) -> str:
    said = f"{settings.console.consent_en}\x00{settings.console.consent_fr}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


class _Consent:
    """Knows the text."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            part("GET", "/", SEE, self.first, public=True),
            *page("GET", "/consent", SEE, self.show, public=True),
            part("POST", "/consent", SEE, self.agree, public=True),
        ]

    async def first(self, call: Call) -> Reply:
        return go("/ask" if agreed(self._settings, call) else "/consent")

    async def show(self, call: Call) -> Shown:
        french = call.flow.session.language == "fr"
        text = self._settings.console.consent_fr if french else self._settings.console.consent_en
        return Shown("consent.html", {"text": text, "next": local(call.query.get("next", ""))})

    async def agree(self, call: Call) -> Reply:
        from_here(call)
        kept = f"{COOKIE}={_digest(self._settings)}; Path=/; Max-Age={HOURS * 3600}; HttpOnly; SameSite=Strict"
        to = local(call.query.get("next", ""))
        return go("/sign-in", ("Set-Cookie", kept), next=to)
