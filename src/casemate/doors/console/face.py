"""The face: takes what a native operation gives, and shows it as a page, as a part of one, or as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import msgspec

from casemate.doors import native
from casemate.doors.console.view import HTML, SAFE, View, render
from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native import Rooms
from casemate.doors.native.rooms import reply
from casemate.policy import Action

__all__ = ["Face", "Shown", "go", "page", "part"]

JSON = ".json"


@dataclass(slots=True)
class Shown:
    """What a page shows: a template and its data; `part` is the template for a script that asks for a part alone."""

    template: str
    data: Any
    part: str = ""
    status: int = 200
    more: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    secret: bool = False


Build = Callable[[Call], Awaitable[Shown]]


class Face:
    """The rooms, and the native operations by method and path."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.gate = rooms.gate
        self._native = {f"{route.method} {route.path}": route for route in native.routes(rooms)}

    async def ask(self, operation: str, call: Call, body: Any = None, **path: str) -> tuple[Any, dict[str, Any]]:
        """The data that a native operation gives, and its facts for the entry."""
        asked = replace(call, body=call.body if body is None else body, path=path or call.path)
        answered = await self._native[operation].handler(asked)
        assert isinstance(answered, Reply)
        return msgspec.json.decode(answered.body)["data"], answered.facts

    async def drawn(self, operation: str, call: Call) -> bytes:
        """The bytes that a native operation gives: a picture."""
        answered = await self._native[operation].handler(call)
        assert isinstance(answered, Reply)
        return answered.body

    async def whole(self, operation: str, call: Call) -> Reply:
        """What a native operation gives, with its own headers: a file."""
        answered = await self._native[operation].handler(call)
        assert isinstance(answered, Reply)
        return answered

    async def stream(self, operation: str, call: Call) -> Stream:
        """What a native operation gives in pieces."""
        answered = await self._native[operation].handler(call)
        assert isinstance(answered, Stream)
        return answered

    async def data(self, operation: str, call: Call) -> Any:
        """The data alone."""
        return (await self.ask(operation, call))[0]


def page(
    method: Any,
    path: str,
    action: Action,
    build: Build,
    takes: Any = None,
    texts: Callable[[Any], Iterable[str]] | None = None,
    asks: bool = False,
    public: bool = False,
) -> list[Route]:
    """A page and its `.json`. A path that ends in `{id}` has its `.json` inside the same route."""

    async def html(call: Call) -> Reply:
        last = next(reversed(call.path), "")
        if call.path.get(last, "").endswith(JSON):
            call.path[last] = call.path[last].removesuffix(JSON)
            return _plain(call, await build(call))
        accept = call.headers.get("accept", "")
        shows = _plain if "application/json" in accept and "text/html" not in accept else _shown
        return shows(call, await build(call))

    async def plain(call: Call) -> Reply:
        return _plain(call, await build(call))

    def route(at: str, handler: Callable[[Call], Awaitable[Reply]]) -> Route:
        return Route(
            method, at, "console", action, handler, takes=takes, gives=Any, texts=texts, asks=asks, public=public
        )

    if path.endswith("}") or method != "GET":
        return [route(path, html)]
    return [route(path, html), route(path + JSON, plain)]


def part(method: Any, path: str, action: Action, handler: Callable[[Call], Awaitable[Any]], **more: Any) -> Route:
    """A route that is no page: a deed, or a piece that a script asks for."""
    return Route(method, path, "console", action, handler, **more)


def _shown(call: Call, shown: Shown) -> Reply:
    template = shown.part if shown.part and call.headers.get("hx-request") else shown.template
    body = render(template, View.of(call), d=shown.data, **shown.more)
    return Reply(
        body.encode(),
        HTML,
        shown.status,
        headers=(*SAFE, *shown.headers),
        facts=shown.facts,
        secret=shown.secret,
    )


def _plain(call: Call, shown: Shown) -> Reply:
    made = reply(call.flow, shown.data, shown.status, **shown.facts)
    return replace(made, headers=(*SAFE, *shown.headers), secret=shown.secret)


def go(path: str, *headers: tuple[str, str], facts: dict[str, Any] | None = None, **query: str) -> Reply:
    """To another page, after a deed."""
    asked = {name: value for name, value in query.items() if value}
    to = f"{path}?{urlencode(asked)}" if asked else path
    return Reply(b"", HTML, 303, headers=(*SAFE, ("Location", to), *headers), facts=facts or {})
