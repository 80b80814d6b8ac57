"""A problem in the brackets of agent-runtime: those of Bedrock, where the service's description knows other names.

What its streams may end in is described too, so that a client reads the code and the message of every such frame.
"""

from __future__ import annotations

import msgspec

from casemate.doors.bedrock import problem as bedrock
from casemate.doors.bedrock.eventstream import exception, frame
from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "tell"]

_NAMES = {
    "ModelErrorException": ("DependencyFailedException", 424),
    "ConflictException": ("ConflictException", 409),
    "ServiceUnavailableException": ("BadGatewayException", 502),
}


def tell(problem: Problem, request: Request) -> Told:
    """The response."""
    told = bedrock.tell(problem, request)
    name, status = named(problem)
    return Told(status, told.media, told.body, (("x-amzn-ErrorType", name),))


def event(problem: Problem) -> bytes:
    """The last frame of a stream that has failed."""
    name = named(problem)[0]
    message = f"{problem.detail} {problem.remedy}".strip()
    return frame(exception(name[0].lower() + name[1:]), msgspec.json.encode({"message": message}))


def named(problem: Problem) -> tuple[str, int]:
    """The exception's name and status."""
    name, status = bedrock.named(problem)
    return _NAMES.get(name, (name, status))
