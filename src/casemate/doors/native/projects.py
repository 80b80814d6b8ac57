"""Agencies and projects: who pays. Listed as far as the acting label sees, added at the acting label."""

from __future__ import annotations

from casemate.accounts import (
    Agency,
    AgencyRequest,
    Project,
    ProjectRequest,
    add_agency,
    add_project,
    agencies,
    projects,
)
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Agency and project routes."""
    del rooms
    listed, added = Action("list", "project"), Action("add", "project")
    return [
        Route("GET", "/api/agencies", "native", listed, _agencies, gives=list[Agency]),
        Route("POST", "/api/agencies", "native", added, _add_agency, takes=AgencyRequest, gives=Agency, texts=_said),
        Route("GET", "/api/projects", "native", listed, _projects, gives=list[Project]),
        Route("POST", "/api/projects", "native", added, _add, takes=ProjectRequest, gives=Project, texts=_said),
    ]


def _said(request: AgencyRequest | ProjectRequest) -> tuple[str, ...]:
    return (request.name, request.title)


async def _agencies(call: Call) -> Reply:
    """The agencies that the acting label sees, the region's own first."""
    return reply(call.flow, await agencies(call.flow))


async def _add_agency(call: Call) -> Reply:
    """A new agency."""
    return reply(call.flow, await add_agency(call.flow, call.body), status=201)


async def _projects(call: Call) -> Reply:
    """The projects that the acting label sees."""
    data = [{**_told(found.value), **marked(call.flow, found.label)} for found in await projects(call.flow)]
    return reply(call.flow, data)


def _told(project: Project) -> dict[str, str | int]:
    return {name: getattr(project, name) for name in project.__struct_fields__}


async def _add(call: Call) -> Reply:
    """A new project of an agency."""
    return reply(call.flow, await add_project(call.flow, call.body), status=201)
