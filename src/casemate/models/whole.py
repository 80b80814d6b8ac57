"""An answer for somebody who waits for all of it: its deltas in a list, without a generator in every layer.

Whoever can tell an answer so has `whole` beside `answer`; whoever cannot is read to its end. The deltas are the same.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol, cast

from casemate.access import Flow
from casemate.models.chat import Answerer, Chat, Delta

__all__ = ["Wholly", "read", "tell"]


class Wholly(Protocol):
    """An answerer that can tell the whole answer."""

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """Put the deltas of `answer` into `told`. What that holds when this raises had been said by then."""
        ...


async def tell(answerer: Answerer, flow: Flow, chat: Chat, told: list[Delta]) -> None:
    """As `Wholly.whole`, by any answerer."""
    if hasattr(answerer, "whole"):
        await cast("Wholly", answerer).whole(flow, chat, told)
    else:
        await read(answerer.answer(flow, chat), told)


async def read(deltas: AsyncIterator[Delta], told: list[Delta]) -> None:
    """Put the deltas into `told`, up to the last one; what makes them is closed."""
    async with aclosing(cast("AsyncGenerator[Delta, None]", deltas)) as source:
        async for delta in source:
            told.append(delta)
            if delta.finish:
                return
