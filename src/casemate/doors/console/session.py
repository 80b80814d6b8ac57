"""Between which labels one works, and the end of it. A session can be narrowed, never widened."""

from __future__ import annotations

import msgspec

from casemate.accounts import close_console, open_console
from casemate.doors.console import shades
from casemate.doors.console.consent import local
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.sign_in import HOURS, first_place
from casemate.doors.frame import Call, Cookies, Reply, Route
from casemate.policy import Action

__all__ = ["routes"]


class Range(msgspec.Struct, frozen=True):
    """Floor and ceiling as chosen, or as written by hand where no choice fits."""

    floor: str = ""
    ceiling: str = ""
    written_floor: str = ""
    written_ceiling: str = ""
    next: str = ""


def routes(face: Face) -> list[Route]:
    """The range of a session, and signing out."""
    return [
        *page("GET", "/session", Action("read", "session"), _Session(face).show),
        part("POST", "/session", Action("open", "session"), _narrow, takes=Range),
        part("POST", "/sign-out", Action("close", "session"), _leave),
    ]


class _Session:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/session", call)
        choices = shades.acting(call.flow, call.flow.session.language)
        data["choices"] = [{"label": c.text, "marking": c.marking} for c in choices]
        data["next"] = local(call.query.get("next", ""))
        return Shown("session.html", data, facts=facts)


async def _narrow(call: Call) -> Reply:
    """A new cookie for the narrower range; the old one is nobody's. A key is not narrowed here: it has its range."""
    asked: Range = call.body
    flow, region = call.flow, call.gate.vault.region
    session = flow.session
    to = local(asked.next) or first_place(session)
    floor = region.label(asked.written_floor or asked.floor or session.floor.text)
    ceiling = region.reach(asked.written_ceiling or asked.ceiling or session.ceiling.text)
    if (floor is session.floor and ceiling is session.ceiling) or not _by_cookie(call):
        return go(to)
    text = await open_console(flow, floor, ceiling, session.language)
    await close_console(flow)
    return go(to, ("Set-Cookie", Cookies.set(text, HOURS * 3600)))


async def _leave(call: Call) -> Reply:
    """The cookie is nobody's from now on, here and in the browser."""
    if _by_cookie(call):
        await close_console(call.flow)
    return go("/sign-in", ("Set-Cookie", Cookies.clear()))


def _by_cookie(call: Call) -> bool:
    """Whether the session is the browser's: a key is not closed by signing out."""
    return "authorization" not in call.headers and "cookie" in call.headers
