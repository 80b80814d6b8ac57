"""A problem in the brackets of AWS Batch: ClientException for what a caller can mend, ServerException for the rest.

An object above the acting label and one that never was are told with the same bytes: the sentence is that of Absent.
"""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Request, Told
from casemate.words import Problem

__all__ = ["event", "named", "tell", "tell_logs"]

_CLIENT, _SERVER = ("ClientException", 400), ("ServerException", 500)
_DENIED, _SLOW = ("AccessDeniedException", 403), ("TooManyRequestsException", 429)
_LOGS = {
    "ClientException": "InvalidParameterException",
    "ServerException": "ServiceUnavailableException",
    "TooManyRequestsException": "ThrottlingException",
}


def named(problem: Problem) -> tuple[str, int]:
    """The exception's name and status."""
    if problem.status in (401, 403):
        return _DENIED
    if problem.status == 429:
        return _SLOW
    return _SERVER if problem.status >= 500 else _CLIENT


def tell(problem: Problem, request: Request) -> Told:
    """The response of an operation of Batch."""
    del request
    return _told(problem, *named(problem))


def tell_logs(problem: Problem, request: Request) -> Told:
    """The same in the words of CloudWatch Logs."""
    del request
    name, status = named(problem)
    if problem.slug == "absent":
        return _told(problem, "ResourceNotFoundException", status)
    return _told(problem, _LOGS.get(name, name), status)


def event(problem: Problem) -> bytes:
    """Nothing: this wire streams nothing."""
    del problem
    return b""


def _told(problem: Problem, name: str, status: int) -> Told:
    body = {
        "__type": name,
        "message": f"{problem.detail} {problem.remedy}".strip(),
        "slug": problem.slug,
        "rule": problem.rule,
        "label": problem.label,
        "entry": problem.entry,
    }
    return Told(status, "application/json", msgspec.json.encode(body), (("x-amzn-ErrorType", name),))
