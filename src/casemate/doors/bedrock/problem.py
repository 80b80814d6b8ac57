"""A problem in Bedrock's brackets: a `message`, its type in `x-amzn-ErrorType`, and a status that boto3 knows.

Inside a stream it is an exception event, the last frame; the names are those that the service's description has for a
stream, which are fewer.
"""

from __future__ import annotations

import msgspec

from casemate.doors.bedrock.eventstream import exception, frame
from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "named", "tell"]

_INTERNAL = ("InternalServerException", 500)
_UNAVAILABLE = ("ServiceUnavailableException", 503)
_VALIDATION = ("ValidationException", 400)
_DENIED = ("AccessDeniedException", 403)
_MISSING = ("ResourceNotFoundException", 404)
_BY_SLUG = {"engine-failed": ("ModelErrorException", 424), "answer-held": ("ModelErrorException", 424)}
_BY_STATUS = {
    400: _VALIDATION,
    401: _DENIED,
    403: _DENIED,
    404: _MISSING,
    409: ("ConflictException", 400),
    413: _VALIDATION,
    422: _VALIDATION,
    429: ("ThrottlingException", 429),
    502: _UNAVAILABLE,
    503: _UNAVAILABLE,
    507: _UNAVAILABLE,
}
_STREAMED = {
    "ModelErrorException": "modelStreamErrorException",
    "ThrottlingException": "throttlingException",
    "ServiceUnavailableException": "serviceUnavailableException",
    "InternalServerException": "internalServerException",
}


def tell(problem: Problem, request: Request) -> Told:
    """The response."""
    del request
    name, status = named(problem)
    body = {
        "message": _message(problem),
        "slug": problem.slug,
        "rule": problem.rule,
        "label": problem.label,
        "entry": problem.entry,
    }
    return Told(status, "application/json", msgspec.json.encode(body), (("x-amzn-ErrorType", name),))


def event(problem: Problem) -> bytes:
    """The last frame of a stream that has failed: what a refusal or a bad request would be is a validation here."""
    name = _STREAMED.get(named(problem)[0], "validationException")
    return frame(exception(name), msgspec.json.encode({"message": _message(problem)}))


def named(problem: Problem) -> tuple[str, int]:
    """The exception's name and status."""
    return _BY_SLUG.get(problem.slug) or _BY_STATUS.get(problem.status, _INTERNAL)


def _message(problem: Problem) -> str:
    return f"{problem.detail} {problem.remedy}".strip()
