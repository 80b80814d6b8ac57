"""A sweep: one array job with a point for each child, and behind it a job that makes one table of what they left.

Both are kept in one commit, at the acting label. The id of a sweep is that of the job that makes its table, which reads
`sweep:ARRAY`: what each child left, and a list of points and states. That job is one like any other: it is in its
sandbox, since results are what programs of strangers wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Conflict
from casemate.jobs.ask import Taken
from casemate.jobs.job import JOB, After, Array, Artefact, Input, Job, Output, Plot, Resources, Spec, Sweep
from casemate.jobs.pointed import points_of
from casemate.jobs.space import Parameter, Space
from casemate.jobs.submit import Jobs
from casemate.objects import Found, Where

__all__ = [
    "LARGEST",
    "SCHEME",
    "Seen",
    "SweepRequest",
    "again",
    "children",
    "listed",
    "result_of",
    "submit_sweep",
    "sweep_of",
]

SCHEME = "sweep:"
LARGEST = 16 << 10
"""Bytes of a result that are lent; casemate.cells.table.rows knows the same number."""
_RESULT, _TABLE, _EARLIER = "result", "table", "earlier"
AGAIN = 8
"""Arrays of which one table is made."""
# the program is among what the job reads: it finds nothing else of the machine's packages
_BEGIN = (
    "import os,runpy,sys;sys.path.insert(0,os.environ['CASEMATE_IN']+'/sweep/program');"
    "runpy.run_module('casemate.cells.table',run_name='__main__',alter_sys=True)"
)


class SweepRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The space, the job that runs at each point, and `result`: the flat JSON object that each writes below /out.

    `key`: the same one with the same sweep gives the same sweep.
    """

    job: Spec
    parameters: dict[str, Parameter]
    method: Literal["grid", "random", "sobol"] = "grid"
    count: int = 0
    seed: int = 0
    result: str = "result.json"
    plot: Plot | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sweep as it stands: the job that makes its table, and the array before it with what it goes over."""

    table: Found[Job]
    array: Found[Job]
    sweep: Sweep


async def submit_sweep(jobs: Jobs, flow: Flow, asked: SweepRequest, taken: Taken | None = None) -> Seen:
    """Both jobs or none. `taken`: what is not run, as in `Jobs.submit_many`. Raises as that does."""
    if asked.job.sweep is not None or asked.job.array.size:
        raise BadInput(what="The points of a sweep make its array: job.array has at most parallel, and no size.")
    if any(one.name == _RESULT for one in asked.job.outputs):
        raise BadInput(what=f"The output {_RESULT} is the sweep's own.")
    if not asked.result.strip("/"):
        raise BadInput(what="result is a file below /out.")
    if len(asked.key) > 120:
        raise BadInput(what="A sweep's key has at most 120 characters.")
    if asked.plot is not None and not all(len(name) <= 128 for name in msgspec.structs.astuple(asked.plot)):
        raise BadInput(what="A column's name has at most 128 characters.")
    space = Space(asked.parameters, asked.method, asked.count, asked.seed)
    many = len(points_of(space))
    job = msgspec.structs.replace(
        asked.job,
        array=Array(many, asked.job.array.parallel),
        outputs=(*asked.job.outputs, Output(_RESULT, asked.result)),
        sweep=Sweep(space, asked.plot),
    )
    table = _table_of(job)
    both = [(job, asked.key), (table, f"{asked.key}:table" if asked.key else "")]
    found = await jobs.submit_many(flow, both, taken=taken)
    return Seen(found[1], found[0], Sweep(space, asked.plot))


async def again(jobs: Jobs, flow: Flow, id: str) -> Seen:
    """What is missing of a sweep, and a table of all of it; where nothing is, the sweep itself.

    A point is there where its child succeeded and left a result, in that sweep or in one of which it was made again:
    over the same inputs by digest, at the acting label. Raises Absent, also for a sweep at another label; Conflict
    where it has not ended or an input has changed; BadInput where it was made again too often.
    """
    before = await sweep_of(jobs, flow, id)
    spec = before.array.value.spec
    if before.array.ref.class_id != flow.access.id or spec is None:
        return await flow.absent(JOB, id[:128])
    if before.array.value.open == "yes":
        raise Conflict(what=f"Job {before.array.id}")
    arrays, there = _arrays(before.table), set[int]()
    for name in arrays:
        array = await jobs.named(flow, name)
        swept = array.value.spec.sweep if array.value.spec is not None else None
        if swept is None:
            raise Absent(kind=JOB.name, id=name)
        for at, child in (await children(flow, array)).items():
            if child.value.state == "SUCCEEDED" and result_of(child.value) is not None:
                there.add(_index(swept.space, at))
    whole = msgspec.structs.replace(before.sweep.space, only=())
    left = tuple(at for at in range(len(points_of(whole))) if at not in there)
    if not left:
        return before
    if len(arrays) >= AGAIN:
        raise BadInput(what=f"A sweep is made again at most {AGAIN - 1} times; begin it anew.")
    sweep = Sweep(msgspec.structs.replace(whole, only=left), before.sweep.plot)
    # a form gives no priority: what its queue has added is not added once more
    job = msgspec.structs.replace(spec, array=Array(len(left), spec.array.parallel), sweep=sweep, priority=0)
    found = await jobs.submit_many(flow, [(job, ""), (_table_of(job, arrays), "")])
    return Seen(found[1], found[0], sweep)


def _table_of(job: Spec, earlier: Sequence[str] = ()) -> Spec:
    """The job that makes the table of the one before it, and of arrays that have ended."""
    inputs = [Input("sweep", f"{SCHEME}#0")]
    inputs += [Input(f"{_EARLIER}{at}", f"{SCHEME}{id}") for at, id in enumerate(earlier)]
    return Spec(
        ("python3", "-I", "-S", "-c", _BEGIN),
        name=f"{job.name[:120]} table".strip(),
        inputs=tuple(inputs),
        outputs=(Output(_TABLE, ""),),
        resources=Resources(memory_mb=1024),
        after=(After("#0", "afterany"),),
        queue=job.queue,
        engine=job.engine,
        floor=job.floor,
        label=job.label,
    )


def _arrays(table: Found[Job]) -> list[str]:
    """The arrays of which a table is made, the newest first."""
    sources = [one.source for one in table.value.spec.inputs] if table.value.spec is not None else []
    return [one.removeprefix(SCHEME) for one in sources if one.startswith(SCHEME)]


def _index(space: Space, at: int) -> int:
    """Which point of the whole space a child goes over."""
    return space.only[at] if space.only else at


async def children(flow: Flow, array: Found[Job]) -> dict[int, Found[Job]]:
    """The visible ones of an array, by index."""
    found: dict[int, Found[Job]] = {}
    after: str | None = None
    while True:
        page = await flow.scan(JOB, Where((("parent", array.id),)), after, 500)
        found.update((each.value.index, each) for each in page.items if each.value.parent == array.id)
        after = page.after
        if after is None:
            return dict(sorted(found.items()))


async def sweep_of(jobs: Jobs, flow: Flow, id: str) -> Seen:
    """The visible sweep of that id. Raises Absent, also for a job that is none."""
    table = await jobs.named(flow, id)
    sources = [one.source for one in table.value.spec.inputs] if table.value.spec is not None else []
    source = next((one for one in sources if one.startswith(SCHEME)), "")
    if not source:
        await flow.absent(JOB, id[:128])
    array = await jobs.named(flow, source.removeprefix(SCHEME))
    if array.value.spec is None or array.value.spec.sweep is None:
        raise Absent(kind=JOB.name, id=id[:128])
    return Seen(table, array, array.value.spec.sweep)


def result_of(job: Job) -> Artefact | None:
    """What a child left for the table, where it is small enough to be lent."""
    found = next((one for one in job.artefacts if one.name == _RESULT and not one.place), None)
    return found if found is not None and found.size <= LARGEST else None


def listed(flow: Flow, array: Found[Job], children: Mapping[int, Found[Job]]) -> dict[str, Any]:
    """What the table's program is told: each point with its child's state. Children that are not visible have none.

    Raises Absent for a job that is no sweep.
    """
    spec = array.value.spec
    if spec is None or spec.sweep is None:
        raise Absent(kind=JOB.name, id=array.id)
    space, policies, rows = spec.sweep.space, flow.gate.vault.region.policies, list[dict[str, Any]]()
    for index, point in enumerate(points_of(space)):
        child = children.get(index)
        job = child.value if child is not None else None
        left = any(one.name == _RESULT for one in job.artefacts) if job is not None else False
        told = "" if job is not None and result_of(job) is not None else "too large" if left else "no result"
        last = next((one.exit for one in reversed(job.attempts) if one.exit is not None), None) if job else None
        rows.append(
            {
                "index": _index(space, index),
                "left": index,
                "job": child.id if child is not None else "",
                "state": job.state if job is not None else "",
                "exit": last,
                "point": point,
                "result": told,
            }
        )
    return {
        "sweep": array.id,
        "label": flow.acting.text,
        "marking": policies.banner(flow.acting, flow.session.language),
        "parameters": list(space.parameters),
        "logs": [name for name, one in space.parameters.items() if one.scale == "log"],
        "plot": msgspec.to_builtins(spec.sweep.plot) if spec.sweep.plot is not None else None,
        "rows": rows,
    }
