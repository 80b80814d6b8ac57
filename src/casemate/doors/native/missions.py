"""Missions: installed, listed, described, asked what a run would take, and run. A run is a job, at the acting label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import headed
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.missions.host import InstallRequest, Mission, Missions, RunRequest
from casemate.objects import Found
from casemate.policy import Action

__all__ = ["routes", "texts_of_run"]

LARGEST = 16 << 20


def routes(rooms: Rooms) -> list[Route]:
    """Mission routes."""
    at, base, one, data = _Missions(rooms), "/api/missions", "/api/missions/{name}", dict[str, Any]
    looks, installs, drops = Action("list", "mission"), Action("install", "mission"), Action("remove", "mission")
    submits = Action("submit", "job")
    return [
        Route("GET", base, "native", looks, at.every, gives=list[Any]),
        Route(
            "POST", base, "native", installs, at.install, takes=InstallRequest, gives=data, texts=_said, limit=LARGEST
        ),
        Route("GET", one, "native", looks, at.one, gives=data),
        Route("DELETE", one, "native", drops, at.remove, gives=data),
        Route(
            "POST", f"{one}/estimate", "native", submits, at.estimate, takes=RunRequest, gives=data, texts=texts_of_run
        ),
        Route("POST", f"{one}/runs", "native", submits, at.run, takes=RunRequest, gives=data, texts=texts_of_run),
        Route("GET", f"{one}/runs", "native", Action("list", "job"), at.runs, gives=list[Any]),
    ]


def _said(request: InstallRequest) -> tuple[str, ...]:
    """What it says of itself, and its code as far as it is text: all of it comes to rest with the mission."""
    code = (data.decode("utf-8", "replace") for data in request.files.values())
    return (
        *_strings(msgspec.to_builtins(request.described)),
        request.entry,
        request.environment,
        *request.files,
        *code,
    )


def texts_of_run(request: RunRequest) -> tuple[str, ...]:
    """What a person wrote into a form."""
    sources = (source for each in request.inputs.values() for source in each)
    return (*_strings(request.parameters), *request.inputs, *sources, request.model)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(name)
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)


class _Missions:
    def __init__(self, rooms: Rooms) -> None:
        self._missions = Missions(rooms.jobs)

    async def every(self, call: Call) -> Reply:
        """The missions that the acting label sees, the newest version of each first."""
        return reply(call.flow, [_headed(call, found) for found in await self._missions.every(call.flow)])

    async def install(self, call: Call) -> Reply:
        """A mission at the acting label: what it says of itself, its code, and the environment of its libraries."""
        found = await self._missions.install(call.flow, call.body)
        return reply(call.flow, _told(call, found), status=201, mission=found.id)

    async def one(self, call: Call) -> Reply:
        """The newest mission of a name, or the one of NAME@VERSION."""
        return reply(call.flow, _told(call, await self._missions.named(call.flow, call.path["name"])))

    async def remove(self, call: Call) -> Reply:
        """Forgotten: what has run stays, what waits for it fails."""
        return reply(call.flow, {"id": await self._missions.remove(call.flow, call.path["name"])})

    async def estimate(self, call: Call) -> Reply:
        """What a run of this form would take. Nothing is kept."""
        found, spec, need = await self._missions.estimate(call.flow, call.path["name"], call.body)
        told = {
            "mission": found.id,
            "need": msgspec.to_builtins(need),
            "resources": msgspec.to_builtins(spec.resources),
        }
        return reply(call.flow, told)

    async def run(self, call: Call) -> Reply:
        """A run, which is a job."""
        found = await self._missions.run(call.flow, call.path["name"], call.body)
        return reply(call.flow, headed(call.flow, found), status=201, job=found.id)

    async def runs(self, call: Call) -> Reply:
        """The runs of a mission that the acting label sees, newest first, at most 100."""
        found = await self._missions.runs(call.flow, call.path["name"])
        return reply(call.flow, [headed(call.flow, each) for each in found])


def _headed(call: Call, found: Found[Mission]) -> dict[str, Any]:
    value, language = found.value, call.flow.session.language
    return {
        "id": found.id,
        "name": value.name,
        "version": value.described.version,
        "title": value.described.titles.get(language, value.name),
        "about": value.described.about.get(language, ""),
        "environment": value.environment,
        "digest": value.digest,
        "added_by": value.added_by,
        "at": value.at,
        **marked(call.flow, found.label),
    }


def _told(call: Call, found: Found[Mission]) -> dict[str, Any]:
    files = [{"name": one.name, "size": one.size, "sha384": one.digest} for one in found.value.files]
    described = msgspec.to_builtins(found.value.described)
    return {**_headed(call, found), "entry": found.value.entry, "described": described, "files": files}
