"""Sweeps: one job at many points, and one table of what came out. Both lie at the acting label, and are jobs."""

from __future__ import annotations

from typing import Any

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import headed, swept, told, written
from casemate.doors.native.rooms import Rooms, reply
from casemate.jobs.sweep import Seen, SweepRequest, submit_sweep, sweep_of
from casemate.policy import Action

__all__ = ["routes", "sweep_told"]


def routes(rooms: Rooms) -> list[Route]:
    """Sweep routes."""
    at = _Sweeps(rooms)
    submits, reads, data = Action("submit", "job"), Action("read", "job"), dict[str, Any]
    return [
        Route("POST", "/api/sweeps", "native", submits, at.submit, takes=SweepRequest, gives=data, texts=_said),
        Route("GET", "/api/sweeps/{id}", "native", reads, at.one, gives=data),
    ]


def _said(request: SweepRequest) -> tuple[str, ...]:
    """What a person wrote: it comes to rest with the jobs."""
    return (*written(request.job), *swept(request.parameters, request.plot), request.result)


class _Sweeps:
    def __init__(self, rooms: Rooms) -> None:
        self._jobs = rooms.jobs

    async def submit(self, call: Call) -> Reply:
        """One array job, a child for each point, and the job that makes their table: both are kept, or none."""
        seen = await submit_sweep(self._jobs, call.flow, call.body)
        return reply(call.flow, sweep_told(call, seen), status=201, job=seen.table.id)

    async def one(self, call: Call) -> Reply:
        """How its points stand, and what the table's job has left; the id is that job's."""
        return reply(call.flow, sweep_told(call, await sweep_of(self._jobs, call.flow, call.path["id"])))


def sweep_told(call: Call, seen: Seen) -> dict[str, Any]:
    """How a sweep stands."""
    array = headed(call.flow, seen.array)
    return {
        **headed(call.flow, seen.table),
        "array": array,
        "points": array["size"],
        "taken": sum(map(len, seen.array.value.taken.values())),
        "parameters": list(seen.sweep.space.parameters),
        "method": seen.sweep.space.method,
        "artefacts": told(call.flow, seen.table)["artefacts"],
    }
