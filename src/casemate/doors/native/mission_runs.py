"""Runs of missions: how far one is, what it found, its report, its tables, two of them compared, and one made again.

A run is a job, and everything here is read from what its job left, at the job's label.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import told
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import Absent, BadInput
from casemate.missions.host import (
    Finding,
    FindingRequest,
    Findings,
    Missions,
    compared,
    progress_of,
    report_of,
    result_of,
    table_of,
)
from casemate.objects import Found
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

# what a program of strangers made is shown, and never run; a script of ours, where there is one, runs as nobody's
_SHOWN = "frame-ancestors 'self'; sandbox"
_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def routes(rooms: Rooms) -> list[Route]:
    """Routes of runs."""
    at, one, data = _Runs(rooms), "/api/mission-runs/{id}", dict[str, Any]
    reads = Action("read", "job")
    keeps, lists = Action("keep", "mission-finding"), Action("list", "mission-finding")
    return [
        Route("GET", one, "native", reads, at.one, gives=data),
        Route("GET", f"{one}/report", "native", reads, at.report),
        Route("GET", f"{one}/tables/{{name}}", "native", reads, at.table),
        Route("GET", f"{one}/compare", "native", reads, at.compare, gives=data),
        Route("POST", f"{one}/again", "native", Action("submit", "job"), at.again, gives=data),
        Route("POST", f"{one}/findings", "native", keeps, at.keep, takes=FindingRequest, gives=data, texts=_said),
        Route("GET", "/api/mission-findings", "native", lists, at.findings, gives=list[Any]),
    ]


def _said(request: FindingRequest) -> tuple[str, ...]:
    return (request.key,)


def _found(call: Call, found: Found[Finding]) -> dict[str, Any]:
    return {"id": found.id, "finding": found.value, **marked(call.flow, found.label)}


class _Runs:
    def __init__(self, rooms: Rooms) -> None:
        self._jobs = rooms.jobs
        self._missions = Missions(rooms.jobs)
        self._findings = Findings(self._missions)

    async def one(self, call: Call) -> Reply:
        """A run: its job, what was asked for, how far it is, and its result once there is one."""
        found, spec = await self._missions.ran(call.flow, call.path["id"])
        try:
            order = msgspec.json.decode(spec.env.get("CASEMATE_MISSION", "{}"), type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            order = dict[str, Any]()  # whoever asked for this job wrote the tag of a mission on it
        try:
            result: Any = await result_of(self._jobs, call.flow, found)
        except (Absent, BadInput):
            result = None
        data = {
            "job": told(call.flow, found, spec),
            "mission": spec.tags["mission"],
            "again": spec.tags.get("again", ""),
            "parameters": filled if isinstance(filled := order.get("parameters"), dict) else {},
            "seed": order.get("seed", 0),
            "progress": await progress_of(self._jobs, call.flow, found),
            "result": result,
        }
        return reply(call.flow, data)

    async def report(self, call: Call) -> Reply:
        """The report as one file of HTML, with its marking above and below."""
        found, _ = await self._missions.ran(call.flow, call.path["id"])
        text, policy = await report_of(self._jobs, call.flow, found)
        shown = f"{policy}; {_SHOWN}{' allow-scripts' if 'script-src' in policy else ''}"
        headers = (("Content-Security-Policy", shown), ("X-Content-Type-Options", "nosniff"))
        return Reply(text.encode(), "text/html; charset=utf-8", headers=headers)

    async def table(self, call: Call) -> Reply:
        """A table with its marking, as CSV, or with `format` parquet."""
        form = call.query.get("format", "csv") or "csv"
        if form not in _MEDIA:
            raise BadInput(what=say("missions.door.format", call.flow.session.language))
        found, _ = await self._missions.ran(call.flow, call.path["id"])
        return Reply(await table_of(self._jobs, call.flow, found, call.path["name"], form), _MEDIA[form])

    async def compare(self, call: Call) -> Reply:
        """Two runs: whether they were asked alike and came out alike, and what differs."""
        one, _ = await self._missions.ran(call.flow, call.path["id"])
        other, _ = await self._missions.ran(call.flow, call.query.get("with", ""))
        results = [await result_of(self._jobs, call.flow, each) for each in (one, other)]
        return reply(call.flow, {"runs": [one.id, other.id], **compared(*results)})

    async def again(self, call: Call) -> Reply:
        """The same run once more, of the same mission, parameters, seed and inputs by digest."""
        found = await self._missions.again(call.flow, call.path["id"])
        return reply(call.flow, told(call.flow, found), status=201, job=found.id)

    async def keep(self, call: Call) -> Reply:
        """One finding of a run, without what it was found by, at the acting label: it may be asked to go down."""
        found = await self._findings.keep(call.flow, call.path["id"], call.body.key)
        return reply(call.flow, _found(call, found), status=201, finding=found.id)

    async def findings(self, call: Call) -> Reply:
        """The findings that the acting label sees, newest first."""
        return reply(call.flow, [_found(call, one) for one in await self._findings.every(call.flow)])
