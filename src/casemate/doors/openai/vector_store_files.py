"""Files in a vector store: attach, list, look up, describe, read, detach. They are read in the background.

A file of `/v1/files` is brought into the base at the acting label, under its own id. Marks in it are read; one without
any takes the acting label, since nobody can be asked here. Passages are made by a text's structure, never across a
portion: a chunking strategy is checked and has no other effect, and each answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import Body, given, looked_at, read
from casemate.doors.openai.pages import page
from casemate.errors import BadInput
from casemate.models import within
from casemate.models.files import own
from casemate.models.shelf import Attribute, FileSeen, Shelf
from casemate.policy import Action
from casemate.words import say

__all__ = ["FILES", "STATES", "attach_all", "chunked", "described", "listed", "routes", "seen", "status"]

FILES = 500
"""Files that one request may bring into a store."""
PAGE, MOST = 20, 100
STATES = {"waiting": "in_progress", "unmarked": "in_progress", "ready": "completed", "quarantined": "failed"}
_SHOWN = ("in_progress", "completed", "failed", "cancelled")
_UNREADABLE = frozenset({"unreadable", "damaged"})
_DEFECT = frozenset({"defect"})
_PAIRS, _KEY, _VALUE = 16, 64, 512
_LEAST, _TOKENS = 100, 4096


class New(msgspec.Struct):
    """What is attached, and with what."""

    file_id: str
    attributes: dict[str, Any] | None = None
    chunking_strategy: dict[str, Any] | None = None


class Described(msgspec.Struct):
    """Other attributes, none for null."""

    attributes: dict[str, Any] | None


class Static(msgspec.Struct):
    """A chunking of fixed size."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


def routes(plane: str, shelf: Shelf) -> list[Route]:
    """The operations on the files of a store."""
    files, every = _Files(shelf), "/v1/vector_stores/{id}/files"
    one, read = every + "/{file}", Action("read", "knowledge")
    fill, drop = Action("fill", "knowledge"), Action("empty", "knowledge")
    return [
        Route("POST", every, plane, fill, files.attach, takes=Body, texts=looked_at),
        Route("GET", every, plane, read, files.list),
        Route("GET", one, plane, read, files.one),
        Route("POST", one, plane, fill, files.describe, takes=Body, texts=looked_at),
        Route("DELETE", one, plane, drop, files.detach),
        Route("GET", f"{one}/content", plane, read, files.content),
    ]


class _Files:
    """The handlers."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def attach(self, call: Call) -> Reply:
        language = call.flow.session.language
        request = _fits(New, call, language)
        chunked(request.chunking_strategy, language)
        attributes = described(request.attributes, language)
        base = call.path["id"][:200]
        [file] = await attach_all(self._shelf, call.flow, base, [(request.file_id[:200], attributes)])
        return Reply(msgspec.json.encode(seen(file)), facts={"base": base, "file": file.id})

    async def list(self, call: Call) -> Reply:
        files = await self._shelf.files(call.flow, call.path["id"][:200])
        return listed(call, [(file, status(file)) for file in files])

    async def one(self, call: Call) -> Reply:
        return Reply(msgspec.json.encode(seen(await self._shelf.file(call.flow, *_named(call)))))

    async def describe(self, call: Call) -> Reply:
        language = call.flow.session.language
        attributes = described(_fits(Described, call, language).attributes, language)
        base, id = _named(call)
        file = await self._shelf.describe(call.flow, base, id, attributes)
        return Reply(msgspec.json.encode(seen(file)), facts={"base": base, "file": id})

    async def detach(self, call: Call) -> Reply:
        base, id = _named(call)
        await self._shelf.detach(call.flow, base, id)
        told = {"id": id, "object": "vector_store.file.deleted", "deleted": True}
        return Reply(msgspec.json.encode(told), facts={"base": base, "file": id})

    async def content(self, call: Call) -> Reply:
        """Its visible passages, in their order."""
        base, id = _named(call)
        file = await self._shelf.file(call.flow, base, id)
        texts = await self._shelf.content(call.flow, base, id)
        told = {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": text} for text in texts],
            "has_more": False,
            "next_page": None,
            "file_id": file.id,
            "filename": file.name,
            "attributes": file.attributes,
        }
        return Reply(msgspec.json.encode(told))


async def attach_all(
    shelf: Shelf, flow: Flow, base: str, files: Sequence[tuple[str, dict[str, Attribute]]]
) -> list[FileSeen]:
    """Bring these files of the caller's into a base, or none where one of them or the base is not there."""
    await shelf.base(flow, base)
    for id, _ in files:
        await own(flow, id)
    return [await shelf.attach(flow, base, id, attributes) for id, attributes in files]


def listed(call: Call, files: Sequence[tuple[FileSeen, str]]) -> Reply:
    """A page of files with the state that each is in; `filter` chooses one. Raises BadInput."""
    wanted = call.query.get("filter", "")
    if wanted not in ("", *_SHOWN):
        raise BadInput(what=say("openai.filter_state", call.flow.session.language, names=", ".join(_SHOWN)))
    ordered = sorted(files, key=lambda one: (one[0].at, one[0].id))
    found = [(file.id, seen(file, state)) for file, state in ordered if wanted in ("", state)]
    return page(call, found, PAGE, MOST)


def status(file: FileSeen) -> str:
    """Its state as clients know it. One that waits for somebody to state its label is not done."""
    return STATES[file.state]


def seen(file: FileSeen, state: str = "") -> dict[str, Any]:
    """A file in a store as clients know it, and its label beside it."""
    return {
        "id": file.id,
        "object": "vector_store.file",
        "created_at": file.at // SECOND,
        "usage_bytes": file.bytes,
        "vector_store_id": file.base,
        "status": state or status(file),
        "last_error": {"code": _code(file.slug), "message": file.reason} if file.state == "quarantined" else None,
        "attributes": file.attributes,
        "chunking_strategy": {"type": "other", "passages": "structure"},
        "label": file.label,
    }


def described(raw: dict[str, Any] | None, language: str) -> dict[str, Attribute]:
    """Attributes: texts, numbers and truth values. Raises BadInput."""
    found: dict[str, Attribute] = {}
    for key, value in (raw or {}).items():
        kept = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        long = isinstance(kept, str) and len(kept) > _VALUE
        if not 0 < len(key) <= _KEY or long or not isinstance(kept, str | float | bool):
            raise BadInput(what=say("openai.attributes", language, pairs=_PAIRS, key=_KEY, value=_VALUE))
        found[key] = kept
    if len(found) > _PAIRS:
        raise BadInput(what=say("openai.attributes", language, pairs=_PAIRS, key=_KEY, value=_VALUE))
    return found


def chunked(raw: dict[str, Any] | None, language: str) -> None:
    """Raises BadInput for a chunking strategy that is none of this protocol's."""
    if raw is None or raw == {"type": "auto"}:
        return
    if raw.get("type") != "static" or not isinstance(raw.get("static"), dict):
        raise BadInput(what=say("openai.chunking", language))
    static = read(Static, raw["static"], language)
    within("max_chunk_size_tokens", static.max_chunk_size_tokens, _LEAST, _TOKENS, language)
    within("chunk_overlap_tokens", static.chunk_overlap_tokens, 0, static.max_chunk_size_tokens // 2, language)


def _code(slug: str) -> str:
    return "server_error" if slug in _DEFECT else "unsupported_file" if slug in _UNREADABLE else "invalid_file"


def _named(call: Call) -> tuple[str, str]:
    return call.path["id"][:200], call.path["file"][:200]


def _fits(kind: type[Any], call: Call, language: str) -> Any:
    request = read(kind, call.body, language)
    for name in given(call.body, kind.__struct_fields__):
        raise refuse(name, language)
    return request
