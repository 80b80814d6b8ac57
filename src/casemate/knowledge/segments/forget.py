"""What was removed is taken out of rows and shards, class by class; no answer changes by it.

    removals visible at a class -> its rows of those documents, the segments that hold them -> one fenced commit a base

From the removal on nothing shows the document any more (`gone`): this is what frees its place and takes its words off
the disk's live rows. Blobs that nothing names any longer stay sealed where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casemate.access import Flow, Gate, Idle
from casemate.knowledge.documents.described import DESCRIBED
from casemate.knowledge.documents.document import DOCUMENT, PART
from casemate.knowledge.documents.gone import GONE, Gone, gone
from casemate.knowledge.index.make import without
from casemate.knowledge.lanes import InLanes
from casemate.knowledge.segments import rewrite
from casemate.labels import AccessClass
from casemate.objects import Delete, Found

__all__ = ["Forget"]


class Forget(InLanes):
    """The loop: how many documents were taken out of a class."""

    name = "knowledge.forget"
    every = 2.0

    def __init__(self, gate: Gate, patience: float | None = 0.5) -> None:
        super().__init__(gate, patience)
        self._idle = Idle(GONE, PART, DOCUMENT)

    async def _class(self, access: AccessClass) -> int:
        flow = await self._flow(access)
        tide = await self._idle.turned(flow)
        if tide is None:
            return 0
        done = 0
        for base, rows in (await _ruled(flow, await gone(flow))).items():
            await _take_out(flow, base, rows)
            done += len({row.id for row in rows})
        self._idle.rest(flow, tide)
        return done


async def _ruled(flow: Flow, removed: Gone) -> dict[str, list[Found[Any]]]:
    """The rows of this very class that a removal rules, by base."""
    rows: dict[str, list[Found[Any]]] = {}
    if not removed:
        return rows
    parts: list[Found[Any]] = [
        each for each in await flow.every(PART) if removed.rules(each.id, each.label, each.value.by)
    ]
    wholes: list[Found[Any]] = [
        each for each in await flow.every(DOCUMENT) if removed.rules(each.id, each.label, each.value.added_by)
    ]
    for row in parts + wholes:
        if row.ref.class_id == flow.access.id:
            rows.setdefault(row.value.base, []).append(row)
    return rows


async def _take_out(flow: Flow, base: str, rows: Sequence[Found[Any]]) -> None:
    version = await rewrite.fence(flow, base)
    ids = {row.id for row in rows}
    old, new = [], []
    for found in (await rewrite.own(flow)).get(base, []):
        shard = await rewrite.load(flow, found)
        if ids & {filed.document for filed in shard.filed}:
            old.append(found)
            new.append(await flow.beside(without, shard, ids))
    kinds: Mapping[str, Any] = {PART.name: PART, DOCUMENT.name: DOCUMENT}
    deletes = [Delete(kinds[row.ref.kind], row.id, expect=row.version) for row in rows]
    said = [each.id for id in sorted(ids) for each in await flow.read_each(DESCRIBED, id) if _own(flow, each)]
    deletes += [Delete(DESCRIBED, id) for id in said]
    await rewrite.rewrite(flow, base, version, old, new, *deletes, facts={"forgotten": len(ids)})


def _own(flow: Flow, found: Found[Any]) -> bool:
    return found.ref.class_id == flow.access.id
