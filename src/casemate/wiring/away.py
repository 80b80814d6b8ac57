"""What a data process says where somebody asks it for the control plane: not here, or not now; and when to ask again.

Which paths are control's stands in the snapshot, so that the wires need not know the console. The answer is the same
whether control lives or not: a data process does not look.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import msgspec

from casemate.access.directory import RETRY_SECONDS
from casemate.doors.frame import Call, Plane, Reply, Request, Route, Table, Told
from casemate.doors.frame.route import Method
from casemate.errors import ControlAway
from casemate.identity import Credential
from casemate.policy import Action
from casemate.words import Problem

__all__ = ["PLANE", "away", "places"]

CONTROL = ("console", "native")
HEALTH = Action("health", "region")


def places(table: Table) -> list[str]:
    """The first segments of control's own paths, in order; "" is the root."""
    return sorted({route.path.strip("/").split("/")[0] for route in table.routes if route.plane in CONTROL})


def away(table: Table, found: Iterable[str]) -> Table:
    """The table with an answer at each of these places: public, for whoever asks is told no more than that.

    Routes that are apart, or named by a header, take nobody's place.
    """
    own = [route for route in table.routes if route.plane != PLANE.name]
    taken = {route.path.strip("/").split("/")[0] for route in own if not route.apart and not route.spoken}
    paths = ["/" if place == "" else f"/{place}/{{rest*}}" for place in found if place not in taken]
    methods: tuple[Method, ...] = get_args(Method)
    more = [Route(method, path, PLANE.name, HEALTH, _answer, public=True) for path in paths for method in methods]
    return Table([*own, *more])


async def _answer(call: Call) -> Reply:
    del call
    raise ControlAway(retry_after=RETRY_SECONDS)


def _nobody(request: Request) -> Credential | None:
    del request
    return None


def _tell(problem: Problem, request: Request) -> Told:
    del request
    return Told(problem.status, "application/problem+json", msgspec.json.encode(problem))


def _event(problem: Problem) -> bytes:
    return b"event: problem\ndata: " + msgspec.json.encode(problem) + b"\n\n"


PLANE = Plane("away", "/api", _nobody, _tell, _event)
