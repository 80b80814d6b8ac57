"""Ensembles: one mission at many points of its parameters, as a sweep, whose table has a row for each member.

    form + space -> every point held to the form -> [array of members, table's job in one commit] -> one labelled table

Members run so many at once, so that memory stays flat. What is there already at the label, over the same inputs by
digest, is not run again: of any earlier ensemble (`members`), and of this one (`again`). What must never happen: that a
member runs with what its form would refuse.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput
from casemate.jobs import JOB, Array, Job, Spec
from casemate.jobs.ask import Taken
from casemate.jobs.job import Plot
from casemate.jobs.pointed import points_of
from casemate.jobs.space import Point, Space
from casemate.jobs.sweep import Seen, SweepRequest, again, submit_sweep, sweep_of
from casemate.missions.form import filled
from casemate.missions.host.host import TAG, Missions
from casemate.missions.host.members import there
from casemate.missions.host.mission import Described, RunRequest
from casemate.objects import Found

__all__ = ["AT_ONCE", "EnsembleRequest", "Whole", "begun", "estimated", "made_again"]

AT_ONCE = 16
"""Members that run at once where nothing is said."""
_FIGURES = "figures.json"


class EnsembleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run`: the form of every member, above whose parameters the points of `space` stand.

    `at_once`: how many members run at the same time, 0 for 16. `plot`: columns of the table. `anew`: every member runs,
    also one that is there already.
    """

    space: Space
    run: RunRequest = RunRequest()
    at_once: int = 0
    plot: Plot | None = None
    anew: bool = False


class Whole(msgspec.Struct, frozen=True):
    """What all of it would take. `memory_mb`, `cpus`: of those that run at once; `cpu_s`, `disk_mb`: of all that run.

    `there`: members that need not run. `wall_s`: where each takes as long as it may, and as many run at once as may.
    """

    members: int
    there: int
    at_once: int
    cpus: int
    memory_mb: int
    disk_mb: int
    wall_s: int
    cpu_s: int


async def estimated(missions: Missions, flow: Flow, name: str, asked: EnsembleRequest) -> tuple[str, Spec, Whole]:
    """The mission, what a member is, and what all would take. Nothing is kept. Raises Absent, BadInput."""
    mission, spec, whole, _ = await _looked(missions, flow, name, asked)
    return mission, spec, whole


async def _looked(
    missions: Missions, flow: Flow, name: str, asked: EnsembleRequest
) -> tuple[str, Spec, Whole, Taken | None]:
    found, spec, _ = await missions.estimate(flow, name, asked.run)
    if asked.space.only:
        raise BadInput(what="An ensemble goes over the whole of its space.")
    if not 0 <= asked.at_once <= 10_000:
        raise BadInput(what="1 to 10000 members run at once; 0 is 16.")
    points = points_of(asked.space)
    await flow.beside(_held, found.value.described, asked.run.parameters, points)
    taken, fields = None, msgspec.to_builtins(found.value.described.parameters)
    if not asked.anew:
        taken = await there(flow, missions.jobs.inputs, found.ref, fields, spec, asked.space, _FIGURES)
    known = sum(map(len, taken.children.values())) if taken is not None else 0
    room, many = spec.resources, len(points) - known
    once = min(asked.at_once or AT_ONCE, many)
    whole = Whole(
        members=len(points),
        there=known,
        at_once=once,
        cpus=room.cpus * once,
        memory_mb=room.memory_mb * once,
        disk_mb=room.disk_mb * many,
        wall_s=room.wall_s * -(-many // max(once, 1)),
        cpu_s=room.cpus * room.wall_s * many,
    )
    return found.id, spec, whole, taken


async def begun(missions: Missions, flow: Flow, name: str, asked: EnsembleRequest) -> Seen:
    """The ensemble at the acting label. Raises as `estimated`, and as `submit_sweep`."""
    _, spec, _, taken = await _looked(missions, flow, name, asked)
    space = asked.space
    once = min(asked.at_once or AT_ONCE, len(points_of(space)))
    job = msgspec.structs.replace(spec, array=Array(0, once))
    request = SweepRequest(
        job, space.parameters, space.method, space.count, space.seed, _FIGURES, asked.plot, asked.run.key
    )
    return await submit_sweep(missions.jobs, flow, request, taken)


async def made_again(missions: Missions, flow: Flow, name: str, id: str) -> Seen:
    """What is missing of an ensemble of that mission. Raises Absent, also for a sweep of something else; Conflict."""
    seen = await sweep_of(missions.jobs, flow, id)
    if _mission(seen.array).partition("@")[0] != name.partition("@")[0]:
        await flow.absent(JOB, id[:128])
    return await again(missions.jobs, flow, id)


def _mission(array: Found[Job]) -> str:
    return array.value.spec.tags.get(TAG, "") if array.value.spec is not None else ""


def _held(told: Described, given: dict[str, Any], points: tuple[Point, ...]) -> None:
    """Every point is a form of its own. Raises BadInput, naming the member."""
    fields = msgspec.to_builtins(told.parameters)
    for at, point in enumerate(points):
        try:
            filled(fields, {**given, **point})
        except BadInput as error:
            raise BadInput(what=f"Member {at}: {error.facts.get('what', '')}"[:400]) from None
