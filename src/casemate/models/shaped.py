"""What was asked for as JSON is judged before it is called whole: an engine's own promise is never taken for it.

Its words may be told as they come; its end is not, where they do not fit: then the answer has failed. A truncated
answer ends as `length` and is judged by nobody. A schema that our checker cannot decide is the engine's alone to keep.
"""

from __future__ import annotations

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.models.chat import Delta, Shape
from casemate.models.shape import fits, problem
from casemate.words import say

__all__ = ["Shaped"]

LONG = 4096  # characters: what is longer is judged beside the loop that serves everybody


class Shaped:
    """Reads one answer's deltas. Raises EngineFailed where the last one ends what does not fit."""

    def __init__(self, flow: Flow, shape: Shape, engine: str, language: str) -> None:
        self._flow = flow
        self._schema = shape.schema
        self._engine = engine
        self._language = language
        self._texts: list[str] = []
        self._called = False

    async def look(self, delta: Delta) -> None:
        """One more delta."""
        if delta.text:
            self._texts.append(delta.text)
        self._called = self._called or delta.call is not None
        if delta.finish == "stop" and not self._called and not (self._schema and problem(self._schema)):
            text = "".join(self._texts)
            wrong = await self._flow.beside(fits, self._schema, text) if len(text) > LONG else fits(self._schema, text)
            if wrong:
                raise EngineFailed(cause="rejected", engine=self._engine, why=say("models.unfit", self._language))
