"""GetLogEvents, for who follows what a job says. A stream is `JOB/out` or `JOB/err`, and is read from its head.

A line is an event. Its moment is when the attempt began: when each line was written nobody has kept. The token that
goes on says a place in bytes; a client that gets the one that it sent has read everything so far.
"""

from __future__ import annotations

import re
from typing import Any

from casemate.doors.batch.desk import Desk, bare, reply, shaped
from casemate.doors.batch.shapes import Events
from casemate.doors.batch.told import GROUP
from casemate.doors.frame import Call, Reply
from casemate.errors import Absent, BadInput
from casemate.jobs import JOB
from casemate.words import say

__all__ = ["events"]

MOST = 1 << 20  # bytes of an answer
LIMIT = 10_000
TARGET = "Logs_20140328.GetLogEvents"
_TOKEN = re.compile(r"[fb]/([0-9]{1,15})")


async def events(desk: Desk, call: Call) -> Reply:
    """The lines from a place on. Raises Absent for a stream of what is hidden, and of what never was."""
    flow, language = call.flow, call.flow.session.language
    if call.headers.get("x-amz-target") != TARGET:
        raise BadInput(what=say("batch.logs_only", language))
    told = shaped(call, Events)
    found = _TOKEN.fullmatch(told.next_token or "f/0")
    if found is None or not 1 <= told.limit <= LIMIT:
        raise BadInput(what=say("batch.token", language))
    id, _, stream = told.log_stream_name.rpartition("/")
    group = told.log_group_name or told.log_group_identifier
    if stream not in ("out", "err") or group.rpartition(":log-group:")[2] not in ("", GROUP):
        raise Absent(kind=JOB.name, id=told.log_stream_name[:128])
    job = await desk.jobs.named(flow, bare(id, "job", language))
    at = int(found[1])
    raw, _, ended = await desk.jobs.log(flow, job.id, stream, at, MOST)
    whole = raw if ended or b"\n" not in raw else raw[: raw.rindex(b"\n") + 1]
    if not ended and b"\n" not in raw and len(raw) < MOST:
        whole = b""  # a line that is still being written
    lines, size = list[str](), 0
    for line in whole.splitlines(keepends=True)[: told.limit]:
        lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        size += len(line)
    moment = (job.value.started or job.value.created) // 1000
    said = [{"timestamp": moment, "message": line, "ingestionTime": moment} for line in lines]
    data: dict[str, Any] = {"events": said, "nextForwardToken": f"f/{at + size}", "nextBackwardToken": f"b/{at}"}
    return reply(data, job=job.id)
