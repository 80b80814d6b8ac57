"""Job definitions: registered at the label that is acted at, told as far as it sees, retired and never forgotten."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.doors.batch.desk import Desk, arn, bare, paged, reply, shaped
from casemate.doors.batch.shapes import DescribeDefinitions, Named, Register
from casemate.doors.batch.spec import image_of, refused, retry_of, spec_of, timed
from casemate.doors.frame import Call, Reply
from casemate.errors import Absent, BadInput
from casemate.jobs import Retry, Spec
from casemate.jobs.queues import JOB_DEFINITION, Definition
from casemate.objects import Found
from casemate.words import say

__all__ = ["KIND", "deregister", "describe", "register"]

KIND = "job-definition"
_NEVER = ("node_properties", "eks_properties", "ecs_properties", "consumable_resource_properties")


async def register(desk: Desk, call: Call) -> Reply:
    """The next revision of a name."""
    language, told = call.flow.session.language, shaped(call, Register)
    refused(told, _NEVER, language)
    if told.type != "container" or told.container_properties is None:
        raise BadInput(what=say("batch.container", language))
    spec = spec_of(told.container_properties, {}, language)
    spec = timed(msgspec.structs.replace(spec, retry=retry_of(told.retry_strategy, Retry(), language)), told.timeout)
    spec = msgspec.structs.replace(spec, priority=told.scheduling_priority)
    said = msgspec.json.encode(msgspec.structs.replace(told, job_definition_name="-", tags={}, parameters={}))
    made = Definition(told.job_definition_name, 0, spec, said, told.parameters, told.tags)
    found = await desk.queues.register(call.flow, made)
    return reply({**_named(call.flow, found), "revision": found.value.revision}, definition=found.id)


async def describe(desk: Desk, call: Call) -> Reply:
    """The revisions that are visible. A name that nothing visible bears gives nothing."""
    flow, language, told = call.flow, call.flow.session.language, shaped(call, DescribeDefinitions)
    found: list[Found[Definition]] = []
    if told.job_definitions:
        for name in told.job_definitions[:100]:
            asked = bare(name, KIND, language)
            if ":" not in asked:
                found += await desk.queues.definitions(flow, asked)
                continue
            try:
                found.append(await desk.queues.definition(flow, asked))
            except Absent:
                continue
    else:
        found = await desk.queues.definitions(flow, told.job_definition_name)
    states = {"ACTIVE": (True,), "INACTIVE": (False,)}.get(told.status, (True, False))
    kept = [one for one in found if one.value.active in states]
    shown, more = paged(kept, told.max_results, told.next_token, language)
    return reply({"jobDefinitions": [_told(flow, one) for one in shown], "nextToken": more})


async def deregister(desk: Desk, call: Call) -> Reply:
    """It makes no more jobs. Raises Absent."""
    name = bare(shaped(call, Named).job_definition, KIND, call.flow.session.language)
    if ":" not in name:
        await call.flow.absent(JOB_DEFINITION, name[:140])
    await desk.queues.deregister(call.flow, name)
    return reply({}, definition=name[:140])


def _named(flow: Flow, found: Found[Definition]) -> dict[str, str]:
    return {"jobDefinitionName": found.value.name, "jobDefinitionArn": arn(flow, KIND, found.id)}


def _told(flow: Flow, found: Found[Definition]) -> dict[str, Any]:
    value = found.value
    said = msgspec.json.decode(value.said) if value.said else _of(value.spec)
    container = said.get("containerProperties", {})
    whole: dict[str, Any] = {
        "command": [],
        "volumes": [],
        "environment": [],
        "mountPoints": [],
        "ulimits": [],
        "resourceRequirements": [],
        "secrets": [],
    }
    told: dict[str, Any] = {
        **_named(flow, found),
        "revision": value.revision,
        "status": "ACTIVE" if value.active else "INACTIVE",
        "type": "container",
        "parameters": value.parameters,
        "containerProperties": {**whole, **{key: each for key, each in container.items() if each is not None}},
        "tags": value.tags,
        "containerOrchestrationType": "ECS",
    }
    for name in ("retryStrategy", "timeout", "schedulingPriority", "propagateTags", "platformCapabilities"):
        if said.get(name):
            told[name] = said[name]
    return told


def _of(spec: Spec) -> dict[str, Any]:
    """One that was registered by another door, in the words of this one."""
    asked = spec.resources
    needs = [("VCPU", asked.cpus), ("MEMORY", asked.memory_mb), *([("GPU", asked.gpus)] if asked.gpus else [])]
    return {
        "containerProperties": {
            "image": image_of(spec),
            "command": list(spec.command),
            "environment": [{"name": name, "value": value} for name, value in spec.env.items()],
            "resourceRequirements": [{"type": type, "value": str(value)} for type, value in needs],
        },
        "retryStrategy": {"attempts": spec.retry.attempts},
        "timeout": {"attemptDurationSeconds": asked.wall_s},
        "schedulingPriority": spec.priority,
    }
