"""What a job reads: a port, since datasets and buckets are strangers to jobs. Wiring joins them.

An input is looked up twice: when the job is submitted, in the world of whoever submits it, and when it is dispatched,
in the world of its label. What is no longer visible by then (raised, frozen, gone) ends the job before it has begun.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from casemate.access import Flow
from casemate.jobs.executor import Mount
from casemate.jobs.job import Input
from casemate.objects import Ref

__all__ = ["Inputs", "Looked"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What an input is: `refs` become parents of the job. `digest`: as in `Input`. `size` in bytes."""

    input: Input
    refs: tuple[Ref, ...]
    digest: str
    size: int


class Inputs(Protocol):
    """Sources by their scheme: dataset, object, job."""

    async def look(self, flow: Flow, input: Input) -> Looked:
        """What it is now. Raises Absent as for what never was; BadInput for a source that nobody knows."""
        ...

    async def mounts(self, flow: Flow, looked: Looked) -> tuple[Mount, ...]:
        """Where a dataset in place lies; empty for what is copied. Raises FileChanged, Absent."""
        ...

    def read(self, flow: Flow, looked: Looked) -> AsyncIterator[tuple[str, bytes]]:
        """Names relative to /in/NAME ("" for the file itself) and their bytes, piece by piece, of what is copied."""
        ...
