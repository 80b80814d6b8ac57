"""One child that writes, for one label domain: it takes a prompt at a time, in the order of asking.

    pieces -> a turn -> the child, its weights loaded -> ask -> Began, Piece ... the last one -> the turn is free again

A request that is given up, or whose reader is too slow, is told to the child as a wish to stop; the child ends at the
next token and stays. Only one that does not obey within GRACE seconds is killed. What must never happen: a child that
was asked by another domain, or a turn that stays taken because nobody reads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final, cast

import msgspec

from casemate import frames
from casemate.engines.cell import BROKEN, CRASH, MEMORY, TIME, Cell, Program, _allow_cpu
from casemate.engines.sandbox import Child, Sandbox
from casemate.errors import EngineFailed, Unreadable

__all__ = ["GRACE", "PREPARE", "WAITING", "Began", "Piece", "Slot"]

GRACE: Final = 5.0
"""Seconds in which a child obeys: one chunk of a prompt, or one token."""
PREPARE: Final = 30.0
"""Seconds from a request to the first sign of life: template, tokens and grammar, before any of the prompt is read."""
LOAD: Final = 600.0
WAITING: Final = 8
"""Requests of a domain that wait or run; one more is told that it is busy."""
ROOM: Final = 64
"""Pieces that wait for a slow reader. Then the child waits as well."""
REPLY: Final = 1 << 20


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The weights are loaded; `context` is the window in tokens."""

    context: int


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The prompt has this many tokens."""

    prompt: int


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """Words, or the end: a `finish` (stop, length, stopped) and the tokens written, or a `failure`."""

    text: str = ""
    finish: str = ""
    tokens: int = 0
    failure: str = ""
    why: str = ""


_ITEM: Final = cast("type[Began | Piece]", Began | Piece)
_STOP: Final = frames.encode({"stop": True})


class Slot(Cell):
    """The child of a domain. `rests` is called each time that it has nothing to do."""

    def __init__(self, sandbox: Sandbox, program: Program, rests: Callable[[], None] | None = None) -> None:
        super().__init__(sandbox, program)
        self._rests = rests
        self._loading: asyncio.Task[None] | None = None
        self._loaded: Child | None = None
        self._talks: dict[asyncio.Task[None], _Talk] = {}
        self.context = 0

    @property
    def idle(self) -> bool:
        """Nobody waits for it and nothing runs in it."""
        return not self._talks

    async def pieces(self, ask: dict[str, Any], deadline: float) -> AsyncGenerator[Began | Piece, None]:
        """Began, then pieces up to the last one. Raises EngineFailed, SandboxMissing, Unreadable; closing it stops."""
        if len(self._talks) >= WAITING:
            raise EngineFailed(cause="busy", engine=self._program.name, why="too many requests wait for it")
        talk = _Talk(asyncio.get_running_loop().time() + deadline)
        pump = asyncio.ensure_future(self._pumped(ask, talk))
        self._talks[pump] = talk
        pump.add_done_callback(self._over)
        try:
            while True:
                item = await talk.taken()
                yield item
                if _last(item):
                    return
        finally:
            if not talk.stop():
                pump.cancel()  # it has not begun: nothing of it is in the child

    async def ready(self, seconds: float = LOAD) -> None:
        """Have the weights loaded before the first prompt."""
        async with self._turn:
            await self._load(asyncio.get_running_loop().time() + seconds)

    async def close(self) -> None:
        """End the child, whatever it is doing, and every request with it."""
        for task in [*self._talks, *([self._loading] if self._loading is not None else [])]:
            task.cancel()
        await self._drop()

    def _over(self, pump: asyncio.Task[None]) -> None:
        talk = self._talks.pop(pump)
        if pump.cancelled():
            talk.end(self._down())
        elif (error := pump.exception()) is not None:
            talk.end(error)
        if self._rests is not None and self.idle:
            self._rests()

    async def _pumped(self, ask: dict[str, Any], talk: _Talk) -> None:
        """Carries pieces from the child to the reader. What it raises is the reader's."""
        try:
            async with asyncio.timeout_at(talk.ends):
                await self._turn.acquire()
        except TimeoutError:
            raise self._slow() from None
        try:
            child = await self._load(talk.ends)
            last = await self._talked(child, ask, talk)
            await self._ended(last, talk)
        finally:
            talk.over()
            self._turn.release()

    async def _load(self, ends: float) -> Child:
        """The child with its weights. Loading goes on for the next request where this one cannot wait for it."""
        if self._loaded is None or self._loaded is not self._child or not self._loaded.alive:
            if self._loading is None or self._loading.done():
                self._loading = asyncio.ensure_future(self._started())
                self._loading.add_done_callback(_heard)
            try:
                async with asyncio.timeout_at(ends):
                    await asyncio.shield(self._loading)
            except TimeoutError:
                raise self._slow() from None
        assert self._loaded is not None
        return self._loaded

    async def _started(self) -> None:
        self._loaded = None
        child = await self._running()
        try:
            async with asyncio.timeout(LOAD):
                _allow_cpu(child.pid, int(LOAD))
                ready = await frames.read(child.replies, Ready, REPLY)
        except (TimeoutError, frames.FrameError, OSError):
            ready = None
        except BaseException:
            await self._drop()
            raise
        if ready is None:
            await self._drop()
            raise EngineFailed(cause="down", engine=self._program.name, why="its model could not be loaded")
        self._loaded, self.context = child, ready.context

    async def _talked(self, child: Child, ask: dict[str, Any], talk: _Talk) -> Piece:
        """Ask, hand pieces over, and give the last one; after it the child waits for the next request."""
        loop = asyncio.get_running_loop()
        seconds = talk.ends - loop.time()
        _allow_cpu(child.pid, int(seconds + GRACE) + 1)
        try:
            async with asyncio.timeout_at(min(talk.ends + GRACE, loop.time() + PREPARE)) as bound:
                child.requests.write(frames.encode({**ask, "seconds": max(seconds, 0.0)}))
                talk.begins(child, bound)
                await child.requests.drain()
                while True:
                    item = await frames.read(child.replies, _ITEM, REPLY)
                    if item is None:
                        raise EOFError
                    if isinstance(item, Began) and not talk.stopped:
                        bound.reschedule(talk.ends + GRACE)
                    elif isinstance(item, Piece) and _last(item):
                        return item
                    await talk.give(item)
        except TimeoutError:
            await self._drop()
            raise self._slow() from None
        except (frames.FrameError, OSError, EOFError):
            raise self._died(await self._drop()) from None
        except BaseException:
            await self._drop()
            raise

    async def _ended(self, last: Piece, talk: _Talk) -> None:
        """What the last piece comes to."""
        if talk.late:
            raise self._slow()
        if last.failure == "unreadable":
            raise Unreadable(why=last.why)
        if last.failure == MEMORY:
            await self._drop()
            raise self._failed(MEMORY, "it needs more memory than it may have")
        if last.failure:
            raise self._failed(BROKEN, f"it broke ({last.why[:80]})")
        if last.finish == "stopped":
            raise self._slow()
        talk.end(last)

    def _slow(self) -> EngineFailed:
        return EngineFailed(cause="slow", engine=self._program.name, why="it did not answer in time", ending=TIME)

    def _down(self) -> EngineFailed:
        return EngineFailed(cause="down", engine=self._program.name, why="it is being ended", ending=CRASH)


class _Talk:
    """One request: what waits for its reader, and how to end it."""

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.stopped = self.late = False
        self._begun = False
        self._child: Child | None = None
        self._bound: asyncio.Timeout | None = None
        self._waiting: deque[Began | Piece | BaseException] = deque()
        self._news, self._room = asyncio.Event(), asyncio.Event()

    async def taken(self) -> Began | Piece:
        """The next piece. Raises what ended the request."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        self._room.set()
        item = self._waiting.popleft()
        if isinstance(item, BaseException):
            raise item
        return item

    async def give(self, item: Began | Piece) -> None:
        """Hand over; a slow reader is waited for until the request's own end, and then it is stopped."""
        while len(self._waiting) >= ROOM and not self.stopped:
            self._room.clear()
            try:
                async with asyncio.timeout_at(self.ends):
                    await self._room.wait()
            except TimeoutError:
                self.late = True
                self.stop()
        if not self.stopped:
            self.end(item)

    def end(self, item: Began | Piece | BaseException) -> None:
        """Hand over without waiting: the last thing that a reader gets."""
        self._waiting.append(item)
        self._news.set()

    def begins(self, child: Child, bound: asyncio.Timeout) -> None:
        """From here on a stop is told to the child."""
        self._begun, self._child, self._bound = True, child, bound

    def over(self) -> None:
        """The child has ended it by itself: there is nothing to stop."""
        self._child = self._bound = None

    def stop(self) -> bool:
        """Nobody reads any more. False where the child knows nothing of the request."""
        self.stopped = True
        self._waiting.clear()
        self._room.set()
        child, bound = self._child, self._bound
        self.over()
        if child is not None and bound is not None:
            if not child.requests.is_closing():
                child.requests.write(_STOP)
            if not bound.expired():
                bound.reschedule(asyncio.get_running_loop().time() + GRACE)
        return self._begun


def _last(item: Began | Piece) -> bool:
    return isinstance(item, Piece) and bool(item.finish or item.failure)


def _heard(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
