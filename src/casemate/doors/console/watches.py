"""Watches of missions with a face: what runs by itself, why one stands still, what was found; make, pause, remove."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.missions import asked_in
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.mission_watches import PauseRequest
from casemate.errors import BadInput
from casemate.missions.host import WatchRequest
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

FIELD = "w."


class PauseForm(msgspec.Struct, frozen=True):
    """`paused`: yes, or anything else to have it go on."""

    paused: str = ""


class RemoveForm(msgspec.Struct, frozen=True):
    """`sure`: the box was ticked."""

    sure: str = ""


def routes(face: Face) -> list[Route]:
    """The page, and three deeds."""
    at, one = _Watches(face), "/mission-watches/{id}"
    looks, adds = Action("list", "mission-watch"), Action("add", "mission-watch")
    pauses, drops = Action("pause", "mission-watch"), Action("remove", "mission-watch")
    return [
        *page("GET", "/mission-watches", looks, at.show),
        part("POST", "/missions/{name}/watch", adds, at.add, takes=dict[str, str], texts=_written),
        part("POST", f"{one}/pause", pauses, at.pause, takes=PauseForm),
        part("POST", f"{one}/remove", drops, at.remove, takes=RemoveForm),
    ]


def _written(form: dict[str, str]) -> Iterable[str]:
    return (*form, *form.values())


class _Watches:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The watches and notices that the acting label sees."""
        watches, facts = await self._face.ask("GET /api/mission-watches", call)
        notices = await self._face.data("GET /api/mission-notices", call)
        more = {"now": call.gate.vault.clock.now()}
        return Shown("mission_watches.html", {"watches": watches, "notices": notices}, facts=facts, more=more)

    async def add(self, call: Call) -> Reply:
        """A watch of the filled form. What does not fit is told in the form's words."""
        described = (await self._face.data("GET /api/missions/{name}", replace(call, body=None)))["described"]
        form = {name.removeprefix(FIELD): text.strip() for name, text in call.body.items() if name.startswith(FIELD)}
        asked = WatchRequest(
            name=form.get("name", ""),
            mission=call.path["name"],
            source=form.get("source", ""),
            role=form.get("role", ""),
            every_s=_number(call, form, "every", 0),
            most=_number(call, form, "most", 1),
            when=tuple(filter(None, (line.strip() for line in form.get("when", "").splitlines()))),
            sinks=tuple(form.get("sinks", "").split()),
            run=asked_in(described, call.body),
            whole=bool(form.get("whole")),
        )
        _, facts = await self._face.ask("POST /api/mission-watches", call, asked)
        return go("/mission-watches", acting=acting(call), facts=facts)

    async def pause(self, call: Call) -> Reply:
        asked = PauseRequest(call.body.paused == "yes")
        _, facts = await self._face.ask("POST /api/mission-watches/{id}/pause", call, asked)
        return go("/mission-watches", acting=acting(call), facts=facts)

    async def remove(self, call: Call) -> Reply:
        """Removed, where the box that says so is ticked."""
        if not call.body.sure:
            raise BadInput(what=say("console.watches.not_sure", call.flow.session.language))
        _, facts = await self._face.ask("DELETE /api/mission-watches/{id}", call)
        return go("/mission-watches", acting=acting(call), facts=facts)


def _number(call: Call, form: dict[str, str], name: str, default: int) -> int:
    text = form.get(name, "") or str(default)
    if not text.isdecimal() or len(text) > 12:
        label = say(f"console.watches.{name}", call.flow.session.language)
        raise BadInput(what=say("console.watches.number", call.flow.session.language, name=label))
    return int(text)
