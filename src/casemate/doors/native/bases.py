"""Knowledge bases: listed, made, changed, given up, and served by another embedder."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.knowledge.base import Base
from casemate.knowledge.bases import BaseTold, bases, give_up, make
from casemate.policy import Action

__all__ = ["routes"]


class BaseRequest(msgspec.Struct, frozen=True):
    """What is said of a base; what is left out stays as it was."""

    name: str
    title: str | None = None
    embedder: str | None = None
    granularity: str | None = None
    metadata: dict[str, str] | None = None


class EmbedderRequest(msgspec.Struct, frozen=True):
    """The embedder that is to serve a base; "" is the region's."""

    embedder: str


def routes(rooms: Rooms) -> list[Route]:
    """Base routes."""
    at = _Bases(rooms)
    makes = Action("add", "knowledge")
    again = Action("reembed", "knowledge")
    told = dict[str, Any]
    return [
        Route("GET", "/api/knowledge", "native", Action("list", "knowledge"), at.listed, gives=list[BaseTold]),
        Route("POST", "/api/knowledge", "native", makes, at.make, takes=BaseRequest, gives=Base, texts=_said),
        Route("DELETE", "/api/knowledge/{base}", "native", Action("remove", "knowledge"), _give_up, gives=told),
        Route(
            "POST", "/api/knowledge/{base}/embedder", "native", again, at.embedder, takes=EmbedderRequest, gives=Base
        ),
    ]


def _said(request: BaseRequest) -> tuple[str, ...]:
    return (request.name, request.title or "", *(request.metadata or {}).values())


class _Bases:
    """What asks which embedders there are."""

    def __init__(self, rooms: Rooms) -> None:
        self._embedders = rooms.library.embedders

    async def listed(self, call: Call) -> Reply:
        """The visible bases; of each, how many visible passages still have the vectors of another embedder."""
        return reply(call.flow, await bases(call.flow, self._embedders))

    async def make(self, call: Call) -> Reply:
        """Say something of a base, at the acting label."""
        asked: BaseRequest = call.body
        base = await make(
            call.flow,
            asked.name,
            self._embedders,
            title=asked.title,
            embedder=asked.embedder,
            granularity=asked.granularity,
            metadata=asked.metadata,
        )
        return reply(call.flow, base, status=201)

    async def embedder(self, call: Call) -> Reply:
        """Another embedder for what lies at the acting label and above; passages get its vectors in the background."""
        base = await make(call.flow, call.path["base"], self._embedders, embedder=call.body.embedder)
        return reply(call.flow, base)


async def _give_up(call: Call) -> Reply:
    """What the caller said of a base here, and the documents that he brought into it here, are gone."""
    removed = await give_up(call.flow, call.path["base"])
    return reply(call.flow, {"removed": removed})
