"""SubmitJob: a definition, what is said otherwise, its parameters and its queue make one job of ours.

There is no token for a second try in this protocol; the tag `casemate:key` is one: the same key with the same request
gives the same job.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from casemate.doors.batch.acting import LABEL
from casemate.doors.batch.definitions import KIND
from casemate.doors.batch.desk import Desk, arn, bare, reply, shaped
from casemate.doors.batch.queues import KIND as QUEUE
from casemate.doors.batch.shapes import Container, Depends, Submit
from casemate.doors.batch.spec import OWN, overridden, refused, retry_of, timed
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.jobs import After, Array
from casemate.jobs.queues import filled
from casemate.words import say

__all__ = ["KEY", "submit"]

KEY = "casemate:key"
_NEVER = (
    "node_overrides",
    "eks_properties_override",
    "ecs_properties_override",
    "consumable_resource_properties_override",
    "share_identifier",
)


async def submit(desk: Desk, call: Call) -> Reply:
    """One job, at the label that is acted at. Raises Absent, BadInput, Refused (`job-label`)."""
    flow, language, told = call.flow, call.flow.session.language, shaped(call, Submit)
    refused(told, _NEVER, language)
    found = await desk.queues.definition(flow, bare(told.job_definition, KIND, language))
    if not found.value.active:
        raise BadInput(what=say("batch.retired", language, name=found.id))
    spec = overridden(found.value.spec, told.container_overrides or Container(), language)
    spec = filled(spec, {**found.value.parameters, **told.parameters})
    if not spec.command:
        raise BadInput(what=say("batch.command", language))
    spec = timed(replace(spec, retry=retry_of(told.retry_strategy, spec.retry, language)), told.timeout)
    override = told.scheduling_priority_override
    tags = {**(found.value.tags if told.propagate_tags else {}), **told.tags, OWN[0]: found.id}
    key = tags.pop(KEY, "")
    spec = replace(
        spec,
        name=told.job_name,
        queue=bare(told.job_queue, QUEUE, language),
        priority=spec.priority if override is None else override,
        label=told.tags.get(LABEL) or found.value.tags.get(LABEL, ""),
        array=Array(told.array_properties.size, sequential=_sequential(told.depends_on)),
        after=_after(told.depends_on, language),
        tags=tags,
    )
    job = await desk.jobs.submit(flow, spec, key)
    data: dict[str, Any] = {"jobArn": arn(flow, "job", job.id), "jobName": told.job_name, "jobId": job.id}
    return reply(data, job=job.id)


def _sequential(depends: list[Depends]) -> bool:
    """SEQUENTIAL without a job: the children of an array one after the other."""
    return any(one.type == "SEQUENTIAL" and not one.job_id for one in depends)


def _after(depends: list[Depends], language: str) -> tuple[After, ...]:
    found = []
    for one in depends:
        if not one.job_id and one.type != "SEQUENTIAL":
            raise BadInput(what=say("batch.depends", language))
        if one.job_id:
            id = bare(one.job_id, "job", language)
            found.append(After(id, "aftercorr" if one.type == "N_TO_N" else "afterok"))
    return tuple(found)
