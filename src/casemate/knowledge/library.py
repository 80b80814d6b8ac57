"""The shards of the visible world, kept in memory one access class at a time, and the questions that are put to them.

A cache is asked with a flow: what it gives are the segments that the flow's acting label sees. Inside a class the
segments of a base are merged, which changes no byte of any result.

Each label domain has a cache of its own, filled by its own requests alone: whether a question finds a shard in memory
must not tell that somebody above has asked one. Domains that hold the same shard share its memory, not its loading.
A domain is let go when it has long asked nothing, never because others are many: that could be noticed too.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakValueDictionary

from casemate.access import Flow
from casemate.clock import SECOND
from casemate.errors import UnknownKnowledge
from casemate.knowledge.analyse import terms
from casemate.knowledge.document import SEGMENT, Segment
from casemate.knowledge.search import Asked, Results
from casemate.knowledge.shard import Shard, decode, merge
from casemate.labels import Label
from casemate.objects import Found, Where

__all__ = ["ALL", "QUESTION", "Embedder", "Library"]

ALL = "all"
SHARDS_KEPT = 256  # in a domain
IDLE = 900 * SECOND
QUESTION = 8192  # characters of a question that are searched with; a prompt may be longer


class Embedder(Protocol):
    """Texts to integer vectors, each a function of its text alone. `name` is "" where there is none."""

    @property
    def name(self) -> str: ...

    async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
        """`domain`, the id of an access class, is whose turn it takes where one engine serves them all."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    segments: tuple[str, ...]
    shard: Shard


Place = tuple[str, str, str]  # (access class, base, what bears it)


@dataclass(slots=True)
class _Domain:
    """`used`: when it last asked (microseconds)."""

    used: int
    held: OrderedDict[Place, _Held] = field(default_factory=OrderedDict)


class Library:
    """One per answer process. Holds nothing that the store does not hold."""

    def __init__(self, embedder: Embedder | None) -> None:
        self.embedder = embedder
        self._domains: OrderedDict[str, _Domain] = OrderedDict()
        self._shared: WeakValueDictionary[tuple[Place, tuple[str, ...]], Shard] = WeakValueDictionary()

    async def bases(self, flow: Flow) -> list[str]:
        """The knowledge bases in which something is visible, by name."""
        return sorted({found.value.base for found in await flow.every(SEGMENT)})

    async def labels(self, flow: Flow, names: tuple[str, ...]) -> set[Label]:
        """The labels at which something of these bases is visible."""
        wheres = [None if name == ALL else Where((("base", name),)) for name in dict.fromkeys(names)]
        return {found.label for where in wheres for found in await flow.every(SEGMENT, where)}

    async def check(self, flow: Flow, names: tuple[str, ...]) -> None:
        """Raises UnknownKnowledge for a base in which nothing is visible: hidden and never-existing alike."""
        if names == (ALL,):
            return
        known = await self.bases(flow)
        for name in names:
            if name not in known:
                raise UnknownKnowledge(name=name[:200])

    async def ask(self, flow: Flow, question: str) -> Asked:
        """The beginning of the question made ready: its terms and, where there is an embedder, its vector."""
        question, vector = question[:QUESTION], None
        if self.embedder is not None and question.strip():
            [vector] = await self.embedder.embed([question], flow.gate.classes.of(flow.domain).id)
        return Asked(terms(question), vector)

    async def search(self, flow: Flow, asked: Asked, names: tuple[str, ...], k: int) -> Results:
        """The best k passages of the world at the flow's acting label."""
        return asked.search(await self.shards(flow, names), k)

    async def shards(self, flow: Flow, names: tuple[str, ...]) -> list[Shard]:
        """The visible shards of these bases, one per class and base."""
        found: list[Found[Segment]] = []
        for name in dict.fromkeys(names):
            found.extend(await flow.every(SEGMENT, None if name == ALL else Where((("base", name),))))
        groups: dict[Place, list[Found[Segment]]] = {}
        for item in found:
            groups.setdefault((item.ref.class_id, item.value.base, item.label.text), []).append(item)
        return [await self._shard(flow, place, groups[place]) for place in sorted(groups)]

    async def _shard(self, flow: Flow, place: Place, found: list[Found[Segment]]) -> Shard:
        segments = tuple(item.value.blob for item in found)
        cache = self._cache(flow)
        held = cache.get(place)
        if held is None or held.segments != segments:
            raws = [await flow.blob(place[0], blob) for blob in segments]
            shard = await flow.beside(_merged, raws, found)
            held = cache[place] = _Held(segments, self._shared.setdefault((place, segments), shard))
        cache.move_to_end(place)
        while len(cache) > SHARDS_KEPT:
            cache.popitem(last=False)
        return held.shard

    def _cache(self, flow: Flow) -> OrderedDict[Place, _Held]:
        """The cache of the request's label domain; the least lately used domains stand first."""
        now = flow.gate.vault.clock.now()
        while self._domains and now - next(iter(self._domains.values())).used > IDLE:
            self._domains.popitem(last=False)
        domain = self._domains.setdefault(flow.domain.text, _Domain(now))
        domain.used = now
        self._domains.move_to_end(flow.domain.text)
        return domain.held


def _merged(raws: list[bytes], found: list[Found[Segment]]) -> Shard:
    label = found[0].label
    shards = [decode(raw, label) for raw in raws]
    return shards[0] if len(shards) == 1 else merge(shards)
