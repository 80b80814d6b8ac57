"""Another embedder for a base, while it is being asked.

What a base is told lies at a label, and rules the classes that see it. Class by class, segment by segment, the passages
whose vectors another embedder has made get those of the one that rules there; questions meanwhile ask each segment with
a vector of the embedder that made it. Every segment is one fenced commit, so a process that dies goes on where it was.
"""

from __future__ import annotations

from casemate.access import Flow, Gate, Idle
from casemate.knowledge.base import BASE
from casemate.knowledge.bases import wanted
from casemate.knowledge.documents.document import SEGMENT, Segment
from casemate.knowledge.embedders import Embedders, vectors
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.lanes import InLanes
from casemate.knowledge.segments import rewrite
from casemate.labels import AccessClass
from casemate.objects import Found

__all__ = ["Reembed"]


class Reembed(InLanes):
    """The loop: how many segments were made anew."""

    name = "knowledge.reembed"
    every = 5.0

    def __init__(self, gate: Gate, embedders: Embedders, patience: float | None = 0.5) -> None:
        super().__init__(gate, patience)
        self._embedders = embedders
        self._idle = Idle(BASE, SEGMENT)

    async def _class(self, access: AccessClass) -> int:
        flow = await self._flow(access)
        tide = await self._idle.turned(flow)
        if tide is None:
            return 0
        done = 0
        records = await flow.every(BASE)
        for base, several in (await rewrite.own(flow)).items():
            name = wanted(records, base, access.label, self._embedders)
            for found in several:
                if found.value.embedder != name:
                    await self._segment(flow, base, found, name)
                    done += 1
        if not done:
            self._idle.rest(flow, tide)
        return done

    async def _segment(self, flow: Flow, base: str, found: Found[Segment], name: str) -> None:
        version = await rewrite.fence(flow, base)
        shard = await rewrite.load(flow, found)
        chosen = shard.passages()
        embedder = self._embedders.named(name, flow.acting) if name else None
        made = await vectors(embedder, [passage.indexed for passage in chosen], flow)
        whole: Shard = await flow.beside(build, shard.label, chosen, made, shard.filed, name, base)
        await rewrite.rewrite(flow, base, version, [found], [whole], facts={"reembedded": len(chosen)})
