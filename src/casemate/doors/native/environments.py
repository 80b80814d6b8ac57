"""Environments of jobs and the packages that they are made of: brought, locked, listed, forgotten.

Everything lies at the acting label and is seen from there up. A file is the body, taken as it arrives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.jobs.environment import Environment, EnvironmentRequest
from casemate.jobs.packages import PACKAGE, ListRequest, Package
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["IMAGE", "WHEEL", "routes"]

WHEEL = 4 << 30
IMAGE = 64 << 30


class Forgotten(msgspec.Struct, frozen=True):
    """What a removal gives: the name that is no more."""

    name: str


def routes(rooms: Rooms) -> list[Route]:
    """Routes of environments and packages."""
    at, told = _Environments(rooms), dict[str, Any]
    base, mirror = "/api/environments", "/api/packages"
    looks, adds, drops = Action("list", "environment"), Action("add", "environment"), Action("remove", "environment")
    lists, brings = Action("list", "package"), Action("bring", "package")
    one, wheel = f"{base}/{{name}}", f"{mirror}/{{name}}"
    return [
        Route("GET", base, "native", looks, at.every, gives=list[Any]),
        Route("POST", base, "native", adds, at.add, takes=EnvironmentRequest, gives=told, texts=_said),
        Route("PUT", one, "native", adds, at.image, gives=told, limit=IMAGE, streams=True),
        Route("GET", one, "native", looks, at.one, gives=told),
        Route("DELETE", one, "native", drops, at.remove, gives=Forgotten),
        Route("GET", mirror, "native", lists, at.packages, gives=list[Any]),
        Route("POST", mirror, "native", brings, at.listed, takes=ListRequest, gives=told, texts=_sums),
        Route("PUT", wheel, "native", brings, at.bring, gives=told, limit=WHEEL, streams=True),
        Route("GET", f"{wheel}/file", "native", Action("fetch", "package"), at.fetch),
    ]


def _said(request: EnvironmentRequest) -> tuple[str, ...]:
    return request.name, request.lock


def _sums(request: ListRequest) -> tuple[str, ...]:
    return (request.sums,)


class _Environments:
    def __init__(self, rooms: Rooms) -> None:
        self._known = rooms.jobs.sites.environments

    async def every(self, call: Call) -> Reply:
        """The environments that the acting label sees: the region's own, and trees of the site as they stand."""
        own = [_told(call, found) for found in await self._known.every(call.flow)]
        site = [
            {"name": name, "form": "site", "path": one.path, **marked(call.flow, one.label)}
            for name, one in self._known.standing(call.flow)
        ]
        return reply(call.flow, [*own, *site])

    async def add(self, call: Call) -> Reply:
        """An environment of the wheels that a lock names: every one of them is in the mirror, with that digest."""
        return reply(call.flow, _told(call, await self._known.add(call.flow, call.body)), status=201)

    async def image(self, call: Call) -> Reply:
        """An environment of an image: the archive is the body."""
        found = await self._known.add_image(call.flow, call.path["name"], _arriving(call))
        return reply(call.flow, _told(call, found), status=201, bytes=found.value.files[0].size)

    async def one(self, call: Call) -> Reply:
        """An environment by its name or digest, with its files."""
        found = await self._known.named(call.flow, call.path["name"])
        files = [{"name": one.name, "size": one.size, "sha384": one.digest} for one in found.value.files]
        return reply(call.flow, {**_told(call, found), "listed": files})

    async def remove(self, call: Call) -> Reply:
        """Forgotten: what runs in it runs on, what waits for it fails."""
        return reply(call.flow, Forgotten(await self._known.remove(call.flow, call.path["name"])))

    async def fetch(self, call: Call) -> Stream:
        """The file of a package."""
        flow, name = call.flow, call.path["name"][:256]
        found = await flow.read(PACKAGE, name)
        await flow.begin(name.encode(), {"package": name})
        pieces = _pieces(flow, found)
        return Stream(pieces, "application/octet-stream", length=found.value.size, secret=True, subjects=(found.ref,))

    async def packages(self, call: Call) -> Reply:
        """The wheels of the mirror that the acting label sees."""
        return reply(call.flow, [_package(call, found) for found in await self._known.mirror.every(call.flow)])

    async def listed(self, call: Call) -> Reply:
        """A list of what is going to be brought, with who signed it; its id is named with each file."""
        id, value = await self._known.mirror.listed(call.flow, call.body)
        return reply(call.flow, {"list": id, "files": len(value.sums), "key": value.key}, status=201)

    async def bring(self, call: Call) -> Reply:
        """A wheel for the mirror: the file is the body, `list` the id of the list that names it."""
        name, listed = call.path["name"], call.query.get("list", "")
        found = await self._known.mirror.bring(call.flow, listed, name, _arriving(call))
        return reply(call.flow, _package(call, found), status=201, bytes=found.value.size)


async def _pieces(flow: Flow, found: Found[Package]) -> AsyncIterator[bytes]:
    for piece in found.value.pieces:
        yield await flow.blob(found.ref.class_id, piece)


async def _arriving(call: Call) -> AsyncIterator[bytes]:
    """The body's pieces; of an empty one none."""
    if call.incoming is not None:
        async for piece in call.incoming:
            yield piece


def _told(call: Call, found: Found[Environment]) -> dict[str, Any]:
    value = found.value
    return {
        "name": value.name,
        "form": value.form,
        "digest": value.digest,
        "files": len(value.files),
        "size": sum(one.size for one in value.files),
        "added_by": value.added_by,
        "at": value.at,
        **marked(call.flow, found.label),
    }


def _package(call: Call, found: Found[Package]) -> dict[str, Any]:
    value = found.value
    told = {name: getattr(value, name) for name in ("name", "project", "version", "size", "sha256", "key", "at")}
    return {**told, **marked(call.flow, found.label)}
