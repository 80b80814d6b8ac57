"""The Anthropic wire, as the official clients and coding agents speak it (anthropic 2.11), also below `/anthropic`.

It turns a body into a `Chat` and deltas into a reply; it decides nothing, and never sees a credential. Any
`anthropic-version` is taken. Where another protocol has the same path (`/v1/models`), that header says who is speaking.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from casemate.access import Gate
from casemate.doors.anthropic import messages, models, problem
from casemate.doors.anthropic.desk import Desk
from casemate.doors.anthropic.request import Body
from casemate.doors.frame import Handler, Plane, Route, bearer, strings
from casemate.models import Answerer, Catalogue
from casemate.policy import Action

__all__ = ["PLANE", "routes"]

PLANE = Plane("anthropic", "/anthropic", bearer, problem.tell, problem.event, numbered="request-id")
ALIAS = "/anthropic"
SPOKEN = "anthropic-version"
LIMIT = 32 << 20  # the protocol's own bound

ASK, SEE = Action("ask", "answer"), Action("list", "model")


def routes(gate: Gate, catalogue: Catalogue, answerer: Answerer) -> list[Route]:
    """The operations of this wire; clock and entropy are the gate's."""
    desk = Desk(gate, catalogue, answerer)
    own = [
        _asks("/v1/messages", partial(messages.create, desk)),
        _asks("/v1/messages/count_tokens", partial(messages.count, desk)),
        Route("GET", "/v1/models", PLANE.name, SEE, partial(models.listing, catalogue), spoken=SPOKEN),
        Route("GET", "/v1/models/{id*}", PLANE.name, SEE, partial(models.one, catalogue), spoken=SPOKEN),
    ]
    return [*own, *(replace(route, path=ALIAS + route.path, spoken="") for route in own)]


def _asks(path: str, handler: Handler) -> Route:
    """Everything that such a body holds is looked at."""
    return Route("POST", path, PLANE.name, ASK, handler, takes=Body, texts=strings, plain=True, asks=True, limit=LIMIT)
