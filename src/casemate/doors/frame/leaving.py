"""A client that leaves while he is being answered: whatever works for him is cancelled at once.

Whoever serves the connection says so (`Leaving.gone` through the scope's `casemate.leaving`); where he does not, a task
waits for the protocol's own word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Self

__all__ = ["LEAVING", "Leaving", "Watch"]

LEAVING = "casemate.leaving"


class Leaving:
    """One connection's word that its client has left. `on` is called once, when he does."""

    __slots__ = ("gone", "on")

    def __init__(self) -> None:
        self.gone = False
        self.on: Callable[[], object] | None = None

    def left(self) -> None:
        """He has left."""
        self.gone = True
        if self.on is not None:
            self.on()


class Watch:
    """While this is entered, the running task is cancelled when the client leaves; then `left` is true.

    Without `receive` somebody else hears the protocol's word: whoever reads a body that is still arriving.
    Leaving the block by that cancellation swallows it: what follows tells the record that the answer was cancelled.
    """

    __slots__ = ("_leaving", "_receive", "_task", "_waiting", "left")

    def __init__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]] | None
    ) -> None:
        self._leaving: Leaving | None = scope.get(LEAVING)
        self._receive = receive
        self._task: asyncio.Task[Any] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self.left = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        if self._leaving is None:
            self._waiting = asyncio.ensure_future(self._wait(self._receive)) if self._receive is not None else None
        elif self._leaving.gone:
            self._stop()
        else:
            self._leaving.on = self._stop
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        if self._leaving is not None:
            self._leaving.on = None
        if self._waiting is not None:
            self._waiting.cancel()
        if not self.left or self._task is None:
            return False
        ours = self._task.uncancel() == 0  # also where the work has made something else of it
        return ours and kind is asyncio.CancelledError  # somebody else's cancellation goes on

    def _stop(self) -> None:
        if self._task is not None and not self.left:
            self.left = True
            self._task.cancel()

    async def _wait(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stop()
