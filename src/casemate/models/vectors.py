"""The port of engines that turn texts into vectors for callers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Vectors"]


class Vectors(Protocol):
    """An engine that embeds. A text's vector is a function of the text alone: rows never share a batch."""

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        """One vector for each text, in order, of one dimension. Raises EngineFailed.

        `partition` names the label domain whose connections carry them; it is never sent.
        """
        ...
