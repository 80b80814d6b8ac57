"""Tags of job definitions, by their ARN. Those of a job and of a queue are what they were made with."""

from __future__ import annotations

from casemate.doors.batch.acting import LABEL
from casemate.doors.batch.definitions import KIND
from casemate.doors.batch.desk import Desk, bare, reply
from casemate.doors.batch.spec import public
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["every", "put"]


async def every(desk: Desk, call: Call) -> Reply:
    """The tags of a definition, a queue or a job. Raises Absent."""
    flow, language, name = call.flow, call.flow.session.language, call.path["arn"]
    kind = name.split(":")[-1].partition("/")[0] if ":job-definition/" not in name else KIND
    if kind == KIND:
        tags = (await desk.queues.definition(flow, bare(name, KIND, language))).value.tags
    elif kind == "job-queue":
        tags = (await desk.queues.queue(flow, bare(name, kind, language))).value.tags
    else:
        found = await desk.jobs.named(flow, bare(name, "job", language))
        tags = public((await desk.jobs.spec_of(flow, found)).tags)
    return reply({"tags": tags})


async def put(desk: Desk, call: Call) -> Reply:
    """More tags, or other ones. The label is not changed by a tag."""
    given, language = call.body.get("tags"), call.flow.session.language
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()) or LABEL in given:
        raise BadInput(what=say("batch.tags", language))
    await desk.queues.tag(call.flow, bare(call.path["arn"], KIND, language), given)
    return reply({})
