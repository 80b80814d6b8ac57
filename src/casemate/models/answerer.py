"""Whoever answers inside a flow: what the wires ask, and the house implements in layers.

Metered (quotas) -> Near (here, or over the relay) | Assistant (knowledge) -> Gateway (routes, looks, lends)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Protocol, cast

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.models.card import Card
from casemate.models.chat import Chat, Delta, Usage
from casemate.models.count import estimate

__all__ = ["Answerer", "ByPieces", "read"]


class Answerer(Protocol):
    """Deltas are at the acting label of the flow; rungs bear their own. `ByPieces` helps who has `answer` alone."""

    def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]: ...

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """Put the deltas of `answer` into `told`. What that holds when this raises had been said by then."""
        ...

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """How many tokens the chat has before it is answered (`prompt`), or an estimate that says that it is one."""
        ...

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text by that model, in order. Raises Refused, QuotaExceeded, EngineFailed."""
        ...


class ByPieces:
    """An answerer that knows no other way than piece by piece, counts nothing and gives no vectors."""

    @abstractmethod
    def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """As `Answerer`."""

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """As `answer`, read to its end."""
        await read(self.answer(flow, chat), told)

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """An estimate."""
        del flow
        return Usage(prompt=estimate(chat))

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """Raises EngineFailed."""
        del flow, texts
        raise EngineFailed(engine=card.name, why="it gives no vectors")


async def read(deltas: AsyncIterator[Delta], told: list[Delta]) -> None:
    """Put the deltas into `told`, up to the last one; what makes them is closed."""
    async with aclosing(cast("AsyncGenerator[Delta, None]", deltas)) as source:
        async for delta in source:
            told.append(delta)
            if delta.finish:
                return
