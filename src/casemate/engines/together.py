"""Short work beside the loop, done together: what a domain asks for while its turn is on goes with the next one.

The way into a thread and back costs more than making or removing a small folder does. Each domain has turns of its own:
nobody waits for another label's work. What takes long does not belong here, since others wait behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

from casemate.access import Threads

__all__ = ["Together"]

T = TypeVar("T")
_MANY = 32  # of one turn
_Asked = tuple[Callable[..., Any], tuple[object, ...], asyncio.Future[Any]]


class Together:
    """`threads`: where the work is done."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._waiting: dict[str, list[_Asked]] = {}
        self._turns: set[asyncio.Task[None]] = set()

    async def run(self, domain: str, work: Callable[..., T], *args: object) -> T:
        """What `work` gives, or raises. It is done even where whoever asked waits no longer."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        line = self._waiting.get(domain)
        if line is not None:
            line.append((work, args, answer))
        else:
            self._waiting[domain] = [(work, args, answer)]
            turn = asyncio.create_task(self._turn(domain))
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
        return cast("T", await answer)

    async def _turn(self, domain: str) -> None:
        """Until nobody of the domain waits."""
        some: list[_Asked] = []
        try:
            while line := self._waiting[domain]:
                some, self._waiting[domain] = line[:_MANY], line[_MANY:]
                found = await self._threads.run(domain, _done, some)
                for (_, _, answer), (value, error) in zip(some, found, strict=True):
                    if answer.done():
                        continue
                    if error is None:
                        answer.set_result(value)
                    else:
                        answer.set_exception(error)
        finally:  # where there are no threads any more nobody is left waiting
            for _, _, answer in (*some, *self._waiting.pop(domain)):
                answer.cancel()


def _done(some: list[_Asked]) -> list[tuple[Any, Exception | None]]:
    """Each one's value, or what it raised."""
    found: list[tuple[Any, Exception | None]] = []
    for work, args, _ in some:
        try:
            found.append((work(*args), None))
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            found.append((None, error))
    return found
