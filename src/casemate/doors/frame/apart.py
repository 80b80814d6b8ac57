"""Routes of a protocol that has the whole root to itself: paths of anybody's names, operations told by the query.

A path is `/`, `/{one}` or `/{one}/{rest*}`, and may end in the fields of the query that make the operation what it is:
`?uploads`, `?partNumber&uploadId`, and with `?acl|policy` either of them. What has more of them goes first, so a plain
route is for requests that have none of anybody's. The rest of a path is taken as it was sent: a slash at its end, or
two in a row, belong to the name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from casemate.doors.frame.route import Route

__all__ = ["Apart"]


@dataclass(frozen=True, slots=True)
class _Way:
    """A route, the names of its parts, and the fields of which it wants one each."""

    route: Route
    parts: tuple[str, ...]
    fields: tuple[frozenset[str], ...]

    def fits(self, headers: Container[str], query: Container[str]) -> bool:
        if self.route.spoken and self.route.spoken not in headers:
            return False
        return all(any(name in query for name in names) for names in self.fields)


class Apart:
    """All routes of one such protocol."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._ways: dict[tuple[str, int], list[_Way]] = {}
        for route in routes:
            way = _way(route)
            self._ways.setdefault((route.method, len(way.parts)), []).append(way)
        for ways in self._ways.values():
            ways.sort(key=lambda way: -len(way.fields) - bool(way.route.spoken))

    def match(
        self, method: str, raw_path: str, headers: Container[str], query: Container[str]
    ) -> tuple[Route, dict[str, str]] | None:
        """The route, and the parts of the path as they are meant; None also where they are no UTF-8."""
        one, slash, rest = raw_path.removeprefix("/").partition("/")
        sent = (one, rest) if rest else (one,) if one else ()
        if slash and not one:
            return None
        for way in self._ways.get((method, len(sent)), ()):
            if way.fits(headers, query):
                try:
                    return way.route, dict(zip(way.parts, map(_meant, sent), strict=True))
                except UnicodeDecodeError:
                    return None
        return None


def _way(route: Route) -> _Way:
    path, _, query = route.path.partition("?")
    parts = tuple(part.strip("{*}") for part in path.split("/") if part)
    return _Way(route, parts, tuple(frozenset(names.split("|")) for names in query.split("&") if names))


def _meant(part: str) -> str:
    return unquote_to_bytes(part).decode("utf-8")
