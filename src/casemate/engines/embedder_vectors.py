"""The region's own embedder as a model that callers may name: implements `models.Vectors`.

The embedder gives whole numbers in -127..127, made for exact search; callers get the unit vector of the same direction.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Sequence
from typing import Protocol

from casemate.errors import EngineFailed

__all__ = ["EmbedderVectors", "unit"]


class Embedder(Protocol):
    """What gives 384 signed bytes for each text."""

    async def embed(self, texts: list[str], domain: str = "") -> list[bytes]: ...


class EmbedderVectors:
    """One text at a time, so that other askers wait for one text of these at most."""

    def __init__(self, embedder: Embedder, name: str) -> None:
        self._embedder = embedder
        self._name = name

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        """Unit vectors of 384 floats. Raises EngineFailed (`slow`), SandboxMissing."""
        del model
        try:
            async with asyncio.timeout(deadline):
                return [unit((await self._embedder.embed([text], partition))[0]) for text in texts]
        except TimeoutError:
            raise EngineFailed(cause="slow", engine=self._name, why="the texts took too long") from None


def unit(raw: bytes) -> list[float]:
    """Signed bytes as a vector of length 1; what has no direction stays zero."""
    whole = array("b", raw)
    length = math.sqrt(sum(value * value for value in whole)) or 1.0
    return [value / length for value in whole]
