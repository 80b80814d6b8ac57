"""Knowledge: bases with what is visible of them and who embeds them, and the sources from which files come.

What is said of a base lies at the acting label, and holds there and above. What is counted is what may be seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.doors.console import shades
from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.bases import BaseRequest, EmbedderRequest
from casemate.policy import Action
from casemate.words import say
from casemate.words.say import sentences

__all__ = ["routes"]

LIST, MAKE = Action("list", "knowledge"), Action("add", "knowledge")
REEMBED, GIVE_UP = Action("reembed", "knowledge"), Action("remove", "knowledge")


class BaseForm(msgspec.Struct, frozen=True):
    """A base as the page asks for it; what is left empty is not said."""

    name: str
    title: str = ""
    embedder: str = ""
    granularity: str = ""


class EmbedderForm(msgspec.Struct, frozen=True):
    """Another embedder; "" is the region's."""

    embedder: str = ""


def routes(face: Face) -> list[Route]:
    """The page, a new base or another title, another embedder, and the end of a base."""
    at = _Bases(face)
    return [
        *page("GET", "/knowledge", LIST, at.show),
        part("POST", "/knowledge", MAKE, at.make, takes=BaseForm, texts=_words),
        part("POST", "/knowledge/{base}/embedder", REEMBED, at.embedder, takes=EmbedderForm),
        part("POST", "/knowledge/{base}/remove", GIVE_UP, at.give_up),
    ]


def _words(form: BaseForm) -> Iterable[str]:
    return form.name, form.title


class _Bases:
    def __init__(self, face: Face) -> None:
        self._face = face
        self._embedders = face.rooms.library.embedders

    async def show(self, call: Call) -> Shown:
        """Bases by name; where a place outside is visible, the sources too."""
        bases, facts = await self._face.ask("GET /api/knowledge", call)
        outside = (await self._face.ask("GET /api/sources", call))[0]
        default, at = self._embedders.default, call.flow.acting
        more: dict[str, Any] = {
            "embedders": [_served(self._embedders.named(name, at)) for name in self._embedders.names(at)],
            "default": default.name if default is not None else "",
            "problem": lambda slug: _problem(slug, call.flow.session.language),
            "stating": shades.stating(call.flow, call.flow.session.language),
        }
        return Shown("bases.html", {"bases": bases, **outside}, facts=facts, more=more)

    async def make(self, call: Call) -> Reply:
        """What is left empty stays as it was, or as the region has it."""
        form: BaseForm = call.body
        body = BaseRequest(
            form.name.strip(), form.title.strip() or None, form.embedder or None, form.granularity or None
        )
        _, facts = await self._face.ask("POST /api/knowledge", call, body)
        return go("/knowledge", acting=acting(call), facts=facts)

    async def embedder(self, call: Call) -> Reply:
        body = EmbedderRequest(call.body.embedder)
        _, facts = await self._face.ask("POST /api/knowledge/{base}/embedder", call, body)
        return go("/knowledge", acting=acting(call), facts=facts)

    async def give_up(self, call: Call) -> Reply:
        _, facts = await self._face.ask("DELETE /api/knowledge/{base}", call)
        return go("/knowledge", acting=acting(call), facts=facts)


def _served(embedder: Any) -> dict[str, Any]:
    """An embedder by name, and which languages it declares."""
    return {"name": embedder.name, "languages": sorted(embedder.languages)}


def _problem(slug: str, language: str) -> str:
    """What keeps a source from being looked at, in the reader's words."""
    for told in (f"console.knowledge.problem.{slug}", f"errors.{slug}.title"):
        if told in sentences(language):
            return say(told, language)
    return slug
