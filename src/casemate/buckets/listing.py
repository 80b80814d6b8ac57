"""A listing: the keys of every visible class merged in the order of their bytes, rolled up at a delimiter.

A token is the last key or prefix that was told, and nothing else: whoever makes one up asks for what he may see anyway.
"""

from __future__ import annotations

import asyncio

from casemate.access import Flow
from casemate.buckets.kinds import MAP, OBJECT, place
from casemate.buckets.order import Lane, changes
from casemate.buckets.seen import Listing, Seen
from casemate.buckets.shown import listed as told

__all__ = ["listed", "lowest_behind"]

_BREATH = 32


async def listed(flow: Flow, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Listing:
    """At most `limit` keys and prefixes beyond `after`."""
    lanes = await _lanes(flow, bucket)
    barred = frozenset(ref.id for ref in flow.barred(OBJECT))
    objects: list[Seen] = []
    prefixes: list[str] = []
    last = ""
    low: str | None = max(prefix, _beyond(prefix, delimiter, after))
    steps = 0
    while low is not None:
        steps += 1
        if not steps % _BREATH:
            await asyncio.sleep(0)  # others are served meanwhile
        keys = [key for lane in lanes if (key := await lane.next(low)) is not None]
        key = min(keys, default=None)
        if key is None or not key.startswith(prefix):
            break
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        rolled = key[: cut + len(delimiter)] if cut >= 0 else ""
        doubtful = place(bucket, key) in barred  # its key is in the order still, and no prefix may say so
        seen = None if rolled and not doubtful else told(await flow.read_each(OBJECT, place(bucket, key)))
        if doubtful and seen is None:
            rolled = ""
        elif rolled:
            seen = None
        if rolled or seen is not None:
            if len(objects) + len(prefixes) >= limit:
                return Listing(tuple(objects), tuple(prefixes), last or after or None)
            last = rolled or key
            if seen is not None:
                objects.append(seen)
            else:
                prefixes.append(rolled)
        low = lowest_behind(rolled) if rolled else f"{key}\x00"
    return Listing(tuple(objects), tuple(prefixes))


async def _lanes(flow: Flow, bucket: str) -> list[Lane]:
    """A lane for each visible class in which the bucket has keys. The changes are read first: see `order`."""
    noticed = await changes(flow, bucket)
    maps = {found.ref.class_id: found.value.shards for found in await flow.read_each(MAP, bucket)}
    lanes: list[Lane] = []
    for class_id in sorted({*noticed, *maps}):
        lane = Lane(flow, class_id, bucket, [found.value for found in noticed.get(class_id, ())])
        lane.take(maps.get(class_id, ()))
        lanes.append(lane)
    return lanes


def _beyond(prefix: str, delimiter: str, after: str) -> str:
    """The least key behind `after`; where that is a prefix that was told, behind everything that begins with it."""
    if not after:
        return ""
    rolled = bool(delimiter) and after.startswith(prefix) and after.endswith(delimiter) and len(after) > len(prefix)
    if rolled and after.find(delimiter, len(prefix)) + len(delimiter) == len(after):
        return lowest_behind(after) or "\U0010ffff" * 1024
    return f"{after}\x00"


def lowest_behind(prefix: str) -> str | None:
    """The least text that is behind all that begin with `prefix`; None where there is none."""
    while prefix:
        point = ord(prefix[-1])
        prefix = prefix[:-1]
        if point < 0x10FFFF:
            return prefix + chr(0xE000 if point == 0xD7FF else point + 1)
    return None
