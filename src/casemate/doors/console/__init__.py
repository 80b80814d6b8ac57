"""The console."""

from __future__ import annotations

from casemate.doors.frame import Plane, Route
from casemate.doors.native import PLANE as NATIVE
from casemate.doors.native import Rooms

__all__ = ["PLANE", "routes"]

PLANE = Plane("console", "/", NATIVE.credential, NATIVE.tell, NATIVE.event)


def routes(rooms: Rooms) -> list[Route]:
    return []
