"""Files that a client brings for later requests, and those that batches give back: labelled objects over sealed blobs.

A file is its owner's alone; for anybody else it does not exist. It lies at the label at which it was brought, and only
a session that acts there removes it. A blob outlives the file: other files of the class may hold the same bytes.
"""

from __future__ import annotations

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput
from casemate.ids import short
from casemate.objects import Delete, Found, Kind, Where
from casemate.objects import Put as PutChange
from casemate.words import say

__all__ = ["FILE", "FILES", "NAME", "OUTPUT", "PURPOSES", "File", "content", "keep", "mine", "own", "remove"]

PURPOSES = ("assistants", "batch", "user_data")
OUTPUT = "batch_output"
NAME = 255
FILES = 1000
"""Files that one principal may have at one label."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file. `size` in bytes, `at` in microseconds; `blob` names its bytes in its own class."""

    owner: str
    name: str
    purpose: str
    size: int
    blob: str
    at: int


def _bytes(file: File) -> tuple[str, ...]:
    return (file.blob,)


def _given_back(id: str, file: File) -> tuple[tuple[str, str], ...]:
    """What a batch gave back bears the batch's name."""
    del id
    return (("batch", file.name.rpartition("_")[0]),) if file.purpose == OUTPUT else ()


FILE = Kind("file", File, indexed=("owner",), blobs=_bytes, sources=_given_back)


async def keep(flow: Flow, name: str, purpose: str, data: bytes) -> tuple[str, File]:
    """Keep bytes at the acting label: the new id and what is known of them. Raises BadInput."""
    language = flow.session.language
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    if not name.isprintable() or not 0 < len(name) <= NAME:
        raise BadInput(what=say("files.name", language, most=NAME))
    if purpose not in PURPOSES:
        raise BadInput(what=say("files.purpose", language))
    have = [found for found in await mine(flow) if found.ref.class_id == flow.access.id]
    if len(have) >= FILES:
        raise BadInput(what=say("files.many", language, most=FILES))
    file = File(
        owner=flow.session.principal.id,
        name=name,
        purpose=purpose,
        size=len(data),
        blob=await flow.pour(data),
        at=flow.gate.vault.clock.now(),
    )
    id = fresh_id(flow)
    await flow.commit(PutChange(FILE, id, file, expect=0), facts={"bytes": file.size, "purpose": purpose})
    return id, file


def fresh_id(flow: Flow) -> str:
    """An unguessable id, as clients of files expect it to look."""
    return "file-" + short(flow.gate.vault.entropy.draw(f"file/{flow.access.id}/{flow.session.id}"))


async def mine(flow: Flow) -> list[Found[File]]:
    """The caller's own files in the visible world, oldest first."""
    found = await flow.every(FILE, Where((("owner", flow.session.principal.id),)))
    return sorted(found, key=lambda one: (one.value.at, one.id))


async def own(flow: Flow, id: str) -> Found[File]:
    """A file of the caller's. Somebody else's is as absent as one that never was."""
    for found in await flow.read_each(FILE, id):
        if found.value.owner == flow.session.principal.id:
            return found
    return await flow.absent(FILE, id)


async def content(flow: Flow, found: Found[File]) -> bytes:
    """Its bytes. Raises Damaged."""
    flow.use(found.ref)
    return await flow.blob(found.ref.class_id, found.value.blob)


async def remove(flow: Flow, id: str) -> None:
    """Remove a file of the caller's. Raises Refused (`no-write-down`) where it lies below the acting label."""
    found = await own(flow, id)
    await flow.commit(Delete(FILE, found.id, expect=found.version), at=found.label)
