"""Sources: places outside from which files come by themselves."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.knowledge.watching.source import Connectors, Source, Told, add_source, remove_source, sources
from casemate.labels import Label
from casemate.policy import Action

__all__ = ["routes"]


class SourceRequest(msgspec.Struct, frozen=True):
    """`place` is one of those that the settings allow, `under` a folder in it; `every`: seconds between two looks."""

    base: str
    place: str
    under: str = ""
    label: str = ""
    marks: str = "read"
    every: int = 60


def routes(rooms: Rooms) -> list[Route]:
    """Source routes."""
    at = _Sources(rooms.connectors)
    told = dict[str, Any]
    adds = Action("add", "source")
    return [
        Route("GET", "/api/sources", "native", Action("list", "source"), at.listed, gives=told),
        Route("POST", "/api/sources", "native", adds, at.add, takes=SourceRequest, gives=told, texts=_said),
        Route("DELETE", "/api/sources/{id}", "native", Action("remove", "source"), _remove, gives=told),
    ]


def _said(request: SourceRequest) -> tuple[str, ...]:
    return (request.base, request.under)


class _Sources:
    """What asks which places there are."""

    def __init__(self, connectors: Connectors) -> None:
        self._connectors = connectors

    async def listed(self, call: Call) -> Reply:
        """The visible sources and how each stands, and the places that the acting label dominates."""
        flow = call.flow
        seen = [place for place in self._connectors.places.values() if place.label <= flow.acting]
        places = [{"name": place.name, "kind": place.kind, **marked(flow, place.label)} for place in seen]
        found = [_source(call, found.id, found.value, found.label, told) for found, told in await sources(flow)]
        return reply(flow, {"sources": found, "places": sorted(places, key=lambda place: place["name"])})

    async def add(self, call: Call) -> Reply:
        """A new source at the acting label."""
        asked: SourceRequest = call.body
        id, source = await add_source(
            call.flow, self._connectors, asked.base, asked.place, asked.under, asked.label, asked.marks, asked.every
        )
        return reply(call.flow, _source(call, id, source, call.flow.acting, None), status=201)


def _source(call: Call, id: str, source: Source, label: Label, told: Told | None) -> dict[str, Any]:
    return {"id": id, **msgspec.structs.asdict(source), "told": told, **marked(call.flow, label)}


async def _remove(call: Call) -> Reply:
    """Look there no longer; what was brought from there stays."""
    return reply(call.flow, {"files": await remove_source(call.flow, call.path["id"])})
