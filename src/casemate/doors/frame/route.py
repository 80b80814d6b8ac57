"""A route, declared once: dispatch, the law of actions, the two worlds, OpenAPI and the docs read this table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from casemate.access import Flow, Gate
from casemate.doors.frame.enter import Request
from casemate.objects import Ref
from casemate.policy import Action

__all__ = ["Call", "Reply", "Route", "Stream", "Table"]

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
BODY_LIMIT = 4 << 20


@dataclass(slots=True)
class Call:
    """A request as a handler sees it: the flow, the parts of the path, the query, and the body as `takes` says.

    `incoming`: of a route that `streams`, the body's pieces as they arrive; a client that is faster than whoever takes
    them waits. They raise where the body is not what was announced, and then nothing of it may be kept.
    """

    gate: Gate
    flow: Flow
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes
    disposition: str = ""
    incoming: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class Reply:
    """A whole response. `facts` and `subjects` go to its entry; a `secret` body is not kept with it."""

    body: bytes
    media: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    outcome: str = "complete"
    facts: dict[str, Any] = field(default_factory=dict)
    subjects: tuple[Ref, ...] = ()
    secret: bool = False


@dataclass(slots=True)
class Stream:
    """A response in pieces. `facts` and `outcome` are read when the pieces have ended; `secret` ones are not kept.

    `length`: how many bytes the head promises. Such a response cannot tell a failure: it breaks off.
    """

    pieces: AsyncIterator[bytes]
    media: str = "text/event-stream"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    outcome: str = "complete"
    facts: dict[str, Any] = field(default_factory=dict)
    subjects: tuple[Ref, ...] = ()
    secret: bool = False
    length: int | None = None


Handler = Callable[[Call], Awaitable[Reply | Stream]]
Acts = Callable[[Request, dict[str, str]], str]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `path` has `{name}` for one segment and `{name*}` for the rest.

    `texts` names what a person wrote in the body (of a route that takes none: in the query), to be looked at for marks.
    `plain`: these are the strings of the JSON body and of JSON in them, nothing decoded in another way; so a
    body that can hold no mark anywhere need not be taken apart.
    `asks` writes BEGIN before the handler.
    `spoken`: two protocols have one path; this route is for whoever sends that header (in lower case), and goes first.
    `public` routes have no session: their flow is a visitor's at the region's floor, and they are not recorded.
    `streams`: the handler takes the body's pieces as they arrive.
    `acts`: the label at which the request acts, from the request and the parts of its path; "" is the session's floor.
    Without it a request acts where the header says, or at the session's ceiling.
    `apart`: met by the requests that its plane claims, and by no others; see `apart`.
    """

    method: Method
    path: str
    plane: str
    action: Action
    handler: Handler
    takes: Any = None
    gives: Any = None
    texts: Callable[[Any], Iterable[str]] | None = None
    plain: bool = False
    asks: bool = False
    public: bool = False
    limit: int = BODY_LIMIT
    spoken: str = ""
    streams: bool = False
    acts: Acts | None = None
    apart: bool = False

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """The decoded parts of the path, or None."""
        if method != self.method and not (method == "HEAD" and self.method == "GET"):
            return None
        wanted = self.path.strip("/").split("/")
        found: dict[str, str] = {}
        for place, part in enumerate(wanted):
            if part.endswith("*}"):
                found[part[1:-2]] = "/".join(unquote(s) for s in segments[place:])
                return found
            if place >= len(segments):
                return None
            if part.startswith("{"):
                found[part[1:-1]] = unquote(segments[place])
            elif part != segments[place]:
                return None
        return found if len(wanted) == len(segments) else None


class Table:
    """All routes of a process, and the way to those that are not apart. Two of one method and path are a defect."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        names = [(r.method, r.path, r.spoken, r.apart and r.plane) for r in self.routes]
        if len(names) != len(set(names)):
            raise ValueError("two routes of the same method and path")
        self._spoken = [r for r in self.routes if r.spoken and not r.apart]
        self._others = [r for r in self.routes if not r.spoken and not r.apart]
        self._plain: dict[tuple[str, str], Route] = {(r.method, r.path): r for r in self._others if "{" not in r.path}
        self._parted = [r for r in self._others if "{" in r.path]

    def match(self, method: str, raw_path: str, headers: Container[str] = ()) -> tuple[Route, dict[str, str]] | None:
        """The route of exactly this path, or the first with parts that fits: an encoded slash stays in its segment."""
        for route in self._spoken:
            if route.spoken in headers:
                parts = route.match(method, raw_path.strip("/").split("/"))
                if parts is not None:
                    return route, parts
        plain = self._plain.get(("GET" if method == "HEAD" else method, raw_path))
        if plain is not None:
            return plain, {}
        segments = raw_path.strip("/").split("/")
        for route in self._others if raw_path.endswith("/") or "//" in raw_path else self._parted:
            parts = route.match(method, segments)
            if parts is not None:
                return route, parts
        return None
