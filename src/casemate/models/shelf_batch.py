"""Several files that were brought into a base in one request, looked at together.

A batch is its owner's alone, and says only which files it brought and which of them were called off: how far each one
is lies with the file. It lies at the label at which the files were brought.
"""

from __future__ import annotations

import msgspec

from casemate.access import Flow
from casemate.errors import Absent
from casemate.ids import short
from casemate.models.shelf import FileSeen, Shelf
from casemate.objects import Found, Kind, Put

__all__ = ["FILE_BATCH", "WAITS", "FileBatch", "begin", "cancel", "read", "seen", "there"]

WAITS = ("waiting", "unmarked")
"""States of a file that is not read yet."""


class FileBatch(msgspec.Struct, frozen=True, kw_only=True):
    """`files` as they were named; `cancelled`: those of them that were called off before they were read. Microseconds.

    What was called off is no longer in the base, so that it is kept here as it was last seen.
    """

    owner: str
    base: str
    files: tuple[str, ...]
    at: int
    off: bool = False
    cancelled: tuple[FileSeen, ...] = ()


def _brought(id: str, batch: FileBatch) -> tuple[tuple[str, str], ...]:
    del id
    return tuple(("file", file) for file in batch.files)


FILE_BATCH = Kind("knowledge.files", FileBatch, sources=_brought)


async def begin(flow: Flow, base: str, files: tuple[str, ...]) -> tuple[str, FileBatch]:
    """A batch of files that have just been brought."""
    id = "vsfb_" + short(flow.gate.vault.entropy.draw(f"files/{flow.access.id}/{flow.session.id}"))
    batch = FileBatch(owner=flow.session.principal.id, base=base, files=files, at=flow.gate.vault.clock.now())
    await flow.commit(Put(FILE_BATCH, id, batch, expect=0), facts={"files": len(files)})
    return id, batch


async def read(flow: Flow, base: str, id: str) -> Found[FileBatch]:
    """A batch of the caller's into that base. Somebody else's is as absent as one that never was."""
    for found in await flow.read_each(FILE_BATCH, id):
        if found.value.owner == flow.session.principal.id and found.value.base == base:
            return found
    return await flow.absent(FILE_BATCH, id)


async def there(flow: Flow, shelf: Shelf, base: str) -> dict[str, FileSeen]:
    """The visible files of a base by id. Raises UnknownKnowledge where nothing of the base is visible any more."""
    return {file.id: file for file in await shelf.files(flow, base)}


def seen(batch: FileBatch, files: dict[str, FileSeen]) -> list[FileSeen]:
    """Those of its files that are in the base still, beside what was called off, in the order in which they came."""
    off = {file.id for file in batch.cancelled}
    return [files[id] for id in batch.files if id in files and id not in off]


async def cancel(flow: Flow, shelf: Shelf, found: Found[FileBatch]) -> FileBatch:
    """Take back what has not been read; what has been stays.

    Raises UnknownKnowledge, Refused (`no-write-down`), Conflict.
    """
    taken: list[FileSeen] = []
    for file in seen(found.value, await there(flow, shelf, found.value.base)):
        if file.state not in WAITS:
            continue
        try:
            await shelf.detach(flow, found.value.base, file.id)
        except Absent:  # somebody else of his took it back meanwhile
            continue
        taken.append(file)
    batch = msgspec.structs.replace(found.value, off=True, cancelled=(*found.value.cancelled, *taken))
    await flow.commit(Put(FILE_BATCH, found.id, batch, expect=found.version), at=found.label)
    return batch
