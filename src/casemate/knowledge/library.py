"""The shards of the visible world, kept in memory one segment at a time, and the questions that are put to them.

A cache is asked with a flow: what it gives are the segments that the flow's acting label sees, without the documents
that are gone there. A base's segments of one class stay apart in memory; how they are cut changes no byte of a result.

Each label domain has a cache of its own, filled by its own requests alone: whether a question finds a shard in memory
must not tell that somebody above has asked one. Domains that hold the same shard share its memory, not its loading.
A domain is let go when it has long asked nothing, never because others are many: that could be noticed too.

Blobs are opened into memory that is locked where the system allows it, and into no other. How much of it a domain holds
is bounded, and counted from what the domain itself holds: it fills nobody else's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from msgspec import structs

from casemate.access import FROZEN, Flow, Tide
from casemate.clock import SECOND
from casemate.crypto import Arena
from casemate.errors import Unavailable, UnknownKnowledge
from casemate.knowledge.documents.described import DESCRIBED, Attribute, described
from casemate.knowledge.documents.document import SEGMENT, Segment
from casemate.knowledge.documents.gone import GONE, gone
from casemate.knowledge.embedders import Embedder, Embedders, vectors
from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.make import without
from casemate.knowledge.index.search import Asked, Mask, Method, Results
from casemate.knowledge.index.shard import Shard, decode
from casemate.knowledge.index.view import View
from casemate.labels import Label
from casemate.objects import Found, Ref

__all__ = ["ALL", "QUESTION", "Library"]

ALL = "all"
KEPT = 4 << 30  # bytes of shards in a domain, unless the settings say otherwise
VIEWS_KEPT = 32  # in a domain: one for each acting label and choice of bases
IDLE = 900 * SECOND
QUESTION = 8192  # characters of a question that are searched with; a prompt may be longer

Place = tuple[str, str, str, str]  # (access class, base, what bears it, segment)
Bases = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The segments that one acting label sees, as long as the tide stands where it stood.

    By label: the documents that are `gone` there, the bases that they were in (`thinned`), what was `said` of others.
    """

    tide: Tide
    refs: frozenset[Ref]
    segments: tuple[Found[Segment], ...]
    gone: dict[Label, frozenset[str]]
    thinned: dict[Label, frozenset[str]]
    said: dict[Label, Mapping[str, dict[str, Attribute]]]


@dataclass(frozen=True, slots=True)
class _Held:
    """A segment as it was read, its bytes, and what is left of it without the documents that are gone."""

    size: int
    read: Shard
    gone: frozenset[str]
    left: Shard


@dataclass(slots=True)
class _Domain:
    """`used`: when it last asked (microseconds). `seen` by acting label, `views` by acting label and bases.

    `memory` is its own: to lock what another has opened takes long.
    """

    used: int
    held: OrderedDict[Place, _Held] = field(default_factory=OrderedDict)
    seen: OrderedDict[str, _Seen] = field(default_factory=OrderedDict)
    views: OrderedDict[tuple[str, Bases], tuple[_Seen, View]] = field(default_factory=OrderedDict)
    memory: Arena = field(default_factory=lambda: Arena(1 << 46))  # what bounds it is counted in what is `held`


class Library:
    """One per answer process. Holds nothing that the store does not hold. `bound`: bytes of shards in a domain."""

    def __init__(self, embedders: Embedders | Embedder | None, bound: int = KEPT) -> None:
        self._bound = bound
        self.embedders = embedders if isinstance(embedders, Embedders) else Embedders(embedders)
        self._domains: OrderedDict[str, _Domain] = OrderedDict()
        self._shared: WeakValueDictionary[Place, Shard] = WeakValueDictionary()

    @property
    def embedder(self) -> Embedder | None:
        """The region's own."""
        return self.embedders.default

    async def bases(self, flow: Flow) -> list[str]:
        """The knowledge bases in which something is visible, by name."""
        return sorted({found.value.base for found in await self._lying(flow)})

    async def labels(self, flow: Flow, names: Bases) -> set[Label]:
        """The labels at which something of these bases is visible."""
        return {found.label for found in await self._lying(flow) if _asked_for(found.value.base, names)}

    async def check(self, flow: Flow, names: Bases) -> None:
        """Raises UnknownKnowledge for a base in which nothing is visible: hidden and never-existing alike."""
        if names == (ALL,):
            return
        known = await self.bases(flow)
        for name in names:
            if name not in known:
                raise UnknownKnowledge(name=name[:200])

    async def ask(self, flow: Flow, question: str, names: Bases = (ALL,)) -> Asked:
        """The beginning of the question made ready: its terms, and its vector for each embedder of these bases.

        An embedder that does not serve the question's language is not asked.
        """
        question = question[:QUESTION]
        asked: dict[str, bytes] = {}
        view = await self.view(flow, names)
        for name in view.embedders if question.strip() else ():
            for raw in await vectors(self.embedders.named(name, flow.acting, flow.floor), [question], flow):
                if raw:
                    asked[name] = raw
        return Asked(terms(question), asked)

    async def search(
        self, flow: Flow, asked: Asked, names: Bases, k: int, mask: Mask | None = None, method: Method = "hybrid"
    ) -> Results:
        """The best k passages of the world at the flow's acting label; `mask` is over the rows of its view."""
        return asked.search(await self.view(flow, names), k, mask, method)

    async def view(self, flow: Flow, names: Bases) -> View:
        """The visible shards of these bases, laid end to end; kept as long as they are the same."""
        domain, seen = self._cache(flow), await self._seen(flow)
        place = (flow.acting.text, tuple(sorted(set(names))))
        held = domain.views.get(place)
        if held is None or held[0] is not seen:
            held = domain.views[place] = (seen, View(await self.shards(flow, names)))
        domain.views.move_to_end(place)
        while len(domain.views) > VIEWS_KEPT:
            domain.views.popitem(last=False)
        return held[1]

    async def shards(self, flow: Flow, names: Bases) -> list[Shard]:
        """The visible shards of these bases, one per segment, without the documents that are gone."""
        return [shard for _, shard in await self.placed(flow, names)]

    async def placed(self, flow: Flow, names: Bases) -> list[tuple[str, Shard]]:
        """The same, each with the id of its access class."""
        seen = await self._seen(flow)
        places: dict[Place, Found[Segment]] = {}
        for item in seen.segments:
            if _asked_for(item.value.base, names):
                places[item.ref.class_id, item.value.base, item.label.text, item.value.blob] = item
        found, size = [], 0
        for place in sorted(places):
            label = places[place].label
            held = await self._shard(flow, place, places[place], seen.gone[label])
            size += held.size
            if size > self._bound:
                raise Unavailable(what="memory")
            if held.left.count:
                found.append((place[0], _described(held.left, seen.said[label])))
        _spare(self._cache(flow), self._bound)
        return found

    async def _lying(self, flow: Flow) -> list[Found[Segment]]:
        """One visible segment for each access class and base in which something is left."""
        seen = await self._seen(flow)
        found: dict[tuple[str, str], Found[Segment]] = {}
        for item in seen.segments:
            base, label, class_id = item.value.base, item.label, item.ref.class_id
            if (class_id, base) in found:
                continue
            place = (class_id, base, label.text, item.value.blob)
            whole = base not in seen.thinned[label]
            if whole or (await self._shard(flow, place, item, seen.gone[label])).left.count:
                found[class_id, base] = item
        return list(found.values())

    async def _seen(self, flow: Flow) -> _Seen:
        """The visible segments: one question where nothing has changed since the last."""
        cache, acting = self._cache(flow).seen, flow.acting.text
        tide = await flow.tide(SEGMENT, GONE, DESCRIBED, FROZEN)
        held = cache.get(acting)
        if held is None or held.tide != tide:
            found, removed, said = await flow.every(SEGMENT), await gone(flow), await described(flow)
            refs, labels = frozenset(item.ref for item in found), {item.label for item in found}
            cold = flow.frozen()  # of a document that is frozen no passage is found, whichever segment holds it
            thin = frozenset(item.value.base for item in found) if cold else cold
            held = cache[acting] = _Seen(
                tide,
                refs,
                tuple(found),
                {label: removed.of(label) | cold for label in labels},
                {label: removed.bases(label) | thin for label in labels},
                {label: said.of(label) for label in labels},
            )
        cache.move_to_end(acting)
        while len(cache) > VIEWS_KEPT:
            cache.popitem(last=False)
        flow.seen |= held.refs
        return held

    async def _shard(self, flow: Flow, place: Place, item: Found[Segment], removed: frozenset[str]) -> _Held:
        held = self._cache(flow).held
        here = held.get(place)
        if here is None:
            index = await self._open(flow, item, item.value.blob)
            plane = await self._open(flow, item, item.value.vectors)
            read = await flow.beside(decode, index, plane, item.label, item.value.base)
            read = self._shared.setdefault(place, read)
            here = _Held(len(index) + len(plane), read, frozenset(), read)
        own = frozenset(each.document for each in here.read.filed if each.document in removed) if removed else removed
        if own != here.gone:
            here = _Held(here.size, here.read, own, await flow.beside(without, here.read, own))
        held[place] = here
        held.move_to_end(place)
        return here

    async def _open(self, flow: Flow, item: Found[Segment], blob: str) -> memoryview:
        return await flow.blob_into(item.ref.class_id, blob, self._cache(flow).memory.take) if blob else memoryview(b"")

    def _cache(self, flow: Flow) -> _Domain:
        """The cache of the request's label domain; the least lately used domains stand first."""
        now = flow.gate.vault.clock.now()
        while self._domains and now - next(iter(self._domains.values())).used > IDLE:
            self._domains.popitem(last=False)
        domain = self._domains.setdefault(flow.domain.text, _Domain(now))
        domain.used = now
        self._domains.move_to_end(flow.domain.text)
        return domain


def _spare(domain: _Domain, bound: int) -> None:
    """Let go of what was asked longest ago, where a domain holds too much."""
    size = sum(each.size for each in domain.held.values())
    if size > bound:
        domain.views.clear()
    while size > bound:
        size -= domain.held.popitem(last=False)[1].size


def _asked_for(base: str, names: Sequence[str]) -> bool:
    return base in names or ALL in names


def _described(shard: Shard, said: Mapping[str, dict[str, Attribute]]) -> Shard:
    """The shard with what was said of its documents since they came."""
    if not said or not any(each.document in said for each in shard.filed):
        return shard
    told = (structs.replace(each, attributes=said.get(each.document, each.attributes)) for each in shard.filed)
    return replace(shard, filed=tuple(told))
