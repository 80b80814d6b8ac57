"""The order of keys, without reading everything: stretches of sorted keys, and what has changed since.

    object row  +  change row (key, there)     one commit, which contends with nobody's
    FOLD changes                               -> one commit: new stretches, a new map, the changes removed

Stretches are written once and replaced, and the map is put where it was read: who reads an old map finds an old stretch
or none, and reads the map again. Whoever reads the changes first and the map after them misses no key that was there
all the time. Everything is one access class's: writers fold at their own label what lies there.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from weakref import WeakValueDictionary

from casemate.access import Flow
from casemate.buckets.kinds import CHANGE, KEYS, MAP, ChangeRecord, KeysRecord, MapRecord, Shard, place
from casemate.errors import CasemateError, Conflict
from casemate.ids import fresh
from casemate.objects import Change, Delete, Found, Put, Ref, Where

__all__ = ["CHECK", "FOLD", "STRETCH", "Lane", "Order", "changes", "fold", "noted"]

FOLD = 64
"""Changes that are folded together, and"""
CHECK = 32
"""after how many of its own in a class and bucket a process looks whether there are so many."""
STRETCH = 256
"""Keys that a stretch is written with; it is cut where it would have twice as many."""
MOST = 2000


def noted(bucket: str, key: str, there: bool) -> Put:
    """What is committed beside an object that comes or goes."""
    return Put(CHANGE, place(bucket, key), ChangeRecord(bucket, key, there))


async def changes(flow: Flow, bucket: str) -> dict[str, list[Found[ChangeRecord]]]:
    """The visible changes of a bucket that are not folded, by access class."""
    found: dict[str, list[Found[ChangeRecord]]] = {}
    for each in await flow.every(CHANGE, Where((("bucket", bucket),))):
        found.setdefault(each.ref.class_id, []).append(each)
    return found


class Order:
    """Folds; one per process. `_since` counts this process's own changes in each class and bucket."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], int] = {}
        self._folding: dict[tuple[str, str], asyncio.Lock] = {}
        self._turns: WeakValueDictionary[Ref, asyncio.Lock] = WeakValueDictionary()

    def turn(self, ref: Ref) -> asyncio.Lock:
        """Held by whoever of this process writes there next, where several do at once."""
        lock = self._turns.get(ref)
        if lock is None:
            lock = self._turns[ref] = asyncio.Lock()
        return lock

    async def changed(self, flow: Flow, bucket: str) -> None:
        """A change has been committed at the flow's label. What cannot be folded now is folded another time."""
        at = (flow.access.id, bucket)
        since = self._since.get(at, CHECK) + 1
        self._since[at] = since
        lock = self._folding.setdefault(at, asyncio.Lock())
        if since < CHECK or lock.locked():
            return
        async with lock:
            self._since[at] = 0
            try:
                await fold(flow, bucket, FOLD)
            except CasemateError:  # the change itself is durable; whoever comes next finds these again
                return


async def fold(flow: Flow, bucket: str, least: int) -> int:
    """Write the changes at the flow's label into the order, where there are so many; how many. Raises Conflict."""
    own = (await changes(flow, bucket)).get(flow.access.id, [])[:MOST]
    if len(own) < max(least, 1):
        return 0
    here = [found for found in await flow.read_each(MAP, bucket) if found.ref.class_id == flow.access.id]
    old = here[0].value if here else MapRecord()
    shards, done = await _rewritten(flow, old.shards, [change.value for change in own])
    done += [Delete(CHANGE, change.id, expect=change.version) for change in own]
    done.append(Put(MAP, bucket, MapRecord(tuple(shards)), expect=here[0].version if here else 0))
    await flow.commit(*done, facts={"bucket": bucket, "folded": len(own)})
    return len(own)


async def _rewritten(
    flow: Flow, shards: Sequence[Shard], own: Sequence[ChangeRecord]
) -> tuple[list[Shard], list[Change]]:
    """The stretches after these changes, and what is put and removed for it."""
    if not shards:
        return _cut(flow, sorted(change.key for change in own if change.there))
    firsts = [shard.first for shard in shards]
    touched: dict[int, list[ChangeRecord]] = {}
    for change in own:
        touched.setdefault(max(bisect_right(firsts, change.key) - 1, 0), []).append(change)
    after: list[Shard] = []
    done: list[Change] = []
    for at, shard in enumerate(shards):
        if at not in touched:
            after.append(shard)
            continue
        found = [each for each in await flow.read_each(KEYS, shard.id) if each.ref.class_id == flow.access.id]
        if not found:
            raise Conflict(what=KEYS.name)
        keys = set(found[0].value.keys)
        for change in touched[at]:
            (keys.add if change.there else keys.discard)(change.key)
        made, puts = _cut(flow, sorted(keys))
        after += made
        done += [*puts, Delete(KEYS, shard.id)]
    return after, done


def _cut(flow: Flow, keys: list[str]) -> tuple[list[Shard], list[Change]]:
    """Keys in stretches of rows of their own."""
    many = max(1, len(keys) // STRETCH)
    each = -(-len(keys) // many)
    shards: list[Shard] = []
    puts: list[Change] = []
    for start in range(0, len(keys), max(each, 1)):
        some = tuple(keys[start : start + each])
        id = fresh("keys", flow.gate.vault.entropy, f"keys/{flow.access.id}")
        shards.append(Shard(some[0], id, len(some)))
        puts.append(Put(KEYS, id, KeysRecord(some), expect=0))
    return shards, puts


class Lane:
    """The keys of a bucket in one access class, in order, read a stretch at a time."""

    def __init__(self, flow: Flow, class_id: str, bucket: str, noticed: Iterable[ChangeRecord]) -> None:
        self._flow, self._class_id, self._bucket = flow, class_id, bucket
        there = {change.key: change.there for change in noticed}
        self._come = sorted(key for key, here in there.items() if here)
        self._gone = {key for key, here in there.items() if not here}
        self._shards: Sequence[Shard] = ()
        self._firsts: list[str] = []
        self._at = -1
        self._keys: Sequence[str] = ()

    def take(self, shards: Sequence[Shard]) -> None:
        """From now on this is the map."""
        self._shards, self._firsts, self._at = shards, [shard.first for shard in shards], -1

    async def next(self, low: str) -> str | None:
        """The first key that is `low` or behind it."""
        at = bisect_left(self._come, low)
        come = self._come[at] if at < len(self._come) else None
        old = await self._folded(low)
        return old if come is None else come if old is None else min(old, come)

    async def _folded(self, low: str) -> str | None:
        number = max(bisect_right(self._firsts, low) - 1, 0)
        while number < len(self._shards):
            if number != self._at:
                keys = await self._stretch(self._shards[number].id)
                if keys is None:  # folded meanwhile: the map is another one
                    await self._again()
                    number = max(bisect_right(self._firsts, low) - 1, 0)
                    continue
                self._at, self._keys = number, keys
            for key in self._keys[bisect_left(self._keys, low) :]:
                if key not in self._gone:
                    return key
            number += 1
        return None

    async def _stretch(self, id: str) -> Sequence[str] | None:
        for found in await self._flow.read_each(KEYS, id):
            if found.ref.class_id == self._class_id:
                return found.value.keys
        return None

    async def _again(self) -> None:
        await asyncio.sleep(0)
        here = [f for f in await self._flow.read_each(MAP, self._bucket) if f.ref.class_id == self._class_id]
        self.take(here[0].value.shards if here else ())
