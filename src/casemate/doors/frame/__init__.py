"""The frame of every door: a table of routes, one dispatcher, and brackets for each protocol's problems.

A wire parses inside the envelope and knows one protocol; the frame admits, opens the flow, records, and releases. No
wire ever sees a credential, and nothing leaves but through here.
"""

from __future__ import annotations

from casemate.doors.frame.dispatch import App
from casemate.doors.frame.enter import Cookies, Request, bearer, cookie, peer
from casemate.doors.frame.plane import Plane, Told
from casemate.doors.frame.route import Call, Reply, Route, Stream, Table

__all__ = [
    "App",
    "Call",
    "Cookies",
    "Plane",
    "Reply",
    "Request",
    "Route",
    "Stream",
    "Table",
    "Told",
    "bearer",
    "cookie",
    "peer",
]
