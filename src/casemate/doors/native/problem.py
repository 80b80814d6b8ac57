"""Problems of the native API: RFC 9457, with our rule, remedy and ledger entry."""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Plane, Told
from casemate.doors.frame.enter import Request, bearer, cookie, peer
from casemate.identity import Credential
from casemate.words import Problem

__all__ = ["PLANE"]


def _credential(request: Request) -> Credential | None:
    return peer(request) or bearer(request) or cookie(request)


def _tell(problem: Problem, request: Request) -> Told:
    del request
    return Told(problem.status, "application/problem+json", msgspec.json.encode(problem))


def _event(problem: Problem) -> bytes:
    return b"event: problem\ndata: " + msgspec.json.encode(problem) + b"\n\n"


PLANE = Plane("native", "/api", _credential, _tell, _event)
