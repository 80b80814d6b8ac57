"""The OpenAI wire: chat completions and models, as the official clients speak them (openai 3.52).

It turns a body into a `Chat` and deltas into a reply; it decides nothing, and never sees a credential.
"""

from __future__ import annotations

from functools import partial

from casemate.access import Gate
from casemate.doors.frame import Plane, Route, bearer
from casemate.doors.openai import chat, models, problem
from casemate.models import Answerer, Catalogue
from casemate.policy import Action

__all__ = ["PLANE", "routes"]

PLANE = Plane("openai", "/v1", bearer, problem.tell, problem.event)


def routes(gate: Gate, catalogue: Catalogue, answerer: Answerer) -> list[Route]:
    """The operations of this wire; clock and entropy are the gate's."""
    ask, see = Action("ask", "answer"), Action("list", "model")
    desk = chat.Desk(gate, catalogue, answerer)
    return [
        Route(
            "POST",
            "/v1/chat/completions",
            PLANE.name,
            ask,
            partial(chat.complete, desk),
            takes=chat.Request,
            texts=chat.texts,
            asks=True,
        ),
        Route("GET", "/v1/models", PLANE.name, see, partial(models.listing, catalogue)),
        Route("GET", "/v1/models/{id*}", PLANE.name, see, partial(models.one, catalogue)),
    ]
