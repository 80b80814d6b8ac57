"""One at a time, and fairly between label domains: of those who wait, each domain has one turn before any has two.

So whoever waits for what all of them share waits for one turn of each other domain at most, however much these ask.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Turns"]


class Turns:
    """Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the domain whose turn is next stands first
        self._taken = False

    @asynccontextmanager
    async def of(self, domain: str) -> AsyncIterator[None]:
        """While this is entered nobody else's is. Whoever gives up while he waits loses nothing for the others."""
        await self._take(domain)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, domain: str) -> None:
        if not self._taken:
            self._taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(domain, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was given at the very moment when nobody wanted it any more
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            domain = next(iter(self._waiting))
            queue = self._waiting.pop(domain)
            while queue:
                following = queue.popleft()
                if following.done():
                    continue  # he has given up; the turn is still his domain's
                if queue:
                    self._waiting[domain] = queue  # behind all others
                following.set_result(None)
                return
        self._taken = False
