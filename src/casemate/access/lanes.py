"""How a loop goes through the access classes: each in a lane of its own, so that none waits for another's work, and
none is looked at again while nothing that it sees has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.read import Tide
from casemate.labels import AccessClass
from casemate.objects import Kind

__all__ = ["Idle", "Lanes"]


class Lanes:
    """Runs `lane` for every class that a label alone makes. Nothing that happens in a lane may leave it.

    `patience`: seconds that a step waits for its lanes before it lets them run on; None waits for all of them.
    """

    def __init__(self, gate: Gate, lane: Callable[[AccessClass], Awaitable[int]], patience: float | None) -> None:
        self._gate = gate
        self._lane = lane
        self._patience = patience
        self._running: dict[str, asyncio.Future[int]] = {}

    async def step(self) -> int:
        """Start a lane wherever none is running; what those that ended have moved."""
        for access in self._gate.classes.everything():
            if not access.originator and not access.need and access.id not in self._running:
                self._running[access.id] = asyncio.ensure_future(self._lane(access))
        if self._running:
            await asyncio.wait(self._running.values(), timeout=self._patience)
        ended = {id: lane for id, lane in self._running.items() if lane.done()}
        for id in ended:
            del self._running[id]
        return sum(lane.result() for lane in ended.values())

    async def stop(self) -> None:
        """Let go of what is under way."""
        for lane in self._running.values():
            lane.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._running.clear()


class Idle:
    """The classes in which a loop had nothing to do, each with the tide of `kinds` that it saw then.

    A lane asks `turned` before it reads anything, and says `rest` when it has found nothing. What it had to do it looks
    at again at every step, whether or not something has changed.
    """

    def __init__(self, *kinds: Kind[Any]) -> None:
        self._kinds = kinds
        self._at: dict[str, Tide] = {}

    async def turned(self, flow: Flow) -> Tide | None:
        """How far the kinds have come as the flow sees them; None where that is as it was when there was nothing."""
        tide = await flow.tide(*self._kinds)
        return None if self._at.get(flow.access.id) == tide else tide

    def rest(self, flow: Flow, tide: Tide) -> None:
        """There was nothing to do. `tide` is that of before it was looked, so that nothing later is missed."""
        self._at[flow.access.id] = tide
