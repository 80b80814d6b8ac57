"""Buckets themselves: made and dropped at their floor, and found again by whoever sees it.

A bucket of a name may lie at several floors: whoever makes one does not see those above him. For those who see several
they are one; the one that takes the acting label counts, else the highest. One that was dropped at its floor, where
nothing was left in it, goes on for those above who still see something in it, until that is gone too.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.buckets.kinds import BUCKET, BucketRecord
from casemate.buckets.listing import listed
from casemate.buckets.names import named
from casemate.buckets.seen import Bucket
from casemate.errors import BadInput, Conflict, MarkingError, NotEmpty
from casemate.labels import Label
from casemate.objects import Found, Put
from casemate.policy import Refuse
from casemate.words import say

__all__ = ["drop", "every", "located", "make", "writable"]


async def make(flow: Flow, name: str, floor: Label | None, ceiling: Label | None) -> Bucket:
    named(name, flow.session.language)
    region = flow.gate.vault.region
    if floor is not None and floor is not flow.acting:
        await _elsewhere(flow, floor)
    needs = flow.acting.needs  # a region's ceiling has none, and what is made here needs at least these
    top = (region.ceiling if ceiling is None else ceiling).with_needs(needs)
    if not flow.acting <= top <= region.ceiling.with_needs(needs):
        raise BadInput(what=say("buckets.ceiling", flow.session.language))
    found = await flow.read_each(BUCKET, name)
    if any([not f.value.gone or await _holds(flow, name) for f in found if f.ref.class_id != flow.access.id]):
        raise Conflict(what=f"Bucket {name}")
    own = [f for f in found if f.ref.class_id == flow.access.id]
    if own and not own[0].value.gone:
        raise Conflict(what=f"Bucket {name}")
    at, by = flow.gate.vault.clock.now(), flow.session.principal.name
    put = Put(BUCKET, name, BucketRecord(name, top.text, at, by), expect=own[0].version if own else 0)
    await flow.commit(put, facts={"bucket": name, "ceiling": top.text})
    return Bucket(name, flow.acting, top, at)


async def drop(flow: Flow, name: str) -> None:
    found = await flow.read_each(BUCKET, name)
    own = [f for f in found if f.ref.class_id == flow.access.id and not f.value.gone]
    if not own:
        bucket = await located(flow, name)
        await _elsewhere(flow, bucket.floor)
    if await _holds(flow, name):
        raise NotEmpty(what=name)
    gone = BucketRecord(name, own[0].value.ceiling, own[0].value.at, own[0].value.by, gone=True)
    await flow.commit(Put(BUCKET, name, gone, expect=own[0].version), facts={"bucket": name, "dropped": "yes"})


async def every(flow: Flow) -> list[Bucket]:
    names: dict[str, list[Found[BucketRecord]]] = {}
    for found in await flow.every(BUCKET):
        names.setdefault(found.id, []).append(found)
    told = [(name, await _counting(flow, name, names[name])) for name in sorted(names)]
    return [bucket for _, bucket in told if bucket is not None]


async def located(flow: Flow, name: str) -> Bucket:
    bucket = await _counting(flow, name, await flow.read_each(BUCKET, name))
    return bucket or await flow.absent(BUCKET, name)


async def writable(flow: Flow, name: str) -> Bucket:
    """The bucket, where it takes what is made at the acting label. Raises Absent, Refused (`bucket-range`)."""
    bucket = await located(flow, name)
    if not bucket.takes(flow.acting):
        facts = {"acting": flow.acting.text, "floor": bucket.floor.text, "ceiling": bucket.ceiling.text}
        await flow.refuse(Refuse("bucket-dropped" if bucket.dropped else "bucket-range", facts))
    return bucket


async def _counting(flow: Flow, name: str, found: Sequence[Found[BucketRecord]]) -> Bucket | None:
    """The one of these that counts at this acting label."""
    told = [_told(flow, each) for each in found]
    here = [bucket for bucket in told if not bucket.dropped]
    if not here and told and not await _holds(flow, name):
        return None
    chosen = here or told
    taking = [bucket for bucket in chosen if bucket.takes(flow.acting)] or chosen
    top = [b for b in taking if not any(b.floor <= o.floor and b.floor is not o.floor for o in taking)]
    return min(top, key=_text, default=None)


def _told(flow: Flow, found: Found[BucketRecord]) -> Bucket:
    value = found.value
    try:
        ceiling = flow.gate.vault.region.policies.parse(value.ceiling)
    except MarkingError:  # of a policy that is no longer listed
        ceiling = found.label
    return Bucket(value.name, found.label, ceiling, value.at, value.gone)


async def _holds(flow: Flow, name: str) -> bool:
    """Whether the acting label sees anything in it."""
    return bool((await listed(flow, name, "", "", "", 1)).objects)


async def _elsewhere(flow: Flow, floor: Label) -> None:
    """A bucket is made and dropped at its floor alone."""
    await flow.refuse(Refuse("no-write-down", {"acting": flow.acting.text, "asked": floor.text}))


def _text(bucket: Bucket) -> str:
    return bucket.floor.text
