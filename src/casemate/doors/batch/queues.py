"""Job queues, and the one compute environment that there is: the region's own engines."""

from __future__ import annotations

from typing import Any

from casemate.access import Flow
from casemate.doors.batch.desk import COMPUTE, Desk, arn, bare, paged, reply, shaped
from casemate.doors.batch.shapes import CreateQueue, DescribeQueues, Named, UpdateQueue
from casemate.doors.batch.spec import refused
from casemate.doors.frame import Call, Reply
from casemate.errors import Absent, BadInput
from casemate.jobs.queues import Queue
from casemate.objects import Found
from casemate.words import say

__all__ = ["ENVIRONMENT", "KIND", "create", "delete", "describe", "environments", "update"]

KIND, ENVIRONMENT = "job-queue", "compute-environment"
FLOOR = "casemate:floor"  # a tag: the least isolation of what a queue takes
_NEVER = ("scheduling_policy_arn", "service_environment_order", "job_state_time_limit_actions")
_LEVELS = ("", "L1", "L2", "L3")


async def create(desk: Desk, call: Call) -> Reply:
    """A queue at the label that is acted at. Raises Conflict where one of that name is visible."""
    language, told = call.flow.session.language, shaped(call, CreateQueue)
    refused(told, _NEVER, language)
    _environments(told.compute_environment_order, language)
    floor = told.tags.get(FLOOR, "")
    if floor not in _LEVELS:
        raise BadInput(what=say("batch.floor", language))
    level: Any = floor
    queue = Queue(told.job_queue_name, told.priority, told.state == "ENABLED", level, told.tags)
    found = await desk.queues.make(call.flow, queue)
    return reply(_named(call.flow, found.id), queue=found.id)


async def update(desk: Desk, call: Call) -> Reply:
    """Another priority or state."""
    language, told = call.flow.session.language, shaped(call, UpdateQueue)
    refused(told, _NEVER, language)
    _environments(told.compute_environment_order, language)
    changes: dict[str, Any] = {}
    if told.state:
        changes["enabled"] = told.state == "ENABLED"
    if told.priority is not None:
        changes["priority"] = told.priority
    found = await desk.queues.change(call.flow, bare(told.job_queue, KIND, language), **changes)
    return reply(_named(call.flow, found.id), queue=found.id)


async def delete(desk: Desk, call: Call) -> Reply:
    """Forgotten, where it is shut and nothing visible waits or runs in it."""
    name = bare(shaped(call, Named).job_queue, KIND, call.flow.session.language)
    await desk.queues.drop(call.flow, name)
    return reply({}, queue=name[:128])


async def describe(desk: Desk, call: Call) -> Reply:
    """The visible queues. A name that nothing visible bears gives nothing."""
    flow, language, told = call.flow, call.flow.session.language, shaped(call, DescribeQueues)
    found: list[Found[Queue]] = []
    if told.job_queues:
        for name in told.job_queues[:100]:
            try:
                found.append(await desk.queues.queue(flow, bare(name, KIND, language)))
            except Absent:
                continue
    else:
        found = await desk.queues.queues(flow)
    shown, more = paged(found, told.max_results, told.next_token, language)
    return reply({"jobQueues": [_told(flow, one) for one in shown], "nextToken": more})


async def environments(call: Call) -> Reply:
    """The one that there is: nobody makes another, since engines come from the region's settings."""
    flow, told = call.flow, shaped(call, DescribeQueues)
    asked = [bare(name, ENVIRONMENT, flow.session.language) for name in told.compute_environments]
    one = {
        "computeEnvironmentName": COMPUTE,
        "computeEnvironmentArn": arn(flow, ENVIRONMENT, COMPUTE),
        "type": "UNMANAGED",
        "state": "ENABLED",
        "status": "VALID",
        "statusReason": "The engines of the region's settings.",
        "containerOrchestrationType": "ECS",
        "tags": {},
    }
    return reply({"computeEnvironments": [one] if not asked or COMPUTE in asked else []})


def _environments(order: list[dict[str, Any]], language: str) -> None:
    for one in order:
        if bare(str(one.get("computeEnvironment", "")), ENVIRONMENT, language) != COMPUTE:
            raise BadInput(what=say("batch.compute", language, name=COMPUTE))


def _named(flow: Flow, name: str) -> dict[str, str]:
    return {"jobQueueName": name, "jobQueueArn": arn(flow, KIND, name)}


def _told(flow: Flow, found: Found[Queue]) -> dict[str, Any]:
    queue = found.value
    return {
        **_named(flow, queue.name),
        "state": "ENABLED" if queue.enabled else "DISABLED",
        "status": "VALID",
        "statusReason": "JobQueue Healthy",
        "priority": queue.priority,
        "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": arn(flow, ENVIRONMENT, COMPUTE)}],
        "tags": queue.tags,
    }
