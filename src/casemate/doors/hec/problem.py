"""A problem as the Event Collector tells it: `{"text", "code"}` with its codes (Splunk, "Possible error codes").

`detail`, `remedy`, `label` and `entry` are ours; senders read `code` and the status.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Request, Told
from casemate.errors import BadInput, CasemateError
from casemate.words import Problem

__all__ = ["BODY", "CODES", "coded", "event", "tell", "wrong"]

BODY = 8 << 20
"""Bytes of one request, and of what it holds once it is unpacked."""
CODES = {
    2: ("Token is required", 401),
    3: ("Invalid authorization", 401),
    4: ("Invalid token", 403),
    5: ("No data", 400),
    6: ("Invalid data format", 400),
    7: ("Incorrect index", 400),
    8: ("Internal server error", 500),
    9: ("Server is busy", 503),
    12: ("Event field is required", 400),
    13: ("Event field cannot be blank", 400),
    14: ("ACK is disabled", 400),
    15: ("Error in handling indexed fields", 400),
    16: ("Query string authorization is not enabled", 400),
    27: ("Request entity too large", 413),
}
_BY_SLUG = {"absent": 7, "too-large": 27, "quota-exceeded": 9, "unavailable": 9, "storage-full": 9, "share-full": 9}
_SCHEMES = ("splunk", "bearer", "basic")


def wrong(code: int, number: int | None = None) -> BadInput:
    """That code; `number` says which event of the body, from 0."""
    facts = {} if number is None else {"number": number}
    return BadInput(what=CODES[code][0], code=str(code), **facts)


def coded(error: CasemateError, problem: Problem, request: Request) -> Told:
    """The response. A page that is not here keeps its 404, a refusal by a rule its 403: neither has a code."""
    facts = error.facts
    code = int(facts["code"]) if "code" in facts else _code(problem, request)
    if problem.slug == "absent" and facts.get("kind") == "page":
        code = 0
    told: dict[str, Any] = {"text": CODES[code][0], "code": code} if code else {"text": problem.title}
    if "number" in facts:
        told["invalid-event-number"] = facts["number"]
    told |= {"detail": f"{problem.detail} {problem.remedy}".strip(), "label": problem.label, "entry": problem.entry}
    if problem.rule:
        told["rule"] = problem.rule
    status = CODES[code][1] if code else problem.status
    headers = (("WWW-Authenticate", "Splunk"),) if status == 401 else ()
    return Told(status, "application/json", msgspec.json.encode(told), headers)


def tell(problem: Problem, request: Request) -> Told:
    """The same, where the error itself is not at hand."""
    return coded(CasemateError(), problem, request)


def event(problem: Problem) -> bytes:
    """Nothing: this wire has no streams."""
    del problem
    return b""


def _code(problem: Problem, request: Request) -> int:
    """The code of an error that says none of its own; 0 where theirs has no word for it."""
    if problem.slug in ("unauthenticated", "expired", "clock-skew"):
        said = request.headers.get("authorization", "")
        if not said and "x-api-key" not in request.headers:
            return 16 if "token" in request.query else 2
        scheme, _, secret = said.partition(" ")
        return 4 if "x-api-key" in request.headers or (scheme.lower() in _SCHEMES and secret.strip()) else 3
    if problem.slug in _BY_SLUG:
        return _BY_SLUG[problem.slug]
    if problem.status == 400:
        return 6
    return 0 if problem.status < 500 else 9 if problem.status == 503 else 8
