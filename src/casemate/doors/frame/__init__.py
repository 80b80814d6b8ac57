"""The frame of every door: a table of routes, one dispatcher, and brackets for each protocol's problems.

A wire parses inside the envelope and knows one protocol; the frame admits, opens the flow, records, and releases. No
wire ever sees a credential, and nothing leaves but through here.
"""

from __future__ import annotations

from casemate.doors.frame.dispatch import App
from casemate.doors.frame.enter import LANGUAGE, Cookies, Request, bearer, cookie, cookie_of, peer, same_origin, spoken
from casemate.doors.frame.form import read_form
from casemate.doors.frame.leaving import LEAVING, Leaving
from casemate.doors.frame.plane import Plane, Told, Whereabouts
from casemate.doors.frame.route import Call, Handler, Reply, Route, Stream, Table
from casemate.doors.frame.shown import shown, strings
from casemate.doors.frame.spell import spelled

__all__ = [
    "LANGUAGE",
    "LEAVING",
    "App",
    "Call",
    "Cookies",
    "Handler",
    "Leaving",
    "Plane",
    "Reply",
    "Request",
    "Route",
    "Stream",
    "Table",
    "Told",
    "Whereabouts",
    "bearer",
    "cookie",
    "cookie_of",
    "peer",
    "read_form",
    "same_origin",
    "shown",
    "spelled",
    "spoken",
    "strings",
]
