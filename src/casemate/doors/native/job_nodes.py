"""The nodes of the clusters: which label each holds, and what was done to one before another label has it.

A node's record lies at the label that it has held. A list tells what the acting label dominates: what the settings give
to it, and what has been recorded there; that a node waits for a step above is told above alone.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.jobs.nodes import Nodes, Seen, node_id
from casemate.policy import Action

__all__ = ["SanitiseRequest", "routes"]


class SanitiseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done, and how: everybody who sees the label's nodes sees it."""

    steps: tuple[Literal["gpu-memory", "scratch", "reboot"], ...]
    evidence: str


def routes(rooms: Rooms) -> list[Route]:
    """Node routes."""
    at, base = _Nodes(rooms), "/api/job-nodes"
    lists, cleans, data = Action("list", "job-node"), Action("sanitise", "job-node"), dict[str, Any]
    one = f"{base}/{{engine}}/{{name}}/sanitise"
    return [
        Route("GET", base, "native", lists, at.every, gives=list[Any]),
        Route("POST", one, "native", cleans, at.sanitise, takes=SanitiseRequest, gives=data, texts=_said),
    ]


def _said(request: SanitiseRequest) -> tuple[str, ...]:
    return (request.evidence,)


class _Nodes:
    def __init__(self, rooms: Rooms) -> None:
        self._sites, self._gate = rooms.jobs.sites, rooms.gate

    async def every(self, call: Call) -> Reply:
        """The visible nodes by engine and name, each with its label."""
        nodes = self._sites.nodes or Nodes(self._gate)
        return reply(call.flow, [_told(call.flow, one) for one in await nodes.seen(call.flow)])

    async def sanitise(self, call: Call) -> Reply:
        """What was done to a node that the acting label has held; see `Nodes.sanitise`."""
        engine, name, asked = call.path["engine"], call.path["name"], call.body
        nodes = self._sites.nodes or Nodes(self._gate)
        seen = await nodes.sanitise(call.flow, engine, name, asked.steps, asked.evidence)
        return reply(call.flow, _told(call.flow, seen), node=node_id(seen.engine, seen.name))


def _told(flow: Flow, one: Seen) -> dict[str, Any]:
    record = one.record
    return {
        "name": one.name,
        "engine": one.engine,
        "given": one.given,
        "state": record.state if record is not None else "new",
        "since": record.since if record is not None else 0,
        "steps": [msgspec.structs.asdict(step) for step in record.steps] if record is not None else [],
        **marked(flow, one.label),
    }
