"""Vector stores: make, list, look up, change, remove. A store is a knowledge base whose name is its id.

Every base of the visible world is listed, whoever made it and by whichever door; only whoever made one changes or
removes it. Embedder and granularity are the region's to say: this protocol has no words for them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.openai.asked import refuse
from casemate.doors.openai.brought import Body, given, looked_at, read
from casemate.doors.openai.pages import page
from casemate.doors.openai.vector_store_files import FILES, attach_all, chunked
from casemate.errors import BadInput
from casemate.models import within
from casemate.models.shelf import BaseSeen, NewBase, Shelf
from casemate.policy import Action
from casemate.words import say

__all__ = ["expired", "routes", "shown"]

PAGE, MOST = 20, 100
TITLE = 200
DAY = 24 * 3600
DAYS = 365
_PAIRS, _KEY, _VALUE = 16, 64, 512


class Expiry(msgspec.Struct):
    """When its files are let go."""

    anchor: str
    days: int


class Changed(msgspec.Struct, kw_only=True):
    """What may be changed."""

    name: str | None = None
    expires_after: Expiry | None = None
    metadata: dict[str, str] | None = None


class New(Changed, kw_only=True):
    """The whole of a new one."""

    file_ids: list[str] | None = None
    chunking_strategy: dict[str, Any] | None = None


def routes(plane: str, shelf: Shelf) -> list[Route]:
    """The operations on stores themselves."""
    stores, one = _Stores(shelf), "/v1/vector_stores/{id}"
    add, change = Action("add", "knowledge"), Action("change", "knowledge")
    return [
        Route("POST", "/v1/vector_stores", plane, add, stores.make, takes=Body, texts=looked_at),
        Route("GET", "/v1/vector_stores", plane, Action("list", "knowledge"), stores.list),
        Route("GET", one, plane, Action("read", "knowledge"), stores.one),
        Route("POST", one, plane, change, stores.change, takes=Body, texts=looked_at),
        Route("DELETE", one, plane, Action("remove", "knowledge"), stores.remove),
    ]


class _Stores:
    """The handlers."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def make(self, call: Call) -> Reply:
        """A store, with its first files where some are named."""
        language = call.flow.session.language
        request = _read(New, call, language)
        chunked(request.chunking_strategy, language)
        files = tuple(dict.fromkeys(request.file_ids or ()))
        if len(files) > FILES:
            raise BadInput(what=say("openai.file_ids", language, most=FILES))
        new = _new(request, call.body, language)
        base = await self._shelf.make(call.flow, new)
        if files:
            await attach_all(self._shelf, call.flow, base.name, [(id, {}) for id in files])
            base = await self._shelf.base(call.flow, base.name)
        return Reply(msgspec.json.encode(shown(call, base)), facts={"base": base.name, "files": len(files)})

    async def list(self, call: Call) -> Reply:
        found = sorted(await self._shelf.bases(call.flow), key=lambda base: (base.at, base.name))
        return page(call, [(base.name, shown(call, base)) for base in found], PAGE, MOST)

    async def one(self, call: Call) -> Reply:
        return Reply(msgspec.json.encode(shown(call, await self._shelf.base(call.flow, call.path["id"][:200]))))

    async def change(self, call: Call) -> Reply:
        """Only what is named; `null` takes the expiry and the metadata away."""
        language = call.flow.session.language
        new = _new(_read(Changed, call, language), call.body, language)
        base = await self._shelf.change(call.flow, call.path["id"][:200], new)
        return Reply(msgspec.json.encode(shown(call, base)), facts={"base": base.name})

    async def remove(self, call: Call) -> Reply:
        id = call.path["id"][:200]
        await self._shelf.remove(call.flow, id)
        told = {"id": id, "object": "vector_store.deleted", "deleted": True}
        return Reply(msgspec.json.encode(told), facts={"base": id})


def expired(call: Call, base: BaseSeen) -> bool:
    """Whether its time without use is over."""
    return 0 < _expires(base) <= call.gate.vault.clock.now()


def shown(call: Call, base: BaseSeen) -> dict[str, Any]:
    """A store as clients know it, and its label beside it. Counts are of what is visible."""
    state = "expired" if expired(call, base) else "in_progress" if base.waiting else "completed"
    expires = {"anchor": "last_active_at", "days": base.expires_after // DAY}
    return {
        "id": base.name,
        "object": "vector_store",
        "created_at": base.at // SECOND,
        "name": base.title,
        "usage_bytes": base.bytes,
        "file_counts": {
            "in_progress": base.waiting,
            "completed": base.documents,
            "failed": base.quarantined,
            "cancelled": 0,
            "total": base.waiting + base.documents + base.quarantined,
        },
        "status": state,
        "expires_after": expires if base.expires_after else None,
        "expires_at": _expires(base) // SECOND or None,
        "last_active_at": max(base.used, base.at) // SECOND,
        "metadata": base.metadata,
        "label": base.label,
    }


def _expires(base: BaseSeen) -> int:
    """In microseconds; 0 where it never does."""
    return max(base.used, base.at) + base.expires_after * SECOND if base.expires_after else 0


def _read(kind: type[Changed], call: Call, language: str) -> Any:
    request = read(kind, call.body, language)
    for name in given(call.body, kind.__struct_fields__):
        raise refuse(name, language)
    return request


def _new(request: Changed, body: Body, language: str) -> NewBase:
    """What is asked for. Raises BadInput."""
    within("name", len(request.name or ""), 0, TITLE, language)
    metadata = request.metadata if request.metadata is not None or "metadata" not in body else {}
    fits = all(len(key) <= _KEY and len(value) <= _VALUE for key, value in (metadata or {}).items())
    if len(metadata or {}) > _PAIRS or not fits:
        raise BadInput(what=say("openai.metadata", language, pairs=_PAIRS, key=_KEY, value=_VALUE))
    return NewBase(title=request.name, metadata=metadata, expires_after=_seconds(request, body, language))


def _seconds(request: Changed, body: Body, language: str) -> int | None:
    if request.expires_after is None:
        return 0 if "expires_after" in body else None
    if request.expires_after.anchor != "last_active_at":
        raise BadInput(what=say("openai.anchor", language))
    within("expires_after.days", request.expires_after.days, 1, DAYS, language)
    return request.expires_after.days * DAY
