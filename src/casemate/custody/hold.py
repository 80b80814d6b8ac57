"""Freezing: everything that came of an object is held back, class by class, each in one commit.

First what is found at once, in milliseconds; then what takes a look at everything. Whoever is at work on one of these
objects meanwhile (a document that is being read, a batch that is being answered) has his commit refused, since freezing
writes the row anew; what he had already landed is found in the next round. It ends when a round finds nothing new.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from casemate.access import Flow, Gate
from casemate.access.contain import land
from casemate.access.frozen import FROZEN, FrozenRecord, frozen_id
from casemate.custody.case import Known
from casemate.custody.derived import Derived, derive, family
from casemate.custody.kinds import ENTRY, Kinds
from casemate.custody.walk import found_at
from casemate.errors import Conflict, Unavailable
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Put, Ref, Where

__all__ = ["View", "free", "freeze", "frozen_by", "lift"]

ROUNDS = 50
View = Callable[[], Awaitable[Flow]]  # a new look each time


async def freeze(
    gate: Gate, kinds: Kinds, case: str, named: str, true: Label, everything_of_it: bool, view: View, known: Known
) -> Derived:
    """Hold back what does not lie at the true label or above (`everything_of_it`: wherever it lies). Can be repeated.

    Raises Unavailable where others write faster than it can be held.
    """
    for _ in range(ROUNDS):
        top = await view()
        lying = await found_at(top, kinds, named, everybody=True, raises=False)
        roots = await _with(top, kinds, lying, known)
        wanted = _low(await family(top, kinds, roots), true, everything_of_it)
        if await _held(gate, kinds, case, wanted, view):
            continue
        await gate.folded()
        top = await view()
        derived = await derive(top, kinds, roots, known.words)
        if not await _held(gate, kinds, case, _low(derived.objects(), true, everything_of_it), view):
            return derived
    raise Unavailable(what="spill")


async def _with(flow: Flow, kinds: Kinds, roots: list[Found[Any]], known: Known) -> list[Found[Any]]:
    """What is there, what was known before and still is, and the places of what is no longer."""
    found = {one.ref: one for one in roots}
    for place in known.places:
        ref = Ref(*place)
        traced = kinds.traced.get(ref.kind)
        lying = await flow.read_each(traced.kind, ref.id) if traced is not None and ref not in found else []
        for one in lying:
            if one.ref == ref:
                found[ref] = one
        found.setdefault(ref, Found(ref, 0, flow.acting, None))
    return list(found.values())


def _low(found: Iterable[Found[Any]], true: Label, all_of_it: bool) -> list[Found[Any]]:
    return [one for one in found if all_of_it or not true <= one.label]


async def _held(gate: Gate, kinds: Kinds, case: str, found: Iterable[Found[Any]], view: View) -> int:
    """How many were not held before; more than none also where somebody was faster and it must be looked at anew."""
    top = await view()
    already = {(each.ref.class_id, each.value.kind, each.value.id) for each in await top.every(FROZEN)}
    waiting: dict[str, list[Found[Any]]] = {}
    for one in found:
        traced = kinds.traced.get(one.ref.kind)
        if traced is None or traced.inside is not None or one.ref.kind == ENTRY:
            continue  # a segment holds others' words too: its own are passed over by whoever searches
        if (one.ref.class_id, one.ref.kind, one.id) not in already:
            waiting.setdefault(one.ref.class_id, []).append(one)
    now, count = gate.vault.clock.now(), 0
    for class_id in sorted(waiting):
        changes: list[Change] = []
        for one in waiting[class_id]:
            traced = kinds.traced[one.ref.kind]
            kind = traced.kind
            record = FrozenRecord(kind.name, one.id, case, now, tuple(kind.blobs(one.value)))
            changes.append(Put(FROZEN, frozen_id(kind.name, one.id), record, expect=0))
            if traced.touched:
                changes.append(Put(kind, one.id, one.value, traced.parents(top, one.value), one.version))
        count += len(waiting[class_id])
        try:
            await land(gate, gate.classes.by_id(class_id), changes, {"case": case, "frozen": len(waiting[class_id])})
        except Conflict:
            continue  # the next round sees what has become of it
    return count


async def frozen_by(case: str, view: View) -> dict[str, list[Found[FrozenRecord]]]:
    """What a case has frozen, by class."""
    found: dict[str, list[Found[FrozenRecord]]] = {}
    for each in await (await view()).every(FROZEN, Where((("case", case),))):
        found.setdefault(each.ref.class_id, []).append(each)
    return found


async def free(gate: Gate, kinds: Kinds, case: str, view: View) -> int:
    """The places that a case has emptied are free again, where callers choose what they are called."""
    count = 0
    for class_id, several in sorted((await frozen_by(case, view)).items()):
        going = [each for each in several if each.value.settled and not each.value.blobs]
        going = [each for each in going if kinds.traced[each.value.kind].named]
        if going:
            changes = [Delete(FROZEN, each.id, expect=each.version) for each in going]
            await land(gate, gate.classes.by_id(class_id), changes, {"case": case, "free": len(changes)})
            count += len(going)
    return count


async def lift(gate: Gate, case: str, view: View) -> int:
    """What a case has frozen is served again; what it has raised or destroyed already stays so."""
    count = 0
    for class_id, several in sorted((await frozen_by(case, view)).items()):
        changes = [Delete(FROZEN, each.id, expect=each.version) for each in several if not each.value.settled]
        if changes:
            await land(gate, gate.classes.by_id(class_id), changes, {"case": case, "lifted": len(changes)})
            count += len(changes)
    return count
