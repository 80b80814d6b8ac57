"""The walk from an object to what came of it, and to what it came from, in one flow's visible world.

Every step is a look-up that the flow makes for itself, so what is hidden from it is not met, leaves no gap and is
counted nowhere. A step is taken over the parents of rows, over what values name as their sources, over the bytes of
what holds many objects' words, and over the entries of the ledger that say whose words a request gave.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from casemate.access import Flow, audit
from casemate.access.contain import Logged, logged
from casemate.custody.kinds import ENTRY, Kinds, Link, Traced
from casemate.errors import BadInput
from casemate.objects import Found, Ref, Where
from casemate.words import say

__all__ = ["MOST", "Direction", "Trace", "Walk", "about", "found_at", "subject"]

Direction = Literal["down", "up", "both"]
MOST = 500  # nodes of one picture
LONGEST = 2048  # bytes of an id: a bucket, a slash and a key, or what else a caller may name
LOOKED = 5000  # how far back in each log somebody's own entries are looked for

Key = tuple[str, str]


@dataclass(slots=True)
class Trace:
    """What was met: objects and entries by their place, and (source, made) between them. `cut`: there is more."""

    roots: list[Ref] = field(default_factory=list)
    found: dict[Ref, Found[Any]] = field(default_factory=dict)
    entries: dict[Ref, list[Logged]] = field(default_factory=dict)
    edges: dict[tuple[Ref, Ref], None] = field(default_factory=dict)
    cut: bool = False


def subject(text: str) -> Key:
    """Kind and id of an object as an entry names it (`kind/id@class`); the class may be that of its label alone."""
    kind, _, rest = text.partition("/")
    return kind, rest.rpartition("@")[0]


def about(entries: Iterable[Logged]) -> dict[Key, list[Logged]]:
    """The entries that say whose words a request gave, by object. What a service did is nobody's seeing."""
    found: dict[Key, list[Logged]] = {}
    for each in entries:
        if not each.entry.principal.startswith("service:"):
            for text in each.entry.subjects:
                found.setdefault(subject(text), []).append(each)
    return found


async def found_at(flow: Flow, kinds: Kinds, text: str, everybody: bool, raises: bool = True) -> list[Found[Any]]:
    """The visible objects of `kind/id`, or of an id of whichever kind. Raises Absent, BadInput.

    `everybody`: also what only its owner is told of. `raises`: else what is not there is nothing.
    """
    named, _, rest = text.partition("/")
    candidates = [kinds.traced[named]] if named in kinds.traced and rest else list(kinds.traced.values())
    id = rest if named in kinds.traced and rest else text
    if not 0 < len(id.encode("utf-8", "replace")) <= LONGEST or "\x00" in id:  # whatever somebody has called his own
        raise BadInput(what=say("custody.object", flow.session.language))
    found: list[Found[Any]] = []
    for traced in candidates:
        found += await _shown(flow, traced, await flow.read_each(traced.kind, id), everybody)
    if not found and raises:
        await flow.absent(candidates[0].kind if len(candidates) == 1 else None, id)
    return found


async def _shown(flow: Flow, traced: Traced, found: Sequence[Found[Any]], everybody: bool) -> list[Found[Any]]:
    if everybody or traced.shown is None or not found:
        return list(found)
    return await traced.shown(flow, found)


class Walk:
    """One walk. `everybody`: an officer's, or custody's own, which meets also what only an owner is told of.

    `quick`: without the ledger. `beside`: with what lies at the places of what is met, and has not come of it.
    """

    def __init__(
        self,
        flow: Flow,
        kinds: Kinds,
        everybody: bool = False,
        most: int = MOST,
        quick: bool = False,
        beside: bool = False,
    ) -> None:
        self._flow = flow
        self._kinds = kinds
        self._everybody = everybody
        self._most = most
        self._quick = quick
        self._beside = beside
        self._about: dict[Key, list[Logged]] | None = None
        self._inside: dict[Ref, frozenset[Key]] = {}
        self._all: dict[tuple[str, str, str], list[Found[Any]]] = {}
        self.trace = Trace()

    async def run(self, roots: Sequence[Found[Any]], direction: Direction) -> Trace:
        """Everything that is reached from these."""
        trace = self.trace
        for root in roots:
            trace.roots.append(root.ref)
            trace.found[root.ref] = root
        for way in ("down", "up") if direction == "both" else (direction,):
            waiting, seen = deque(roots), {root.ref for root in roots}
            while waiting:
                one = waiting.popleft()
                for other in await (self._down(one) if way == "down" else self._up(one)):
                    pair = (one.ref, other.ref) if way == "down" else (other.ref, one.ref)
                    if other.ref not in trace.found and len(trace.found) >= self._most:
                        trace.cut = True
                        continue
                    trace.found.setdefault(other.ref, other)
                    if pair[0] != pair[1]:
                        trace.edges[pair] = None
                    if other.ref not in seen:
                        seen.add(other.ref)
                        waiting.append(other)
        return trace

    async def _down(self, one: Found[Any]) -> list[Found[Any]]:
        found: list[Found[Any]] = []
        for traced, link in self._kinds.made_from(one.ref.kind):
            found += await self._linked(one, traced, link)
        for ref in await self._flow.children(one.ref):
            found += await self._read(ref)
        traced_here = self._kinds.traced.get(one.ref.kind)
        if traced_here is not None and traced_here.landed is not None and one.value is not None:
            found += await self._named(traced_here.landed(one.value))
        if self._beside and traced_here is not None and traced_here.beside is not None:
            found += await traced_here.beside(self._flow, one)
        return found if self._quick else found + await self._given(one)

    async def _up(self, one: Found[Any]) -> list[Found[Any]]:
        if one.ref.kind == ENTRY:
            return await self._asked_of(one)
        traced = self._kinds.traced.get(one.ref.kind)
        if traced is None:
            return []
        named = list(traced.kind.sources(one.id, one.value))
        if traced.inside is not None:
            named += await self._held(one, traced)
        found: list[Found[Any]] = []
        for kind, id in dict.fromkeys(named):
            if kind in self._kinds.traced:
                source = self._kinds.traced[kind]
                several = await self._flow.read_each(source.kind, id)
                if traced.inside is not None:
                    several = [each for each in several if each.ref.class_id == one.ref.class_id]
                found += await _shown(self._flow, source, several, self._everybody)
            elif kind == ENTRY:
                found += [self._asked(each) for each in self._ends().get(id, ())[:1]]
        return found

    async def _asked_of(self, one: Found[Any]) -> list[Found[Any]]:
        """Whose words an answer of the ledger gave."""
        found: list[Found[Any]] = []
        for each in self._ends().get(one.id, ()):
            for text in each.entry.subjects:
                kind, id = subject(text)
                traced = self._kinds.traced.get(kind)
                if traced is not None:
                    several = await self._flow.read_each(traced.kind, id)
                    found += await _shown(self._flow, traced, several, self._everybody)
        return found

    async def _linked(self, one: Found[Any], traced: Traced, link: Link) -> list[Found[Any]]:
        """The objects of a kind that name this one. What holds many is looked into, at the same class."""
        if one.value is None and link.of != "id":
            return []
        value = one.id if link.of == "id" else str(getattr(one.value, link.of))
        if link.field == "id":
            found = await self._flow.read_each(traced.kind, value)
        else:
            found = await self._every(traced, link.field, value)
        key = (one.ref.kind, one.id)
        if traced.inside is not None:
            found = [each for each in found if each.ref.class_id == one.ref.class_id]
            found = [each for each in found if key in await self._held(each, traced)]
        else:
            found = [each for each in found if key in set(traced.kind.sources(each.id, each.value))]
        return await _shown(self._flow, traced, found, self._everybody)

    async def _every(self, traced: Traced, name: str, value: str) -> list[Found[Any]]:
        place = (traced.kind.name, name, value if name else "")
        if place not in self._all:
            self._all[place] = await self._flow.every(traced.kind, Where(((name, value),)) if name else None)
        return self._all[place]

    async def _held(self, one: Found[Any], traced: Traced) -> frozenset[Key]:
        """What lies in the bytes of a segment; one that is damaged holds nothing that could be told."""
        if one.ref not in self._inside:
            assert traced.inside is not None
            self._inside[one.ref] = frozenset(await traced.inside(self._flow, one))
        return self._inside[one.ref]

    async def _read(self, ref: Ref) -> list[Found[Any]]:
        traced = self._kinds.traced.get(ref.kind)
        if traced is None:
            return []
        found = [each for each in await self._flow.read_each(traced.kind, ref.id) if each.ref.class_id == ref.class_id]
        return await _shown(self._flow, traced, found, self._everybody)

    async def _named(self, text: str) -> list[Found[Any]]:
        """An object by its place; what was held there has come to rest meanwhile under the same id."""
        if not text:
            return []
        kind, id = subject(text)
        found = await self._read(Ref(kind, id, text.rpartition("@")[2]))
        for traced, link in self._kinds.made_from(kind):
            if link.field == link.of == "id":
                found += await _shown(self._flow, traced, await self._flow.read_each(traced.kind, id), self._everybody)
        return found

    async def _given(self, one: Found[Any]) -> list[Found[Any]]:
        """The questions whose answers were made of this object, as entries, and what was kept of such an answer."""
        key = (one.ref.kind, one.id)
        if one.ref.kind == ENTRY:
            return []
        found: list[Found[Any]] = []
        for each in self.entries().get(key, ()):
            if not each.entry.ref:  # a reading, not an answer
                continue
            found.append(self._asked(each))
        return found

    def _asked(self, end: Logged) -> Found[Any]:
        """An answer, by the entry of its question."""
        asked: Found[Any] = Found(Ref(ENTRY, end.entry.ref, end.access.id), 0, end.access.label, end)
        several = self.trace.entries.setdefault(asked.ref, [])
        if end not in several:
            several.append(end)
        return asked

    def _ends(self) -> dict[str, list[Logged]]:
        """The ends of answers by the entry of their question."""
        found: dict[str, dict[str, Logged]] = {}
        for several in self.entries().values():
            for each in several:
                if each.entry.ref:
                    found.setdefault(each.entry.ref, {})[each.entry.id] = each
        return {ref: list(ends.values()) for ref, ends in found.items()}

    def entries(self) -> dict[Key, list[Logged]]:
        """What the visible logs say of who was given what: the caller's own entries, or an officer's all."""
        if self._about is None:
            if self._everybody:
                self._about = about(logged(self._flow))
            else:
                own = audit.entries(self._flow, limit=LOOKED)
                self._about = about(Logged(each.access, each.entry, None) for each in own)
        return self._about
