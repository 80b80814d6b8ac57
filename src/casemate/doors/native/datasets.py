"""Datasets in place: recorded at the acting label, listed as far as it sees, checked, digested, forgotten."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.datasets import Dataset, DatasetRequest, begin, shown, verify
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["routes"]

TOLD = 100


class Nothing(msgspec.Struct, frozen=True):
    """What a removal gives: the name that is no more."""

    name: str


def routes(rooms: Rooms) -> list[Route]:
    """Dataset routes."""
    at, one, told = _Datasets(rooms), "/api/datasets/{name}", dict[str, Any]
    added, taken = Action("add", "dataset"), Action("digest", "dataset")
    return [
        Route("GET", "/api/datasets", "native", Action("list", "dataset"), at.every, gives=list[Any]),
        Route("POST", "/api/datasets", "native", added, at.add, takes=DatasetRequest, gives=told, texts=_said),
        Route("GET", one, "native", Action("list", "dataset"), at.one, gives=told),
        Route("GET", f"{one}/files", "native", Action("read", "dataset"), at.files, gives=list[Any]),
        Route("POST", f"{one}/verify", "native", Action("verify", "dataset"), at.verify, gives=told),
        Route("POST", f"{one}/digest", "native", taken, at.digest, gives=told),
        Route("DELETE", one, "native", Action("remove", "dataset"), at.remove, gives=Nothing),
    ]


def _said(request: DatasetRequest) -> tuple[str, ...]:
    return request.name, request.path, request.title


class _Datasets:
    def __init__(self, rooms: Rooms) -> None:
        self._datasets = rooms.datasets

    async def every(self, call: Call) -> Reply:
        """The datasets that the acting label sees."""
        return reply(call.flow, [_told(call, found) for found in await self._datasets.every(call.flow)])

    async def add(self, call: Call) -> Reply:
        """A tree recorded where it lies; nothing of it is copied."""
        return reply(call.flow, _told(call, await self._datasets.add(call.flow, call.body)), status=201)

    async def one(self, call: Call) -> Reply:
        return reply(call.flow, _told(call, await self._datasets.named(call.flow, call.path["name"])))

    async def files(self, call: Call) -> Reply:
        """A page of its files, from `after` on: each with size and, where it is known, digest."""
        after, limit = call.query.get("after", "0"), call.query.get("limit", "100")
        if not _number(after, 1_000_000) or not _number(limit, 1000):
            raise BadInput(what="after is 0 to 1000000, limit 0 to 1000.")
        found = await self._datasets.named(call.flow, call.path["name"])
        items = await self._datasets.stretch(call.flow, found, int(after), int(limit))
        listed = [
            {"path": shown(item.path), "size": item.size, "modified": item.mtime, "digest": item.digest.hex()}
            for item in items
        ]
        return reply(call.flow, listed)

    async def verify(self, call: Call) -> Reply:
        """Every file looked at, none read: the first of those that are others now, and how many they are."""
        found, wrong = await verify(call.flow, self._datasets, call.path["name"])
        named = [{"path": shown(item.path), "why": why} for item, why in wrong[:TOLD]]
        data = {**_told(call, found), "wrong": len(wrong), "named": named}
        return reply(call.flow, data, wrong=len(wrong))

    async def digest(self, call: Call) -> Reply:
        """From now on digests are taken, and those that are known compared, in the background."""
        found = await begin(call.flow, self._datasets, call.path["name"])
        return reply(call.flow, _told(call, found), status=202)

    async def remove(self, call: Call) -> Reply:
        """Forgotten; the files stay where they are."""
        await self._datasets.remove(call.flow, call.path["name"])
        return reply(call.flow, Nothing(call.path["name"]))


def _number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= most


def _told(call: Call, found: Found[Dataset]) -> dict[str, Any]:
    value = found.value
    return {
        "name": value.name,
        "title": value.title,
        "root": value.root,
        "under": value.under,
        "files": value.files,
        "size": value.size,
        "links": value.links,
        "digested": value.digested,
        "running": value.cursor >= 0,
        "done": value.cursor if value.cursor >= 0 else value.files,
        "changes": value.changes,
        "changed": [{"path": shown(each.path), "why": each.why} for each in value.changed],
        "added_by": value.added_by,
        "at": value.at,
        "looked": value.looked,
        **marked(call.flow, found.label),
    }
