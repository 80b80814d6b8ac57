"""Working in a job: one request carries a line both ways, as long as it is open.

The body is what goes in, piece by piece as it arrives, and the answer what comes out. So a client needs no protocol but
HTTP/1.1, and each line is one request with its BEGIN and END. Of what it carries nothing is kept beside the job.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Literal
from weakref import WeakSet

from casemate.doors.frame import Call, Route, Stream
from casemate.doors.native.rooms import Rooms
from casemate.errors import BadInput, Conflict, QuotaExceeded
from casemate.jobs.executor import Line
from casemate.policy import Action

__all__ = ["routes"]

WAIT = 10.0
"""Seconds that a job is waited for which has just been asked for."""
PAUSE = 0.05
LOOK = 5.0
"""Seconds between two looks whether the caller still may."""
ENDLESS = 1 << 50
LATER = 5
"""Seconds after which whoever found no seat may ask again."""
LINES, OWN = 256, 64
"""Lines that may be open at once at one label, and of them those of one principal: a page of a notebook takes some."""


def routes(rooms: Rooms) -> list[Route]:
    """The two ways into a job."""
    at, attach = _Lines(rooms), Action("attach", "job")
    one = "/api/jobs/{id}"
    return [
        Route("POST", f"{one}/terminal", "native", attach, at.terminal, streams=True, limit=ENDLESS),
        Route("POST", f"{one}/notebook", "native", attach, at.notebook, streams=True, limit=ENDLESS),
    ]


class _Seat:
    """One open line; whoever carries it holds it, and it is free when nobody does."""

    def __init__(self, person: str) -> None:
        self.person = person


class _Lines:
    """Seats are counted in each label for itself: lines at one never keep anybody of another out."""

    def __init__(self, rooms: Rooms) -> None:
        self._jobs = rooms.jobs
        self._seats: defaultdict[str, WeakSet[_Seat]] = defaultdict(WeakSet)

    async def terminal(self, call: Call) -> Stream:
        """The terminal of a job of the caller's: frames of a letter, two bytes of length, and so many bytes."""
        return await self._stream(call, "shell")

    async def notebook(self, call: Call) -> Stream:
        """One connection to what a job of the caller's shows a browser: its bytes, as they are."""
        return await self._stream(call, "notebook")

    async def _stream(self, call: Call, kind: Literal["shell", "notebook"]) -> Stream:
        seat = self._seat(call)
        line = await self._opened(call, kind)
        facts = {"job": call.path["id"]}
        await call.flow.begin(f"{kind} {call.path['id']}".encode(), facts)
        pieces = _carried(call, line, seat, lambda: self._jobs.may_stay(call.flow), half=kind == "notebook")
        return Stream(pieces, "application/octet-stream", facts=facts, secret=True)

    def _seat(self, call: Call) -> _Seat:
        """Raises QuotaExceeded."""
        taken, person = self._seats[call.flow.access.id], call.flow.session.principal.id
        if len(taken) >= LINES or sum(each.person == person for each in taken) >= OWN:
            raise QuotaExceeded(limit="lines", of="principal", retry_after=LATER)
        seat = _Seat(person)
        taken.add(seat)
        return seat

    async def _opened(self, call: Call, kind: Literal["shell", "notebook"]) -> Line:
        """As soon as it can be reached. Raises Conflict where that does not come."""
        until = asyncio.get_running_loop().time() + WAIT
        while True:
            try:
                return await self._jobs.line(call.flow, call.path["id"], kind)
            except Conflict:
                found = await self._jobs.named(call.flow, call.path["id"])
                if found.value.open == "no" or asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(PAUSE)


async def _carried(call: Call, line: Line, seat: _Seat, stays: Callable[[], bool], half: bool) -> AsyncIterator[bytes]:
    """What comes out. `half`: a caller who has said all still listens; else he has left then. `seat` is held by it."""
    typed = asyncio.create_task(_typed(call, line, half))
    coming = asyncio.ensure_future(line.receive())
    try:
        while True:
            await asyncio.wait((coming,), timeout=LOOK)
            if not stays():
                return
            call.flow.still()
            if coming.done():
                part = coming.result()
                if not part:
                    return
                yield part
                coming = asyncio.ensure_future(line.receive())
    finally:
        for task in (typed, coming):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        line.close()
        del seat


async def _typed(call: Call, line: Line, half: bool) -> None:
    """What goes in, until the caller has said all, or has left."""
    assert call.incoming is not None
    try:
        async for part in call.incoming:
            await line.send(part)
    except BadInput:
        line.close()
        return
    if half:
        line.finish()
    else:
        line.close()
