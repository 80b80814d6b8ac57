"""Jobs as they are told, listed and ended. A job that is hidden is left out like one that never was."""

from __future__ import annotations

from casemate.doors.batch.desk import MOST, Desk, bare, bounded, cursor, reply, shaped, token
from casemate.doors.batch.queues import KIND as QUEUE
from casemate.doors.batch.shapes import Cancel, Describe, Filter, ListJobs
from casemate.doors.batch.spec import OWN
from casemate.doors.batch.told import detail, status, summary
from casemate.doors.frame import Call, Reply
from casemate.errors import Absent, BadInput
from casemate.jobs import Job, Spec
from casemate.objects import Found, Where
from casemate.words import say

__all__ = ["cancel", "describe", "listing", "terminate"]

LOOKED = 5_000  # rows that one request looks at
_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
_EARLY = frozenset({"SUBMITTED", "PENDING", "RUNNABLE"})
_FILTERS = ("JOB_NAME", "JOB_DEFINITION", "BEFORE_CREATED_AT", "AFTER_CREATED_AT")


async def describe(desk: Desk, call: Call) -> Reply:
    """The visible ones of those that are named."""
    asked, language = shaped(call, Describe).jobs, call.flow.session.language
    if len(asked) > MOST:
        raise BadInput(what=say("batch.most", language, most=MOST))
    told = []
    for name in dict.fromkeys(bare(name, "job", language) for name in asked):
        try:
            found = await desk.jobs.named(call.flow, name)
            told.append(detail(call.flow, found, await desk.jobs.spec_of(call.flow, found)))
        except Absent:
            continue
    return reply({"jobs": told})


async def listing(desk: Desk, call: Call) -> Reply:
    """A page, oldest first. Without a state and a filter: those that run, as the protocol has it."""
    flow, language, told = call.flow, call.flow.session.language, shaped(call, ListJobs)
    if bool(told.job_queue) == bool(told.array_job_id) or told.multi_node_job_id:
        raise BadInput(what=say("batch.list", language))
    if told.job_status not in ("", *_STATES) or any(one.name not in _FILTERS for one in told.filters):
        raise BadInput(what=say("batch.filter", language, states=", ".join(_STATES), filters=", ".join(_FILTERS)))
    if told.array_job_id:
        parent = await desk.jobs.named(flow, bare(told.array_job_id, "job", language))
        where, spec = Where((("parent", parent.id),)), parent.value.spec
    else:
        queue = await desk.queues.queue(flow, bare(told.job_queue, QUEUE, language))
        where, spec = Where((("queue", queue.value.name), ("parent", ""))), None
    state = "" if told.filters else told.job_status or "RUNNING"
    most, after, looked = bounded(told.max_results, language), cursor(told.next_token, language), 0
    found: list[Found[Job]] = []
    while True:
        page = await desk.jobs.page(flow, where, after, most - len(found))
        kept = (one for one in page.items if not state or status(one.value) == state)
        found += [one for one in kept if _passes(one, spec, told.filters)]
        after, looked = page.after, looked + len(page.items)
        if after is None or len(found) >= most or looked >= LOOKED:
            break
    shown = [summary(flow, one, one.value.spec or spec) for one in found]
    return reply({"jobSummaryList": shown, "nextToken": token(after)})


async def cancel(desk: Desk, call: Call) -> Reply:
    """One that has not begun ends; one that has goes on, as the protocol has it. Raises Absent."""
    told = shaped(call, Cancel)
    found = await desk.jobs.named(call.flow, bare(told.job_id, "job", call.flow.session.language))
    if found.value.state in _EARLY:
        await desk.jobs.cancel(call.flow, found.id, told.reason[:256])
    return reply({}, job=found.id)


async def terminate(desk: Desk, call: Call) -> Reply:
    """It ends, whether it has begun or not. Raises Absent."""
    told = shaped(call, Cancel)
    found = await desk.jobs.named(call.flow, bare(told.job_id, "job", call.flow.session.language))
    await desk.jobs.cancel(call.flow, found.id, told.reason[:256])
    return reply({}, job=found.id)


def _passes(found: Found[Job], spec: Spec | None, filters: list[Filter]) -> bool:
    return all(any(_matches(found.value, found.value.spec or spec, one.name, v) for v in one.values) for one in filters)


def _matches(job: Job, spec: Spec | None, name: str, value: str) -> bool:
    if name.endswith("_CREATED_AT"):
        if not value.isdecimal() or len(value) > 16:
            return False
        made, moment = job.created // 1000, int(value)
        return made < moment if name.startswith("BEFORE") else made > moment
    text = job.name if name == "JOB_NAME" else spec.tags.get(OWN[0], "") if spec is not None else ""
    if name == "JOB_DEFINITION" and value.startswith("arn:"):
        value = value.rpartition("/")[2]
    if value.endswith("*"):
        return text.lower().startswith(value[:-1].lower())
    return text.lower() == value.lower() or (name == "JOB_DEFINITION" and text.rpartition(":")[0] == value)
