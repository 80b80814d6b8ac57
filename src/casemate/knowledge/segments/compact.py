"""Merging the many small segments of a base into fewer larger ones; no result changes by it.

By tiers: a segment's tier is the power of eight below its size, and a tier that holds more than eight is merged into
one of the next. So a passage is written again about as often as the logarithm of the whole says, never each time.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access import Flow, Gate
from casemate.knowledge.documents.document import Segment
from casemate.knowledge.index.make import merge
from casemate.knowledge.lanes import InLanes
from casemate.knowledge.segments import rewrite
from casemate.labels import AccessClass
from casemate.objects import Found

__all__ = ["SEGMENTS", "Compact", "tiers"]

SEGMENTS = 8
AT_ONCE = 64


def tiers(found: Iterable[Found[Segment]]) -> list[list[Found[Segment]]]:
    """The segments of one base by embedder and tier: those of one tier may be merged."""
    several: dict[tuple[str, int], list[Found[Segment]]] = {}
    for each in found:
        tier = (each.value.passages.bit_length() - 1) // 3
        several.setdefault((each.value.embedder, tier), []).append(each)
    return [several[key] for key in sorted(several)]


class Compact(InLanes):
    """The loop: how many merges there were."""

    name = "knowledge.compact"
    every = 5.0

    def __init__(self, gate: Gate, patience: float | None = None) -> None:
        super().__init__(gate, patience)

    async def _class(self, access: AccessClass) -> int:
        flow = await self._flow(access)
        return sum([await self._base(flow, base) for base in await rewrite.own(flow)])

    async def _base(self, flow: Flow, base: str) -> int:
        version = await rewrite.fence(flow, base)
        found = (await rewrite.own(flow)).get(base, [])
        for tier in tiers(found):
            if len(tier) > SEGMENTS:
                chosen = tier[:AT_ONCE]
                shards = [await rewrite.load(flow, each) for each in chosen]
                whole = await flow.beside(merge, shards)
                await rewrite.rewrite(flow, base, version, chosen, [whole], facts={"merged": len(chosen)})
                return 1
        return 0
