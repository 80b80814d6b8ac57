"""One thread that takes a group of batches, has it written, and tells each who waits what became of his.

    commit() -> queue of its domain -> [thread] _write(group) -> receipts and refusals, one call for each loop

What writes a group is the engine's; who waits, how many of each domain go together and how it ends is the same for all.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass

from casemate.engines.queues import Queues
from casemate.errors import CasemateError, Unavailable
from casemate.store import Batch, Receipt

__all__ = ["GroupWriter", "Outcome"]

Outcome = Receipt | CasemateError


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Receipt]


class GroupWriter(ABC):
    """The Committer port as far as it is the same for every engine. `broken`: nothing is written until a restart."""

    def __init__(self, bound: int, share: int) -> None:
        self.broken = False
        self._queues: Queues[_Waiting] = Queues(bound, share)
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    @abstractmethod
    def _together(self, group: list[Batch]) -> list[Outcome] | None:
        """One transaction for all, or None where it came to nothing and each must be tried alone."""

    @abstractmethod
    def _alone(self, batch: Batch) -> Outcome:
        """One batch in its own transaction."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of the store and of the lock that says who writes. Safe to call twice."""

    def _written(self) -> None:  # noqa: B027 - an engine that has nothing to do need not say so
        """What is done after a group, while nobody waits for it."""

    async def commit(self, batch: Batch) -> Receipt:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(batch, loop, loop.create_future())
        with self._wake:
            if self._stopping or not self._queues.offer(batch.domain, waiting):
                raise Unavailable(what="store")
            self._wake.notify()
        return await waiting.future

    def close(self) -> None:
        """Write what waits, then stop. Safe to call twice."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()
        self._release()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queues and not self._stopping:
                    self._wake.wait()
                group = self._queues.take()
            if not group:
                return
            _deliver(group, self._write([waiting.batch for waiting in group]))
            self._written()

    def _write(self, group: list[Batch]) -> list[Outcome]:
        """The outcome of each batch; those that are receipts are durable."""
        try:
            outcomes = self._together(group)
            return [self._alone(batch) for batch in group] if outcomes is None else outcomes
        except Exception:  # noqa: BLE001 - a defect of ours: nobody may wait for ever because of it
            self.broken = True
            return [Unavailable(what="store") for _ in group]


def _deliver(group: list[_Waiting], outcomes: list[Outcome]) -> None:
    """Hand the outcomes to the loops that wait, one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, pairs)
        except RuntimeError:  # that loop is closed: nobody waits there any more
            continue


def _settle(pairs: list[tuple[asyncio.Future[Receipt], Outcome]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue
        if isinstance(outcome, Receipt):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
