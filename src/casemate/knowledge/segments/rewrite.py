"""The one way in which segments are rewritten: what is new and what it takes the place of, in one commit, fenced.

A base has one writer in each access class: whoever begins reads the version of its fence, and his commit expects to
find it unchanged and puts the next. A writer that was overtaken gets Conflict, and nothing of his lands. What is new is
poured before, so that a process that dies in between leaves a blob that nobody names, and nothing else. Ingest only
adds segments, each under a name of its own, and needs no fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.ids import fresh
from casemate.knowledge.documents.document import SEGMENT, Segment
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.objects import Change, Delete, Found, Kind, Put

__all__ = ["FENCE", "Fence", "fence", "load", "own", "rewrite"]


class Fence(msgspec.Struct, frozen=True):
    """The last writer of a base in a class."""

    token: str


FENCE = Kind("segment.fence", Fence)


async def own(flow: Flow) -> dict[str, list[Found[Segment]]]:
    """The segments that lie exactly at the flow's label, by base, oldest first."""
    bases: dict[str, list[Found[Segment]]] = {}
    for found in await flow.every(SEGMENT):
        if found.ref.class_id == flow.access.id:
            bases.setdefault(found.value.base, []).append(found)
    return bases


async def fence(flow: Flow, base: str) -> int:
    """The version of the fence, to be read before anything that is to be rewritten; 0 where nobody ever wrote."""
    here = [found.version for found in await flow.read_each(FENCE, base) if found.ref.class_id == flow.access.id]
    return here[0] if here else 0


async def load(flow: Flow, found: Found[Segment]) -> Shard:
    """A segment's shard. Raises Absent, Damaged."""
    segment = found.value
    raw = await flow.blob(found.ref.class_id, segment.blob)
    vectors = await flow.blob(found.ref.class_id, segment.vectors) if segment.vectors else b""
    return await flow.beside(decode, raw, vectors, found.label, segment.base)


async def rewrite(
    flow: Flow,
    base: str,
    version: int,
    old: Sequence[Found[Segment]],
    shards: Sequence[Shard],
    *changes: Change,
    facts: dict[str, Any] | None = None,
) -> None:
    """Let these shards take the place of those segments. Raises Conflict where somebody else has written meanwhile."""
    made = [pair for shard in shards if shard.count for pair in [await _poured(flow, base, shard)]]
    kept = {id for id, _ in made} & {each.id for each in old}
    puts = [Put(SEGMENT, id, segment) for id, segment in made if id not in kept]
    deletes = [Delete(SEGMENT, each.id, expect=each.version) for each in old if each.id not in kept]
    token = fresh("fnc", flow.gate.vault.entropy, f"fence/{flow.access.id}")
    await flow.commit(Put(FENCE, base, Fence(token), expect=version), *puts, *deletes, *changes, facts=facts or {})


async def _poured(flow: Flow, base: str, shard: Shard) -> tuple[str, Segment]:
    raw, vectors = await flow.beside(encode, shard)
    blob = await flow.pour(raw)
    return f"seg_{blob[:32]}", Segment(
        base, blob, shard.count, vectors=await flow.pour(vectors) if vectors else "", embedder=shard.embedder
    )
