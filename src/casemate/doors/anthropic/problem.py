"""A problem in Anthropic's brackets: `{"type": "error", "error": {type, message}, "request_id"}`, whole or an event."""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "tell"]

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS = {503: 529}  # what does not answer now is told as the status at which clients of this protocol wait


def tell(problem: Problem, request: Request) -> Told:
    """The response. A 401 names what it wants (RFC 9110 section 11.6.1)."""
    del request
    headers = (("WWW-Authenticate", "Bearer"),) if problem.status == 401 else ()
    return Told(_status(problem), "application/json", msgspec.json.encode(_error(problem)), headers)


def event(problem: Problem) -> bytes:
    """The last event of a stream that has failed. No `message_stop` follows: the answer is not whole."""
    return b"event: error\ndata: " + msgspec.json.encode(_error(problem)) + b"\n\n"


def _status(problem: Problem) -> int:
    return _STATUS.get(problem.status, problem.status)


def _error(problem: Problem) -> dict[str, object]:
    status = _status(problem)
    told = {
        "type": _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error"),
        "message": f"{problem.detail} {problem.remedy}".strip(),
        "code": problem.slug,
        "title": problem.title,
        "rule": problem.rule,
        "label": problem.label,
        "entry": problem.entry,
    }
    return {"type": "error", "error": told, "request_id": problem.entry or None}
