"""Files that were brought into a base together, as long work: how far each is lies with the file."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.errors import UnknownKnowledge
from casemate.jobs.job import State
from casemate.jobs.work import Head, Work
from casemate.models import shelf_batch
from casemate.models.shelf import FileSeen, Shelf
from casemate.models.shelf_batch import FILE_BATCH, FileBatch
from casemate.objects import Found

__all__ = ["FilesWork"]


class FilesWork:
    """Implements `jobs.work.Sort` for batches of files. `shelf`: where the files are looked up."""

    name = "files"
    prefix = "vsfb_"

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def heads(self, flow: Flow) -> list[Head]:
        who = flow.session.principal.id
        return [Head(one.value.at, one.id, one) for one in await flow.every(FILE_BATCH) if one.value.owner == who]

    async def told(self, flow: Flow, heads: Sequence[Head]) -> list[Work]:
        """Each base is looked into once, however many batches went into it."""
        bases = {base: await self._there(flow, base) for base in sorted({head.found.value.base for head in heads})}
        return [_work(flow, head.found, bases[head.found.value.base]) for head in heads]

    async def _there(self, flow: Flow, base: str) -> dict[str, FileSeen]:
        try:
            return await shelf_batch.there(flow, self._shelf, base)
        except UnknownKnowledge:
            return {}  # the base was given up, and with it what the batch brought

    async def cancel(self, flow: Flow, id: str) -> None:
        """What has been read stays. Raises Absent, Refused (`no-write-down`) where it lies below."""
        found = next((head.found for head in await self.heads(flow) if head.id == id), None)
        if found is None:
            await flow.absent(FILE_BATCH, id)
        await shelf_batch.cancel(flow, self._shelf, found)


def _work(flow: Flow, found: Found[FileBatch], there: dict[str, FileSeen]) -> Work:
    batch = found.value
    files = shelf_batch.seen(batch, there)
    waits = sum(file.state in shelf_batch.WAITS for file in files)
    failed = sum(file.state == "quarantined" for file in files)
    state: State = "RUNNING" if waits else "CANCELLED" if batch.off else "SUCCEEDED"
    total = len(files) + len(batch.cancelled)
    return Work(
        kind=FilesWork.name,
        id=found.id,
        name=batch.base,
        state=state,
        stage="in_progress" if waits else "cancelled" if batch.off else "completed",
        label=found.label,
        owner=batch.owner,
        person=flow.session.principal.name,
        created=batch.at,
        total=total,
        done=total - waits,
        failed=failed,
        ends=bool(waits),
    )
