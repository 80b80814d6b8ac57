"""Members that are there already: what an earlier ensemble of the same mission has done at exactly the acting label.

    what a member is told, without where and how it runs -> a key -> the earlier member of the same key

The key is over all that a run depends on: code and libraries of the mission by digest, every parameter as its form has
it, inputs by digest, seed and language. It is made of what was really asked for, and a member is read in the class at
which the asker acts, and in no other: what lies below is not taken over, what lies above is not there. What must never
happen: that a job counts as a member because it says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput
from casemate.jobs import JOB, Array, Job, Output, Resources, Spec
from casemate.jobs.ask import Taken
from casemate.jobs.inputs import Inputs
from casemate.jobs.job import Retry, Sweep
from casemate.jobs.pointed import POINT, points_of, with_point
from casemate.jobs.space import Space
from casemate.jobs.sweep import result_of
from casemate.missions.form import filled
from casemate.objects import Found, Ref

__all__ = ["ORDER", "there"]

ORDER = "CASEMATE_MISSION"
LOOKED, MOST = 512, 16
"""Jobs of a mission that are looked at, the newest at this label; and earlier ensembles of which members are taken."""
_RESULT = "result"


async def there(
    flow: Flow,
    inputs: Inputs,
    mission: Ref,
    fields: Sequence[Mapping[str, Any]],
    spec: Spec,
    space: Space,
    figures: str,
) -> Taken | None:
    """Which members of an ensemble need not run; None where none is there, or nobody can say that it is the same.

    `fields`: the mission's form. `spec`: of a member, as it would be asked for. A model answers as it likes, and a
    dataset in place has no digest: with either, every member runs.
    """
    if json.loads(spec.env[ORDER])["model"]:
        return None
    looked = [await inputs.look(flow, one) for one in spec.inputs]
    if not all(one.digest for one in looked):
        return None
    known = tuple(msgspec.structs.replace(one.input, digest=one.digest) for one in looked)
    outputs = (*spec.outputs, Output(_RESULT, figures))
    whole = msgspec.structs.replace(spec, inputs=known, outputs=outputs, sweep=Sweep(space))
    earlier = [one for one in await _arrays(flow, mission) if _like(one.value.spec, whole)][:MOST]
    if not earlier:
        return None
    wanted = await flow.beside(_keys, whole, fields)
    found: dict[str, dict[int, int]] = {}
    left = set(range(len(wanted)))
    for array in earlier:
        assert array.value.spec is not None  # arrays that go over a space have one
        held = {key: at for at, key in enumerate(await flow.beside(_keys, array.value.spec, fields)) if key}
        for here in sorted(left):
            at = held.get(wanted[here])
            if at is not None and await _done(flow, f"{array.id}:{at}"):
                found.setdefault(array.id, {})[here] = at
                left.discard(here)
        if not left:
            break
    return Taken(found, tuple(one.digest for one in known)) if found else None


def _here(flow: Flow, ref: Ref) -> bool:
    """Whether it lies in exactly the class at which the asker acts."""
    return ref.class_id == flow.access.id


async def _arrays(flow: Flow, mission: Ref) -> list[Found[Job]]:
    """Arrays over a space that were made of the mission at the acting label itself, the newest first."""
    made = [ref for ref in await flow.children(mission) if ref.kind == JOB.name and _here(flow, ref)]
    found: list[Found[Job]] = []
    for ref in made[: -LOOKED - 1 : -1]:
        found += [one for one in await flow.read_each(JOB, ref.id) if one.ref.class_id == ref.class_id]
    return [one for one in found if one.value.spec is not None and one.value.spec.sweep is not None]


def _like(spec: Spec | None, whole: Spec) -> bool:
    """Whether an earlier array can have a member of this ensemble at all: most have not, and need no second look."""
    if spec is None or len(spec.inputs) != len(whole.inputs):
        return False
    inputs = all(one.digest == other.digest for one, other in zip(spec.inputs, whole.inputs, strict=True))
    return inputs and spec.command == whole.command and spec.environment == whole.environment


async def _done(flow: Flow, id: str) -> bool:
    """Whether that member has ended well at the acting label and left what its ensemble's table is made of."""
    for found in await flow.read_each(JOB, id):
        job = found.value
        if _here(flow, found.ref) and job.state == "SUCCEEDED":
            return result_of(job) is not None and not any(one.place for one in job.artefacts)
    return False


def _keys(spec: Spec, fields: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """The key of each member, in order; empty for what no form of this mission asks for."""
    assert spec.sweep is not None
    return [_key(with_point(spec, point), fields) for point in points_of(spec.sweep.space)]


def _key(one: Spec, fields: Sequence[Mapping[str, Any]]) -> bytes:
    env = dict(one.env)
    try:
        point, order = json.loads(env.pop(POINT)), json.loads(env.pop(ORDER))
        parameters = filled(fields, {**order.pop("parameters"), **point})
        order.pop("given")  # how much memory it had
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, BadInput):
        return b""  # whoever asked for it did so past the form
    told = json.dumps([order, parameters], sort_keys=True)
    bare = msgspec.structs.replace(
        one, name="", env={**env, ORDER: told}, resources=Resources(network=one.resources.network), array=Array(),
        after=(), retry=Retry(), priority=0, deadline_s=0, floor="", queue="default", engine="", label="", tags={},
    )  # fmt: skip
    return hashlib.sha384(msgspec.msgpack.encode(bare, order="deterministic")).digest()
