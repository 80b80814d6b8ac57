"""A journal without segments: each entry is a batch of its own for the one writer.

For a region that is being founded, for copies that live as long as a proof, and for laws, which need the same calls in
the same order. It keeps the promises of a Journal; it is only slower.
"""

from __future__ import annotations

import asyncio

from casemate.errors import CasemateError
from casemate.store import Batch, ClassRow, Committer, EntryRow

__all__ = ["CommitterJournal"]


class CommitterJournal:
    """The Journal port over a Committer. What is durable is folded."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._under_way: set[asyncio.Task[None]] = set()

    def append(self, row: EntryRow, access: ClassRow, domain: str) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(self._commit(Batch(domain=domain, entries=[row], classes=[access]), future))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return future

    async def _commit(self, batch: Batch, future: asyncio.Future[None]) -> None:
        error: CasemateError | None = None
        try:
            await self._committer.commit(batch)
        except CasemateError as told:
            error = told
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
            future.exception()  # whoever never asks whether it was durable was never told that it was

    async def fold(self) -> None:
        """There is nothing to fold but what has just been taken."""
        await asyncio.gather(*self._under_way)
