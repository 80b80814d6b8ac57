"""The AWS Batch wire: job definitions, queues and jobs, as boto3, the AWS command line and Nextflow speak it.

Requests are signed with Signature Version 4 for the service `batch`, or `logs` for the one operation of CloudWatch Logs
that followers of logs need; an API key serves too. Shapes are those of botocore's service-2.json; its own parser reads
every response in the tests. What must never happen: that an answer tells of a job, queue or definition that the acting
label does not see; a list, an error and a number of a revision are made of the visible world alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from casemate.doors.batch import acting, credential, definitions, elsewhere, looks, problem, queues, said, submit, tags
from casemate.doors.batch.desk import Desk
from casemate.doors.frame import Handler, Plane, Request, Route, strings
from casemate.jobs import Jobs
from casemate.jobs.queues import Queues
from casemate.policy import Action

__all__ = ["LOGS", "PLANE", "routes"]

PLANE = Plane("batch", "/v1/batch", credential.shown_by, problem.tell, problem.event, numbered="x-amzn-requestid")
LOGS = Plane("logs", "/logs", credential.shown_by, problem.tell_logs, problem.event, numbered="x-amzn-requestid")
TARGET = "x-amz-target"

_SUBMIT, _LIST, _READ, _CANCEL = (Action(verb, "job") for verb in ("submit", "list", "read", "cancel"))
_QUEUES, _MAKE, _DROP = Action("list", "job-queue"), Action("make", "job-queue"), Action("drop", "job-queue")
_DEFINITIONS, _ADD = Action("list", "job-definition"), Action("add", "job-definition")
_RETIRE = Action("retire", "job-definition")
_Acts = Callable[[Request, dict[str, str]], str]


def routes(jobs: Jobs, held: Queues) -> list[Route]:
    """The operations of this wire."""
    desk = Desk(jobs, held)
    writing, tagged = acting.writing, "/v1/tags/{arn}"
    return [
        _takes("registerjobdefinition", _ADD, partial(definitions.register, desk), writing),
        _takes("describejobdefinitions", _DEFINITIONS, partial(definitions.describe, desk)),
        _takes("deregisterjobdefinition", _RETIRE, partial(definitions.deregister, desk), writing),
        _takes("createjobqueue", _MAKE, partial(queues.create, desk), writing),
        _takes("describejobqueues", _QUEUES, partial(queues.describe, desk)),
        _takes("updatejobqueue", _MAKE, partial(queues.update, desk), writing),
        _takes("deletejobqueue", _DROP, partial(queues.delete, desk), writing),
        _takes("describecomputeenvironments", _QUEUES, queues.environments),
        _takes("submitjob", _SUBMIT, partial(submit.submit, desk), writing),
        _takes("describejobs", _READ, partial(looks.describe, desk)),
        _takes("listjobs", _LIST, partial(looks.listing, desk)),
        _takes("canceljob", _CANCEL, partial(looks.cancel, desk), writing),
        _takes("terminatejob", _CANCEL, partial(looks.terminate, desk), writing),
        Route("GET", tagged, PLANE.name, _DEFINITIONS, partial(tags.every, desk)),
        Route(
            "POST", tagged, PLANE.name, _ADD, partial(tags.put, desk),
            takes=dict[str, Any], texts=strings, plain=True, acts=acting.only,
        ),
        Route(
            "POST", "/", LOGS.name, _READ, partial(said.events, desk),
            takes=dict[str, Any], texts=strings, plain=True, spoken=TARGET,
        ),
        *elsewhere.routes(PLANE.name),
    ]  # fmt: skip


def _takes(name: str, action: Action, handler: Handler, acts: _Acts | None = None) -> Route:
    """Everything that such a body holds is looked at."""
    return Route(
        "POST",
        f"/v1/{name}",
        PLANE.name,
        action,
        handler,
        takes=dict[str, Any],
        texts=strings,
        plain=True,
        acts=acts,
    )
