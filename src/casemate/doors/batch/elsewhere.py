"""What AWS Batch has and this region has not: told by name, so that nobody takes silence for consent."""

from __future__ import annotations

from typing import Any

from casemate.doors.frame import Call, Reply, Route, strings
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["NAMES", "routes"]

NAMES = (
    "createcomputeenvironment",
    "updatecomputeenvironment",
    "deletecomputeenvironment",
    "createschedulingpolicy",
    "updateschedulingpolicy",
    "deleteschedulingpolicy",
    "describeschedulingpolicies",
    "listschedulingpolicies",
    "createconsumableresource",
    "updateconsumableresource",
    "deleteconsumableresource",
    "describeconsumableresource",
    "listconsumableresources",
    "listjobsbyconsumableresource",
    "createserviceenvironment",
    "updateserviceenvironment",
    "deleteserviceenvironment",
    "describeserviceenvironments",
    "submitservicejob",
    "describeservicejob",
    "listservicejobs",
    "terminateservicejob",
    "getjobqueuesnapshot",
)


def routes(plane: str) -> list[Route]:
    """One for each, refused."""
    action = Action("list", "job-queue")
    return [
        Route("DELETE", "/v1/tags/{arn}", plane, action, _not_here),
        *(
            Route("POST", f"/v1/{name}", plane, action, _not_here, takes=dict[str, Any], texts=strings, plain=True)
            for name in NAMES
        ),
    ]


async def _not_here(call: Call) -> Reply:
    raise BadInput(what=say("batch.elsewhere", call.flow.session.language))
