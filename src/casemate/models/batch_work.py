"""Batches and invocation jobs as long work: their rows, told in the words of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.jobs.job import State
from casemate.jobs.work import Head, Work
from casemate.models.batch import ENDED, Batch, cancel, mine
from casemate.objects import Found

__all__ = ["BatchWork"]

STATES: dict[str, State] = {
    "validating": "SUBMITTED",
    "in_progress": "RUNNING",
    "cancelling": "RUNNING",
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "expired": "FAILED",
    "cancelled": "CANCELLED",
}


class BatchWork:
    """Implements `jobs.work.Sort` for the batches of every wire: they are one kind of row."""

    name = "batch"
    prefix = "batch_"

    async def heads(self, flow: Flow) -> list[Head]:
        return [Head(found.value.at, found.id, found) for found in await mine(flow)]

    async def told(self, flow: Flow, heads: Sequence[Head]) -> list[Work]:
        del flow
        return [_work(head.found) for head in heads]

    async def cancel(self, flow: Flow, id: str) -> None:
        await cancel(flow, id)


def _work(found: Found[Batch]) -> Work:
    batch = found.value
    return Work(
        kind=BatchWork.name,
        id=found.id,
        name=batch.metadata.get("job") or batch.endpoint,
        state=STATES[batch.state],
        stage=batch.state,
        label=found.label,
        owner=batch.owner,
        person=batch.person,
        created=batch.at,
        started=batch.times.get("in_progress", 0),
        ended=batch.times.get(batch.state, 0) if batch.state in ENDED else 0,
        total=batch.total,
        done=batch.done,
        failed=batch.failed,
        ends=batch.state in ("validating", "in_progress"),
    )
