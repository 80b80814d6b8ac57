"""A problem in OpenAI's brackets: `{"error": {message, type, code, param}}`, whole or inside a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "tell", "told"]

# What clients of this protocol look for; every other problem keeps our own slug as its code.
_CODES = {
    "unauthenticated": "invalid_api_key",
    "expired": "invalid_api_key",
    "unknown-model": "model_not_found",
    "quota-exceeded": "rate_limit_exceeded",
}
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


def tell(problem: Problem, request: Request) -> Told:
    """The response. A 401 names what it wants (RFC 9110 section 11.6.1)."""
    del request
    headers = (("WWW-Authenticate", "Bearer"),) if problem.status == 401 else ()
    return Told(problem.status, "application/json", msgspec.json.encode(told(problem)), headers)


def event(problem: Problem) -> bytes:
    """The last event of a stream that has failed. No `[DONE]` follows: the answer is not whole."""
    return b"data: " + msgspec.json.encode({"type": "error"} | told(problem)) + b"\n\n"


def told(problem: Problem) -> dict[str, Any]:
    """The problem as a body."""
    error = {
        "message": f"{problem.detail} {problem.remedy}".strip(),
        "type": _TYPES.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error"),
        "code": _CODES.get(problem.slug, problem.slug),
        "param": "model" if problem.slug == "unknown-model" else None,
        "title": problem.title,
        "remedy": problem.remedy,
        "rule": problem.rule,
        "label": problem.label,
        "entry": problem.entry,
    }
    return {"error": error}
