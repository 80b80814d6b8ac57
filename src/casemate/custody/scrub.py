"""The scrub: every blob of an access class is read, mended or named; what nobody names any more is swept.

    mark     which blobs the rows of the class name, kind by kind              (`Kind.blobs`)
    look     every blob that lies there, in the order of names: whole, or mended from a copy, or found damaged
    sweep    what no row names and nobody has written for the grace time
    miss     every blob that a row names and that does not lie there

A class is scrubbed by a flow that acts at its label, so that nothing is done to it from above. Why the sweep is safe:
whoever names a blob has poured it shortly before, which makes it young again (`blob_fence`), or moves its name from a
row of a kind that is read earlier here to one that is read later, in one commit. So whatever was without a name while
all rows were read, and is still old when it is removed, is named by nobody, and by nobody who is about to.

A row that is damaged may name anything: while one is met where rows may name blobs, nothing is swept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec

from casemate.access import Flow, Gate
from casemate.access.contain import seen_from
from casemate.access.withheld import sees_all
from casemate.clock import SECOND
from casemate.errors import BadInput, Damaged
from casemate.objects import Change, Delete, Kind, Put

__all__ = ["DAMAGED", "GRACE", "DamagedBlob", "Scrub", "Stretch"]

GRACE = 24 * 3600 * SECOND
BLOBS, BYTES, NAMES = 256, 256 << 20, 2000
"""How much one stretch looks at."""
KEPT = 600 * SECOND
"""How long what a class names is remembered between the stretches of one run; far less than the grace time."""
OBJECTS = 16
_MISSING = "missing/"


class DamagedBlob(msgspec.Struct, frozen=True):
    """A blob that is not what was written, or not there: by its objects (`kind/id`). Its id is the blob's name."""

    why: str
    objects: tuple[str, ...]
    at: int


DAMAGED = Kind("store.damaged", DamagedBlob)


class Stretch(msgspec.Struct, frozen=True):
    """What one stretch has found. `after` begins the next one; "" at the end. `known`: blobs that rows name."""

    after: str = ""
    looked: int = 0
    bytes: int = 0
    mended: int = 0
    copied: int = 0
    swept: int = 0
    damaged: int = 0
    missing: int = 0
    known: int = 0


@dataclass(slots=True)
class _Marked:
    """The names of a class at a moment, and the objects that say them. Not `sure`: a row could not be read."""

    at: int
    sure: bool = True
    names: dict[str, list[str]] = field(default_factory=dict)
    ordered: list[str] = field(default_factory=list)


class Scrub:
    """Stretches over classes. `kinds`: every kind whose values name blobs; those whose names move on come first."""

    def __init__(self, kinds: Sequence[Kind[Any]], grace: int = GRACE) -> None:
        self._kinds = tuple((kind, replace(kind, withholds=True)) for kind in kinds)
        self._grace = grace
        self._marked: dict[str, _Marked] = {}

    async def stretch(self, flow: Flow, after: str = "") -> Stretch:
        """Look at the next blobs of the flow's own class. Raises BadInput where `after` is none of ours."""
        if after.startswith(_MISSING):
            return await self._missed(flow, after.removeprefix(_MISSING))
        if after and (len(after) != 96 or not after.isalnum()):
            raise BadInput(what="after")
        return await self._looked(flow, after)

    async def _looked(self, flow: Flow, after: str) -> Stretch:
        blobs, place = flow.gate.vault.blobs, flow.access.id
        if not after:
            await blobs.tidy(place, self._grace)
        marked = await self._names(flow, fresh=not after)
        lying = await blobs.lying(place, after, BLOBS)
        told = {"looked": 0, "bytes": 0, "mended": 0, "copied": 0, "swept": 0, "damaged": 0}
        broken: dict[str, str] = {}
        whole: set[str] = set()
        end = len(lying) < BLOBS
        for one in lying:
            if told["bytes"] >= BYTES:
                end = False
                break
            after = one.name
            told["looked"] += 1
            if marked.sure and one.name not in marked.names and await blobs.sweep(place, one.name, self._grace):
                told["swept"] += 1
                continue
            told["bytes"] += one.size
            if await blobs.whole(place, one.name):
                whole.add(one.name)
                told["copied"] += await blobs.mirrored(place, one.name)
            elif await blobs.mend(place, one.name):
                whole.add(one.name)
                told["mended"] += 1
            elif one.name in marked.names:
                broken[one.name] = "damaged"
                told["damaged"] += 1
        await self._note(flow, marked, broken, whole)
        return Stretch(after=_MISSING if end else after, known=len(marked.names), **told)

    async def _missed(self, flow: Flow, after: str) -> Stretch:
        """What is named and does not lie there. What was named and has gone since then is not missing."""
        blobs, place = flow.gate.vault.blobs, flow.access.id
        marked = await self._names(flow)
        some = [name for name in marked.ordered if name > after][:NAMES]
        gone = [name for name in some if not await blobs.exists(place, name)]
        mended = {name for name in gone if await blobs.mend(place, name)}
        broken: dict[str, str] = {}
        if len(gone) > len(mended):
            marked = await self._names(flow, fresh=True)
            broken = {name: "missing" for name in gone if name not in mended and name in marked.names}
        await self._note(flow, marked, broken, mended)
        if not after:
            await self._forget(flow, marked)
        return Stretch(
            after=f"{_MISSING}{some[-1]}" if len(some) == NAMES else "",
            looked=len(some),
            mended=len(mended),
            missing=len(broken),
            known=len(marked.names),
        )

    async def _names(self, flow: Flow, *, fresh: bool = False) -> _Marked:
        now, place = flow.gate.vault.clock.now(), flow.access.id
        found = self._marked.get(place)
        if fresh or found is None or not 0 <= now - found.at < KEPT:
            found = _Marked(now)
            # What is frozen is named too, though whoever scrubs is not served it; and by no name that he is not told.
            whole = flow if sees_all(flow) else await seen_from(cast("Gate", flow.gate), flow.acting)
            held = flow.frozen()
            for kind, strict in self._kinds:
                after: str | None = f"{place}/"  # a scan begins at the class, and is left behind it
                while after is not None:
                    try:
                        page = await whole.scan(strict, after=after, limit=500)
                    except Damaged:
                        found.sure = False
                        page = await whole.scan(kind, after=after, limit=500)
                    for each in page.items:
                        if each.ref.class_id == place:
                            for name in kind.blobs(each.value):
                                objects = found.names.setdefault(name, [])
                                objects += [] if each.id in held else [f"{kind.name}/{each.id}"]
                    after = page.after if not page.items or page.items[-1].ref.class_id == place else None
                    await asyncio.sleep(0)
            found.ordered = sorted(found.names)
            self._marked[place] = found
        return found

    async def _note(self, flow: Flow, marked: _Marked, broken: dict[str, str], whole: set[str]) -> None:
        """Keep what is damaged by the names of its objects, and let go of what is whole again."""
        known = {each.id: each for each in await damaged(flow)}
        now = flow.gate.vault.clock.now()
        changes: list[Change] = []
        for name, why in broken.items():
            objects = tuple(marked.names.get(name, ())[:OBJECTS])
            if name not in known or (known[name].value.why, known[name].value.objects) != (why, objects):
                changes.append(Put(DAMAGED, name, DamagedBlob(why, objects, now)))
        changes += [Delete(DAMAGED, name) for name in sorted(whole & known.keys())]
        if changes:
            facts = {"damaged": len(broken), "mended": len(whole & known.keys())}
            await flow.commit(*changes, facts=facts)

    async def _forget(self, flow: Flow, marked: _Marked) -> None:
        """What nobody names any more is no longer told of."""
        if not marked.sure:
            return
        gone = [each.id for each in await damaged(flow) if each.id not in marked.names]
        if gone:
            await flow.commit(*(Delete(DAMAGED, name) for name in gone), facts={"forgotten": len(gone)})


async def damaged(flow: Flow) -> list[Any]:
    """What is known to be damaged at the flow's own label, by name."""
    found = [each for each in await flow.every(DAMAGED) if each.ref.class_id == flow.access.id]
    return sorted(found, key=_name)


def _name(found: Any) -> str:
    return str(found.id)
