"""Objects: put, seen, read, removed, copied and tagged.

A write lands at the acting label and replaces what lies there, at that label alone; what it is a condition of is what a
read at that label would give. Between looking and landing the row may change: then everything is looked at again, so
that of two writers who may both win only where nobody else was first, one wins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msgspec

from casemate.access import Flow
from casemate.buckets.condition import judged
from casemate.buckets.kinds import OBJECT, ObjectRecord, Origin, Piece, Said, place
from casemate.buckets.located import located, writable
from casemate.buckets.names import said, whole_key
from casemate.buckets.order import Order, noted
from casemate.buckets.pieces import Poured, given, pour
from casemate.buckets.seen import Condition, NewObject, Seen
from casemate.buckets.shown import only, shown
from casemate.errors import Conflict
from casemate.objects import Change, Delete, Found, Put, Ref
from casemate.policy import Refuse

__all__ = [
    "TRIES",
    "Made",
    "copied",
    "land",
    "origin",
    "own_label",
    "parents_of",
    "put",
    "read",
    "remove",
    "seen",
    "tagged",
]

TRIES = 32
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Made:
    """An object whose content lies here, before it has a place. `source`: what it was read of just now."""

    said: Said
    pieces: tuple[Piece, ...]
    size: int
    etag: str
    parts: int = 0
    lengths: tuple[int, ...] = ()
    origins: tuple[Origin, ...] = ()
    source: Ref | None = None

    @staticmethod
    def of(poured: Poured, told: Said, origins: tuple[Origin, ...] = (), source: Ref | None = None) -> Made:
        return Made(told, poured.pieces, poured.size, poured.md5.hex(), origins=origins, source=source)


async def put(
    flow: Flow,
    order: Order,
    at: tuple[str, str],
    body: AsyncIterator[bytes],
    new: NewObject,
    condition: Condition,
    origins: tuple[Origin, ...] = (),
    source: Ref | None = None,
) -> Seen:
    """The condition is judged before anything is taken in, and again when it lands."""
    bucket, key = at
    whole_key(key, flow.session.language)
    told = said(flow, new)
    await own_label(flow, new)
    await writable(flow, bucket)
    if condition != Condition():
        judged(condition, _seen(await flow.read_each(OBJECT, place(bucket, key))))
    made = Made.of(await pour(flow, body), told, origins, source)
    return await land(flow, order, at, made, condition)


async def land(flow: Flow, order: Order, at: tuple[str, str], made: Made, condition: Condition, *more: Change) -> Seen:
    """One commit, with `more` in it, in which the object appears. Raises ConditionFailed, Conflict."""
    bucket, key = at
    id = place(bucket, key)
    record = ObjectRecord(
        bucket=bucket,
        key=key,
        etag=made.etag,
        size=made.size,
        said=made.said,
        at=flow.gate.vault.clock.now(),
        pieces=made.pieces,
        by=flow.session.principal.name,
        parts=made.parts,
        lengths=made.lengths,
        origins=made.origins,
    )
    parents = parents_of(flow, made.origins)
    ref = Ref(OBJECT.name, id, flow.access.id)
    async with AsyncExitStack() as stack:
        for tries in range(TRIES):
            if tries == PATIENCE and condition == Condition():  # the last writer wins, whoever was there before
                await stack.enter_async_context(order.turn(ref))
            if ref in flow.barred(OBJECT):
                break  # what is frozen there stays, and what would come in its place would be shown to nobody
            found = await flow.read_each(OBJECT, id)
            if condition != Condition():
                judged(condition, _seen(found))
            version = _version(flow, found)
            # what was looked at is what is replaced: a freeze that comes between writes the row anew
            changes: list[Change] = [Put(OBJECT, id, record, parents, expect=version)]
            if not version:
                changes.append(noted(bucket, key, there=True))
            try:
                receipt = await flow.commit(*changes, *more, facts={"bucket": bucket, "bytes": made.size})
            except Conflict:
                if any(isinstance(each, Put | Delete) and each.expect is not None for each in more):
                    raise  # what else was to be done is no longer as it was
                continue
            if len(changes) > 1:
                await order.changed(flow, bucket)
            await _whole(flow, ref, record, receipt.versions[0], made.source)
            return shown(Found(ref, receipt.versions[0], flow.acting, record))
    raise Conflict(what=f"{bucket}/{key}")


async def _whole(flow: Flow, ref: Ref, record: ObjectRecord, version: int, source: Ref | None) -> None:
    """A containment destroys copies of what is contained that nobody names; a body that was just coming in may be one.

    And what was read of an object before it was contained may land after that. So where anything ever was frozen it is
    looked at once more before the caller is told that his object is there. Raises Conflict, and then it is not.
    """
    if not flow.contained():
        return
    blobs, barred = flow.gate.vault.blobs, flow.barred(OBJECT)
    if ref in barred:
        raise Conflict(what=ref.id)  # frozen while it came
    if source not in barred and all([await blobs.exists(ref.class_id, piece.blob) for piece in record.pieces]):
        return
    gone: list[Change] = [Delete(OBJECT, ref.id, expect=version), noted(record.bucket, record.key, there=False)]
    await flow.commit(*gone, facts={"bucket": record.bucket, "broken": "yes"})
    raise Conflict(what=ref.id)


async def seen(flow: Flow, bucket: str, key: str) -> Seen:
    """The highest object of that key."""
    whole_key(key, flow.session.language)
    await located(flow, bucket)
    found = only(await flow.read_each(OBJECT, place(bucket, key)))
    if found is None:
        return await flow.absent(OBJECT, place(bucket, key))
    return shown(found)


def read(flow: Flow, one: Seen, start: int, stop: int | None) -> AsyncIterator[bytes]:
    """The bytes of what was seen, also where another object has taken its place since."""
    pieces = [Piece(*each) for each in one.pieces]
    return given(flow, one.class_id, pieces, max(start, 0), one.size if stop is None else min(stop, one.size))


async def remove(flow: Flow, order: Order, bucket: str, key: str, condition: Condition) -> bool:
    whole_key(key, flow.session.language)
    await located(flow, bucket)
    id = place(bucket, key)
    for _ in range(TRIES):
        found = await flow.read_each(OBJECT, id)
        if condition != Condition():
            judged(condition, _seen(found))
        version = _version(flow, found)
        if not version:
            if found:
                await _below(flow, found)
            return False
        gone: list[Change] = [Delete(OBJECT, id, expect=version), noted(bucket, key, there=False)]
        try:
            await flow.commit(*gone, facts={"bucket": bucket, "removed": "yes"})
        except Conflict:
            continue
        await order.changed(flow, bucket)
        return True
    raise Conflict(what=f"{bucket}/{key}")


async def copied(
    flow: Flow,
    order: Order,
    source: tuple[str, str],
    target: tuple[str, str],
    new: NewObject | None,
    condition: Condition,
) -> Seen:
    """Read and poured anew, also within a class: what a sweep has found without a name may be what is copied."""
    one = await seen(flow, *source)
    told = new or NewObject(one.media, one.headers, one.metadata, one.tags)
    own = source == target and one.class_id == flow.access.id
    origins = tuple(Origin(*each) for each in one.origins) if own else (origin(one),)
    source_ref = Ref(OBJECT.name, place(one.bucket, one.key), one.class_id)
    return await put(flow, order, target, read(flow, one, 0, None), told, condition, origins, source_ref)


def origin(one: Seen) -> Origin:
    """What is said of where bytes came from that are copied of this one."""
    return Origin(place(one.bucket, one.key), one.class_id)


def parents_of(flow: Flow, origins: Iterable[Origin]) -> tuple[Ref, ...]:
    """The same as parents of a row. What lay in a class whose key was destroyed since is nobody's parent."""
    visible = {access.id for access in flow.classes()} if origins else set()
    return tuple(Ref(OBJECT.name, each.id, each.class_id) for each in origins if each.class_id in visible)


async def tagged(flow: Flow, bucket: str, key: str, tags: dict[str, str]) -> None:
    """Other tags for what lies at the acting label."""
    whole_key(key, flow.session.language)
    await located(flow, bucket)
    id = place(bucket, key)
    for _ in range(TRIES):
        found = await flow.read_each(OBJECT, id)
        own = [each for each in found if each.ref.class_id == flow.access.id]
        if not own:
            await _below(flow, found) if found else await flow.absent(OBJECT, id)
        told = own[0].value.said
        told = said(flow, NewObject(told.media, told.headers, told.metadata, tags))
        value = msgspec.structs.replace(own[0].value, said=told)
        put = Put(OBJECT, id, value, parents_of(flow, value.origins), expect=own[0].version)
        try:
            await flow.commit(put, facts={"bucket": bucket, "tags": len(tags)})
        except Conflict:
            continue
        return
    raise Conflict(what=f"{bucket}/{key}")


async def own_label(flow: Flow, new: NewObject) -> None:
    """An object lies at the acting label; a label that says otherwise is refused. Raises MarkingError, Refused."""
    if new.label:
        asked = flow.gate.vault.region.label(new.label)
        if asked is not flow.domain:
            await flow.refuse(Refuse("no-write-down", {"acting": flow.domain.text, "asked": asked.text}))


async def _below(flow: Flow, found: Sequence[Found[ObjectRecord]]) -> None:
    """What lies lower is not changed from here. Raises Refused."""
    asked = "; ".join(sorted(each.label.text for each in found))
    await flow.refuse(Refuse("no-write-down", {"acting": flow.domain.text, "asked": asked}))


def _version(flow: Flow, found: Sequence[Found[ObjectRecord]]) -> int:
    """Of the object at the flow's own label; 0 for none."""
    return next((each.version for each in found if each.ref.class_id == flow.access.id), 0)


def _seen(found: Sequence[Found[ObjectRecord]]) -> Seen | None:
    top = only(found)
    return shown(top) if top is not None else None
