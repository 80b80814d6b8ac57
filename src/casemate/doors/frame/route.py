"""A route, declared once: dispatch, the law of actions, the two worlds, OpenAPI and the docs read this table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

from casemate.access import Flow, Gate
from casemate.objects import Ref
from casemate.policy import Action

__all__ = ["Call", "Reply", "Route", "Stream", "Table"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
BODY_LIMIT = 4 << 20


@dataclass(slots=True)
class Call:
    """A request as a handler sees it: the flow, the parts of the path, the query, and the body as `takes` says."""

    gate: Gate
    flow: Flow
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes
    disposition: str = ""


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
    """A response in pieces. `facts` and `outcome` are read when the pieces have ended."""

    pieces: AsyncIterator[bytes]
    media: str = "text/event-stream"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    outcome: str = "complete"
    facts: dict[str, Any] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply | Stream]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `path` has `{name}` for one segment and `{name*}` for the rest.

    `texts` names what a person wrote in the body (of a route that takes none: in the query), to be looked at for marks.
    `asks` writes BEGIN before the handler.
    `public` routes have no session: their flow is a visitor's at the region's floor, and they are not recorded.
    """

    method: Method
    path: str
    plane: str
    action: Action
    handler: Handler
    takes: Any = None
    gives: Any = None
    texts: Callable[[Any], Iterable[str]] | None = None
    asks: bool = False
    public: bool = False
    limit: int = BODY_LIMIT

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
    """All routes of a process. Two routes of the same method and path are a defect."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        names = [(r.method, r.path) for r in self.routes]
        if len(names) != len(set(names)):
            raise ValueError("two routes of the same method and path")

    def match(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The first route that fits the path as it was sent: an encoded slash stays inside its segment."""
        segments = raw_path.strip("/").split("/")
        for route in self.routes:
            parts = route.match(method, segments)
            if parts is not None:
                return route, parts
        return None
