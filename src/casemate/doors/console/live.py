"""Live: the last minutes of each domain that the acting label dominates, as lines that a script may draw anew.

The page stands still until somebody asks it to follow: each look is an entry in the ledger, and whoever reads is not
hurried by what moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.policy import Action

__all__ = ["Line", "routes", "trace"]

WIDTH, HEIGHT = 240, 40  # units of a line's picture


@dataclass(frozen=True, slots=True)
class Line:
    """A picture: `points` of an SVG polyline, and what it says in numbers."""

    points: str
    total: float
    peak: float
    last: float


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        data, facts = await face.ask("GET /api/live", call)
        more = {"shown": [_drawn(each) for each in data["domains"]], "follow": "follow" in call.query}
        return Shown("live.html", data, part="live/domains.html", facts=facts, more=more)

    return page("GET", "/live", Action("read", "metrics"), show)


def trace(values: Sequence[float], peak: float) -> Line:
    """The line of these values, oldest left; `peak` is the top of the picture."""
    step = WIDTH / max(len(values) - 1, 1)
    top = peak or 1
    points = " ".join(f"{n * step:.1f},{HEIGHT - HEIGHT * value / top:.1f}" for n, value in enumerate(values))
    return Line(points, sum(values), max(values, default=0), values[-1] if values else 0)


def _drawn(domain: dict[str, Any]) -> dict[str, Any]:
    """A domain's lines; both durations in one picture, under the same top."""
    slowest = max(domain["p99"], default=0)
    lines = {name: trace(domain[name], max(domain[name], default=0)) for name in ("requests", "tokens", "refusals")}
    lines |= {name: trace(domain[name], slowest) for name in ("p50", "p99")}
    return {**{name: domain[name] for name in ("label", "marking", "mark")}, "lines": lines}
