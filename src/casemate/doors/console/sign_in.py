"""Signing in: a key or token is shown once, and a cookie for a few hours is given in its place.

The cookie's session lies between the key's floor and ceiling; the page after this one narrows it.
"""

from __future__ import annotations

import msgspec

from casemate.accounts import open_console
from casemate.doors.console.consent import agreed, from_here, local
from casemate.doors.console.face import Face, Shown, go, page
from casemate.doors.console.view import HTML, PLACES, SAFE, View, render
from casemate.doors.frame import LANGUAGE, Call, Cookies, Reply, Route
from casemate.errors import CasemateError
from casemate.identity import Bearer, Session
from casemate.policy import ACTIONS, Action
from casemate.settings import Settings
from casemate.words import LANGUAGES, problem

__all__ = ["HOURS", "first_place", "routes"]

OPEN = Action("open", "session")
HOURS = 8
YEAR = 365 * 86_400


class SignIn(msgspec.Struct, frozen=True):
    """The key, and where to go on."""

    key: str
    next: str = ""


def routes(face: Face) -> list[Route]:
    """The page, the deed, and the switch of languages."""
    sign_in = _SignIn(face.rooms.settings)
    return [
        *page("GET", "/sign-in", OPEN, sign_in.show, public=True),
        Route("POST", "/sign-in", "console", OPEN, sign_in.enter, takes=SignIn, public=True),
        Route("GET", "/language", "console", Action("read", "region"), _language, public=True),
    ]


def first_place(session: Session) -> str:
    """The first page that somebody's roles open."""
    roles = session.principal.roles
    return next((path for path, _, action in PLACES if roles & ACTIONS[action].roles), "/connect")


class _SignIn:
    """Needs the text of the consent page, to know that it has been read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def show(self, call: Call) -> Shown:
        to = local(call.query.get("next", ""))
        if not agreed(self._settings, call):
            away = go("/consent", next=to)
            return Shown("away.html", {"to": dict(away.headers)["Location"]}, status=303, headers=away.headers[-1:])
        return Shown("sign_in.html", {"next": to, "problem": None})

    async def enter(self, call: Call) -> Reply:
        """A key that opens nothing is recorded, and told on the page itself."""
        from_here(call)
        asked: SignIn = call.body
        if not agreed(self._settings, call):
            return go("/consent", next=local(asked.next))
        try:
            session = call.gate.admit(Bearer("".join(asked.key.split())))
        except CasemateError as error:
            return await self._refused(call, asked, error)
        flow = await call.gate.open(session, OPEN)
        text = await open_console(flow, session.floor, session.ceiling, call.flow.session.language)
        to = local(asked.next) or first_place(session)
        set_ = ("Set-Cookie", Cookies.set(text, HOURS * 3600))
        return go(to, set_) if session.floor is session.ceiling else go("/session", set_, next=to)

    async def _refused(self, call: Call, asked: SignIn, error: CasemateError) -> Reply:
        await call.gate.record_stranger(OPEN, error)
        told = problem(error, call.flow.session.language, call.flow.label.text, error.entry)
        data = {"next": local(asked.next), "problem": msgspec.to_builtins(told)}
        body = render("sign_in.html", View.of(call), d=data)
        return Reply(body.encode(), HTML, told.status, headers=SAFE)


async def _language(call: Call) -> Reply:
    """The language of this browser, from now on; back to where it was asked."""
    asked = call.query.get("to", "")
    language = asked if asked in LANGUAGES else "en"
    host, path = call.headers.get("host", ""), ""
    before, found, after = call.headers.get("referer", "").partition(f"://{host}/")
    if found and before in ("http", "https"):
        path = local("/" + after)
    kept = f"{LANGUAGE}={language}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict"
    return go(path or "/", ("Set-Cookie", kept))
