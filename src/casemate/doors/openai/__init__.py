"""The OpenAI wire, as the official clients speak it (openai 3.52), also below `/openai`.

It turns a body into a `Chat` and deltas into a reply; it decides nothing, and never sees a credential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from casemate.access import Gate
from casemate.doors.frame import Handler, Plane, Route, bearer
from casemate.doors.openai import (
    batches,
    chat,
    embeddings,
    files,
    models,
    problem,
    responses,
    vector_store_batches,
    vector_store_files,
    vector_store_search,
    vector_stores,
)
from casemate.doors.openai.brought import Body, looked_at
from casemate.doors.openai.desk import Desk
from casemate.doors.openai.lines import Lines
from casemate.models import Answerer, Catalogue
from casemate.models.shelf import Shelf
from casemate.policy import Action

__all__ = ["PLANE", "Lines", "routes"]

PLANE = Plane("openai", "/v1", bearer, problem.tell, problem.event, numbered="x-request-id")
ALIAS = "/openai"

ASK, SEE, EMBED = Action("ask", "answer"), Action("list", "model"), Action("embed", "text")


def routes(gate: Gate, catalogue: Catalogue, answerer: Answerer, shelf: Shelf | None = None) -> list[Route]:
    """The operations of this wire; clock and entropy are the gate's. Without a shelf there are no vector stores."""
    desk = Desk(gate, catalogue, answerer, shelf)
    own = [
        _asks("/v1/chat/completions", ASK, partial(chat.complete, desk)),
        _asks("/v1/responses", ASK, partial(responses.create, desk)),
        _asks("/v1/embeddings", EMBED, partial(embeddings.create, desk)),
        _asks("/v1/responses/input_tokens", ASK, partial(responses.count, desk)),
        *responses.kept(PLANE.name),
        *files.routes(PLANE.name),
        *batches.routes(PLANE.name),
        *(_stores(shelf) if shelf is not None else ()),
        Route("GET", "/v1/models", PLANE.name, SEE, partial(models.listing, catalogue)),
        Route("GET", "/v1/models/{id*}", PLANE.name, SEE, partial(models.one, catalogue)),
    ]
    return [*own, *(replace(route, path=ALIAS + route.path) for route in own)]


def _stores(shelf: Shelf) -> list[Route]:
    return [
        *vector_stores.routes(PLANE.name, shelf),
        *vector_store_files.routes(PLANE.name, shelf),
        *vector_store_batches.routes(PLANE.name, shelf),
        *vector_store_search.routes(PLANE.name, shelf),
    ]


def _asks(path: str, action: Action, handler: Handler) -> Route:
    """Everything that such a body holds is looked at."""
    texts: Callable[[Body], list[str]] = looked_at
    return Route("POST", path, PLANE.name, action, handler, takes=Body, texts=texts, plain=True, asks=True)
