"""A toy protocol in the frame of a real gate, and a client that may leave at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from casemate.doors.frame import App, Call, Plane, Reply, Route, Stream, Table, Told, bearer, cookie, peer
from casemate.doors.frame.enter import Request
from casemate.errors import EngineFailed
from casemate.policy import Action
from casemate.words import Problem
from tests.laws.world import Seen, World

ASK, READ, HEALTH = Action("ask", "answer"), Action("read", "session"), Action("health", "region")


class Said(msgspec.Struct, frozen=True):
    """What the toy takes."""

    text: str
    count: int = 0


async def echo(call: Call) -> Reply:
    """What arrived, as the handler sees it."""
    told = {"path": call.path, "query": call.query, "body": call.body, "language": call.flow.session.language}
    told |= {"acting": call.flow.acting.text, "floor": call.flow.floor.text, "who": call.flow.session.principal.name}
    return Reply(msgspec.json.encode(told))


async def waits(call: Call) -> Reply:
    await asyncio.Event().wait()
    return Reply(b"")


async def broken(call: Call) -> Reply:
    raise ValueError("what a caller wrote")


def streams(*pieces: bytes | BaseException | None) -> Any:
    """A handler whose stream gives these pieces; an exception is raised, None waits for ever."""

    async def give() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            if piece is None:
                await asyncio.Event().wait()
            else:
                yield piece

    async def handler(call: Call) -> Stream:
        return Stream(give(), facts={"toy": 1})

    return handler


def _credential(request: Request) -> Any:
    return peer(request) or bearer(request) or cookie(request)


def _tell(problem: Problem, request: Request) -> Told:
    return Told(problem.status, "application/toy", msgspec.json.encode(problem), (("toy-rule", problem.rule),))


def _event(problem: Problem) -> bytes:
    return b"broken: " + problem.slug.encode()


TOY = Plane("toy", "/toy", _credential, _tell, _event)
FAILED = EngineFailed(engine="far", why="it hung up")


def toys(world: World, *more: Route) -> App:
    """The toy's application at the world's gate."""
    routes = [
        Route("GET", "/toy/echo/{id}", "toy", READ, echo),
        Route("GET", "/toy/rest/{rest*}", "toy", READ, echo),
        Route("POST", "/toy/say", "toy", ASK, echo, Said, texts=lambda said: (said.text,), limit=100),
        Route("GET", "/toy/seek", "toy", READ, echo, texts=lambda query: query.values()),
        Route("POST", "/toy/open", "toy", HEALTH, echo, Said, public=True, limit=100),
        Route("POST", "/toy/waits", "toy", ASK, waits, asks=True),
        Route("POST", "/toy/broken", "toy", ASK, broken, asks=True),
        Route("POST", "/toy/stream", "toy", ASK, streams(b"one", b"two"), asks=True),
        Route("POST", "/toy/fails", "toy", ASK, streams(b"one", FAILED), asks=True),
        Route("POST", "/toy/breaks", "toy", ASK, streams(b"one", ValueError("hidden")), asks=True),
        Route("POST", "/toy/hangs", "toy", ASK, streams(b"one", None), asks=True),
    ]
    return App(world.house.gate, Table([*routes, *more]), [TOY])


async def talk(
    app: App,
    method: str,
    target: str,
    body: bytes | Iterable[bytes] = b"",
    headers: Iterable[tuple[str, str]] = (),
    client: tuple[str, int] | None = ("127.0.0.1", 1),
    leaves: str = "",
) -> Seen:
    """One request. `leaves`: the client is gone before its body is whole, after it, or after the first piece."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": client,
    }
    parts = [body] if isinstance(body, bytes) else list(body)
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = leaves == "before"
    sent: list[dict[str, Any]] = []
    gone = asyncio.Event()
    if leaves in ("before", "after"):
        gone.set()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if leaves == "during" and message["type"] == "http.response.body":
            gone.set()

    await app(scope, receive, send)
    told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]] if sent else []
    status = sent[0]["status"] if sent else 0
    return Seen(status, tuple(told), tuple(message["body"] for message in sent[1:]))
