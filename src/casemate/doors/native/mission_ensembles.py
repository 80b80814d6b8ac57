"""Ensembles of missions: begun, estimated, and made again as far as something is missing. Each is a sweep."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import swept
from casemate.doors.native.missions import texts_of_run
from casemate.doors.native.rooms import Rooms, reply
from casemate.doors.native.sweeps import sweep_told
from casemate.missions.host import EnsembleRequest, Missions, begun, estimated, made_again
from casemate.policy import Action

__all__ = ["routes"]


def routes(rooms: Rooms) -> list[Route]:
    """Routes of ensembles; how one stands is a sweep's to tell."""
    at, one, data = _Ensembles(rooms), "/api/missions/{name}/ensembles", dict[str, Any]
    submits, takes = Action("submit", "job"), EnsembleRequest
    estimate = "/api/missions/{name}/ensemble-estimate"
    return [
        Route("POST", one, "native", submits, at.begin, takes=takes, gives=data, texts=_said),
        Route("POST", estimate, "native", submits, at.estimate, takes=takes, gives=data, texts=_said),
        Route("POST", f"{one}/{{id}}/again", "native", submits, at.again, gives=data),
    ]


def _said(request: EnsembleRequest) -> tuple[str, ...]:
    """What a person wrote."""
    run = request.run
    return (*texts_of_run(run), run.queue, run.engine, *swept(request.space.parameters, request.plot))


class _Ensembles:
    def __init__(self, rooms: Rooms) -> None:
        self._missions = Missions(rooms.jobs)

    async def begin(self, call: Call) -> Reply:
        """A mission at every point of a space: a member each, and one table of their figures."""
        seen = await begun(self._missions, call.flow, call.path["name"], call.body)
        return reply(call.flow, sweep_told(call, seen), status=201, job=seen.table.id)

    async def estimate(self, call: Call) -> Reply:
        """What all members would take together. Nothing is kept."""
        mission, spec, whole = await estimated(self._missions, call.flow, call.path["name"], call.body)
        told = {"mission": mission, "member": spec.resources, "whole": whole}
        return reply(call.flow, msgspec.to_builtins(told))

    async def again(self, call: Call) -> Reply:
        """The members that are missing, and a table of all; where none is, the ensemble itself."""
        seen = await made_again(self._missions, call.flow, call.path["name"], call.path["id"])
        return reply(call.flow, sweep_told(call, seen), status=201, job=seen.table.id)
