"""An answer on its way to a wire: its deltas, one by one or all at once, and what its entry will say of them.

Every wire writes the texts of the deltas one after the other and adds nothing: marks, notes and the blank lines between
paragraphs are the answerer's, so that a paragraph is the same bytes on every wire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, Self, cast

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.models.answerer import Answerer
from casemate.models.chat import Chat, Citation, Delta, Usage
from casemate.words import say

__all__ = ["Course"]


class Course:
    """Reads an answerer's deltas once. `finish`, `usage` and `facts` are whole when the last one has been read."""

    def __init__(self, deltas: AsyncIterator[Delta] | None, chat: Chat) -> None:
        self._source = deltas
        self._chat = chat
        self._ahead: Delta | None = None
        self.finish = ""
        self.usage = Usage()
        self.facts: dict[str, Any] = {"model": chat.model}

    @classmethod
    async def whole(cls, answerer: Answerer, flow: Flow, chat: Chat) -> tuple[Self, list[Delta]]:
        """The course of an answer that nobody reads along, run to its end, and all its deltas. Raises EngineFailed."""
        told: list[Delta] = []
        await answerer.whole(flow, chat, told)
        course = cls(None, chat)
        return course, course._taken(told)

    async def first(self) -> None:
        """Read the first delta ahead: what fails before it can still be told as a plain response."""
        self._ahead = await self._next()

    async def deltas(self) -> AsyncIterator[Delta]:
        """All deltas. Raises EngineFailed where they end without a last one."""
        while not self.finish:
            delta = self._ahead or await self._next()
            self._ahead = None
            self._note(delta)
            yield delta

    async def rest(self) -> tuple[str, list[Citation]]:
        """The whole text and its citations; what makes them is closed."""
        text: list[str] = []
        cited: list[Citation] = []
        try:
            async for delta in self.deltas():
                text.append(delta.text)
                cited += delta.citations
        finally:
            await self.close()
        return "".join(text), cited

    async def close(self) -> None:
        """Stop whatever makes the deltas."""
        if hasattr(self._source, "aclose"):
            await cast("AsyncGenerator[Delta, None]", self._source).aclose()

    async def _next(self) -> Delta:
        if self._source is None:
            raise self._broken()
        try:
            delta = await self._source.__anext__()
        except StopAsyncIteration:
            raise self._broken() from None
        if delta.finish == "error":
            raise self._broken()
        return delta

    def _taken(self, told: Iterable[Delta]) -> list[Delta]:
        """The deltas up to the last one. Raises EngineFailed where there is none."""
        taken = []
        for delta in told:
            if delta.finish == "error":
                break
            taken.append(delta)
            self._note(delta)
            if delta.finish:
                return taken
        raise self._broken()

    def _note(self, delta: Delta) -> None:
        self.finish = delta.finish or self.finish
        self.usage = delta.usage or self.usage
        if delta.finish:
            self.facts |= {"finish": delta.finish, "prompt": self.usage.prompt, "completion": self.usage.completion}

    def _broken(self) -> EngineFailed:
        return EngineFailed(engine=self._chat.model, why=say("models.broke_off", self._chat.language))
