"""A problem in Bedrock's brackets: a `message`, its type in `x-amzn-ErrorType`, and a status that boto3 knows."""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "tell"]

_INTERNAL = ("InternalServerException", 500)
_UNAVAILABLE = ("ServiceUnavailableException", 503)
_VALIDATION = ("ValidationException", 400)
_DENIED = ("AccessDeniedException", 403)
_MISSING = ("ResourceNotFoundException", 404)
_BY_SLUG = {"engine-failed": ("ModelErrorException", 424)}
_BY_STATUS = {
    400: _VALIDATION,
    401: _DENIED,
    403: _DENIED,
    404: _MISSING,
    409: _VALIDATION,
    413: _VALIDATION,
    422: _VALIDATION,
    429: ("ThrottlingException", 429),
    502: _UNAVAILABLE,
    503: _UNAVAILABLE,
    507: _UNAVAILABLE,
}


def tell(problem: Problem, request: Request) -> Told:
    """The response."""
    del request
    name, status = _BY_SLUG.get(problem.slug) or _BY_STATUS.get(problem.status, _INTERNAL)
    body = {
        "message": f"{problem.detail} {problem.remedy}".strip(),
        "slug": problem.slug,
        "rule": problem.rule,
        "label": problem.label,
        "entry": problem.entry,
    }
    return Told(status, "application/json", msgspec.json.encode(body), (("x-amzn-ErrorType", name),))


def event(problem: Problem) -> bytes:
    """Nothing streams on this wire yet."""
    del problem
    return b""
