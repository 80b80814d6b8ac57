"""Metrics: the numbers of the domains that the acting label dominates, for Prometheus and for the live page.

Each domain's numbers are gathered and written by themselves; nothing is added up over domains. A domain that the acting
label does not dominate is not asked for, so that nothing of it can make this answer longer, later or other.
"""

from __future__ import annotations

from typing import Any

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.labels import Label
from casemate.policy import Action
from casemate.telemetry import MEDIA, OPEN_MEDIA, PULSE, Kept, beats, exposition
from casemate.telemetry.pulse import quantile

__all__ = ["routes"]

READ = Action("read", "metrics")


def routes(rooms: Rooms) -> list[Route]:
    """Metrics routes."""
    del rooms
    return [
        Route("GET", "/metrics", "native", READ, _metrics),
        Route("GET", "/api/live", "native", READ, _live, gives=dict[str, Any]),
    ]


async def _seen(call: Call) -> list[tuple[Label, Kept]]:
    """The visible domains that have any numbers, in order of their labels' canonical texts."""
    gate, flow = call.gate, call.flow
    classes = sorted((c for c in flow.classes() if not c.need and not c.originator), key=lambda c: c.label.text)
    found = [(c.label, await gate.telemetry.seen(c.id, c.label)) for c in classes]
    return [(label, kept) for label, kept in found if kept.counters or kept.histograms]


async def _metrics(call: Call) -> Reply:
    """Prometheus' text format, or OpenMetrics where the caller accepts it. Each series bears its domain's `label`."""
    openly = "application/openmetrics-text" in call.headers.get("accept", "")
    text = exposition((kept for _, kept in await _seen(call)), openly)
    return Reply(text.encode(), OPEN_MEDIA if openly else MEDIA)


async def _live(call: Call) -> Reply:
    """The last five minutes of each domain in beats: what a page draws. Durations in milliseconds."""
    now = call.gate.vault.clock.now()
    domains = [_drawn(call, label, kept, now) for label, kept in await _seen(call)]
    return reply(call.flow, {"seconds": PULSE // 1_000_000, "domains": domains})


def _drawn(call: Call, label: Label, kept: Kept, now: int) -> dict[str, Any]:
    found = beats(kept.beats, now)
    return {
        **marked(call.flow, label),
        "requests": [beat.requests for beat in found],
        "refusals": [beat.refusals for beat in found],
        "tokens": [beat.tokens for beat in found],
        "p50": [quantile(beat.latency, 0.5) / 1000 for beat in found],
        "p99": [quantile(beat.latency, 0.99) / 1000 for beat in found],
    }
