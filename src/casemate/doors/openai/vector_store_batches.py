"""Batches of files into a vector store: begin, look up, cancel, list its files. Each file is read for itself.

What a batch tells is looked up in the base each time. Cancelling takes back what has not been read yet.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import Body, given, looked_at, read
from casemate.doors.openai.vector_store_files import FILES, attach_all, chunked, described, listed, status
from casemate.errors import BadInput
from casemate.models import shelf_batch
from casemate.models.shelf import Attribute, FileSeen, Shelf
from casemate.models.shelf_batch import FileBatch
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]


class One(msgspec.Struct):
    """A file with what is said of it."""

    file_id: str
    attributes: dict[str, Any] | None = None
    chunking_strategy: dict[str, Any] | None = None


class New(msgspec.Struct, kw_only=True):
    """Either ids, with what is said of all of them, or files, each with its own."""

    file_ids: list[str] | None = None
    files: list[One] | None = None
    attributes: dict[str, Any] | None = None
    chunking_strategy: dict[str, Any] | None = None


def routes(plane: str, shelf: Shelf) -> list[Route]:
    """The operations on batches of files."""
    batches, every = _Batches(shelf), "/v1/vector_stores/{id}/file_batches"
    one, fill, read = every + "/{batch}", Action("fill", "knowledge"), Action("read", "knowledge")
    return [
        Route("POST", every, plane, fill, batches.begin, takes=Body, texts=looked_at),
        Route("GET", one, plane, read, batches.one),
        Route("POST", f"{one}/cancel", plane, fill, batches.cancel),
        Route("GET", f"{one}/files", plane, read, batches.files),
    ]


class _Batches:
    """The handlers."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def begin(self, call: Call) -> Reply:
        base = call.path["id"][:200]
        files = _files(call)
        brought = await attach_all(self._shelf, call.flow, base, files)
        id, batch = await shelf_batch.begin(call.flow, base, tuple(file.id for file in brought))
        facts = {"base": base, "batch": id, "files": len(brought)}
        return Reply(msgspec.json.encode(_shown(id, batch, [(file, status(file)) for file in brought])), facts=facts)

    async def one(self, call: Call) -> Reply:
        base, id = _named(call)
        batch = (await shelf_batch.read(call.flow, base, id)).value
        return Reply(msgspec.json.encode(_shown(id, batch, await self._states(call, batch))))

    async def files(self, call: Call) -> Reply:
        base, id = _named(call)
        batch = (await shelf_batch.read(call.flow, base, id)).value
        return listed(call, await self._states(call, batch))

    async def cancel(self, call: Call) -> Reply:
        """What has been read stays. 403 where the batch lies below the acting label."""
        base, id = _named(call)
        batch = await shelf_batch.cancel(call.flow, self._shelf, await shelf_batch.read(call.flow, base, id))
        return Reply(msgspec.json.encode(_shown(id, batch, await self._states(call, batch))), facts={"batch": id})

    async def _states(self, call: Call, batch: FileBatch) -> list[tuple[FileSeen, str]]:
        """Its files that are in the base still, and those that were called off."""
        there = await shelf_batch.there(call.flow, self._shelf, batch.base)
        found = [(file, status(file)) for file in shelf_batch.seen(batch, there)]
        return [*found, *((file, "cancelled") for file in batch.cancelled)]


def _files(call: Call) -> list[tuple[str, dict[str, Attribute]]]:
    """What is to be brought, with its attributes. Raises BadInput."""
    language = call.flow.session.language
    request = read(New, call.body, language)
    for name in given(call.body, New.__struct_fields__):
        raise refuse(name, language)
    chunked(request.chunking_strategy, language)
    alike = described(request.attributes, language)
    found = {id[:200]: alike for id in request.file_ids or ()}
    for one in request.files or ():
        chunked(one.chunking_strategy, language)
        found[one.file_id[:200]] = described(one.attributes, language)
    if (request.files is None) == (request.file_ids is None) or not 0 < len(found) <= FILES:
        raise BadInput(what=say("openai.file_ids", language, most=FILES))
    return list(found.items())


def _shown(id: str, batch: FileBatch, files: list[tuple[FileSeen, str]]) -> dict[str, Any]:
    counts = Counter(state for _, state in files)
    state = "in_progress" if counts["in_progress"] else "cancelled" if batch.off else "completed"
    told = {name: counts[name] for name in ("in_progress", "completed", "failed", "cancelled")}
    return {
        "id": id,
        "object": "vector_store.files_batch",
        "created_at": batch.at // SECOND,
        "vector_store_id": batch.base,
        "status": state,
        "file_counts": told | {"total": len(files)},
    }


def _named(call: Call) -> tuple[str, str]:
    return call.path["id"][:200], call.path["batch"][:200]
