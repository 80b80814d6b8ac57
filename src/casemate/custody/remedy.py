"""Raising or destroying what a case has frozen, class by class, each in one commit; then the bytes go.

One commit takes the rows of a class away, puts what is raised at the join of its own label with the true one, takes the
words out of the segments that hold others' too, forgets what the ledger keeps beside the entries that repeated them,
and writes down which bytes are then nobody's. Only after it are these deleted. So a crash leaves either what was, or a
list of bytes that still have to go: the next round goes on from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access import Flow, Gate
from casemate.access.contain import Onward, destroy, land, pour
from casemate.access.frozen import FROZEN, FrozenRecord, frozen_id
from casemate.custody.case import How
from casemate.custody.derived import Derived, copies
from casemate.custody.hold import View, frozen_by
from casemate.custody.kinds import Kinds, Onto
from casemate.custody.quotes import quotes
from casemate.errors import Absent, Conflict, Damaged, Unavailable
from casemate.labels import AccessClass, Label
from casemate.objects import Change, Delete, Found, Put

__all__ = ["forget", "remedy"]

TRIES = 20
PAGE = 200


async def remedy(gate: Gate, kinds: Kinds, case: str, how: How, true: Label, derived: Derived, view: View) -> None:
    """Do it for every class. Can be repeated. Raises Unavailable where others are always faster."""
    for class_id in sorted(await frozen_by(case, view)):
        for _ in range(TRIES):
            try:
                await _class(gate, kinds, case, how, true, gate.classes.by_id(class_id), derived, view)
                break
            except Conflict:
                continue  # a segment was written anew meanwhile
        else:
            raise Unavailable(what="spill")
    await forget(gate, case, derived, true, everything_of_it=how == "shred")
    await _bytes(gate, kinds, case, view)
    await _orphans(gate, kinds, how, true, derived, view)


async def _class(
    gate: Gate,
    kinds: Kinds,
    case: str,
    how: How,
    true: Label,
    access: AccessClass,
    derived: Derived,
    view: View,
) -> None:
    """The rows of one class, in one commit."""
    flow = await view()
    records = [each for each in await flow.every(FROZEN) if each.ref.class_id == access.id]
    records = [each for each in records if each.value.case == case and not each.value.settled]
    going: list[Found[Any]] = []
    changes: list[Change] = []
    for record in records:
        traced = kinds.traced[record.value.kind]
        here = [one for one in await flow.read_each(traced.kind, record.value.id) if one.ref.class_id == access.id]
        if here and (traced.stays(how) or (how == "relabel" and access.need)):
            continue  # it stays frozen: others are built upon it, or no label says who needs to know it
        going += here
        changes += [Delete(traced.kind, one.id, expect=one.version) for one in here]
        changes.append(
            Put(FROZEN, record.id, msgspec.structs.replace(record.value, settled=True), expect=record.version)
        )
    onward = await _onward(gate, kinds, flow, true, access, going) if how == "relabel" else None
    for traced in kinds.traced.values():
        if traced.take_out is not None and going:
            taken, blobs = await traced.take_out(flow, access, going)
            changes += taken
            if blobs:  # bytes that nobody names any more, to be deleted after this
                id = f"{case}/{min(blobs)[:32]}"
                record_of = FrozenRecord(traced.kind.name, id, case, gate.vault.clock.now(), tuple(blobs), settled=True)
                changes.append(Put(FROZEN, frozen_id(traced.kind.name, id), record_of))
    forgets = _forgets(derived, access)
    if changes or forgets:
        await land(gate, access, changes, {"case": case, "how": how, "gone": len(going)}, onward, forgets)


async def _onward(
    gate: Gate, kinds: Kinds, flow: Flow, true: Label, access: AccessClass, going: Sequence[Found[Any]]
) -> Onward | None:
    """What is put at the join of the true label and their own."""
    label = access.label | true
    if not going or label is access.label:
        return None
    above = gate.classes.of(label)

    async def keep(data: bytes) -> str:
        return await pour(gate, above, data)

    onto = Onto(true, label, above, keep)
    puts: list[Put] = []
    for one in going:
        raised = kinds.traced[one.ref.kind].raised
        puts += await raised(flow, onto, one) if raised is not None else [await _moved(kinds, flow, onto, one)]
    return Onward(above, puts)


async def _moved(kinds: Kinds, flow: Flow, onto: Onto, one: Found[Any]) -> Put:
    """The row itself, with the names that its bytes have there."""
    kind = kinds.traced[one.ref.kind].kind
    names = {}
    for blob in kind.blobs(one.value):
        names[blob] = await onto.pour(await flow.blob(one.ref.class_id, blob))
    plain: Any = msgspec.to_builtins(one.value)
    value = msgspec.convert(_renamed(plain, names), kind.type) if names else one.value
    return Put(kind, one.id, value, kinds.traced[one.ref.kind].parents(flow, value))


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(each, names) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def _forgets(derived: Derived, access: AccessClass) -> list[int]:
    return sorted(
        {
            each.stored.seq
            for each in derived.entries
            if each.access.id == access.id and each.stored is not None and each.stored.content
        }
    )


async def forget(gate: Gate, case: str, derived: Derived, true: Label, everything_of_it: bool) -> None:
    """What the ledger keeps beside entries of classes in which nothing was frozen goes as well."""
    classes = {each.access.id: each.access for each in derived.entries}
    for access in classes.values():
        forgets = _forgets(derived, access)
        if forgets and (everything_of_it or not true <= access.label):
            await land(gate, access, [], {"case": case, "forgotten": len(forgets)}, forgets=forgets)


async def _bytes(gate: Gate, kinds: Kinds, case: str, view: View) -> None:
    """Delete what is nobody's, and then only say so."""
    for class_id, several in sorted((await frozen_by(case, view)).items()):
        access = gate.classes.by_id(class_id)
        gone = [each for each in several if each.value.settled and each.value.blobs]
        named = await _named(kinds, access, view) if gone else frozenset()
        for each in gone:
            for blob in each.value.blobs:
                if blob not in named:
                    await destroy(gate, access, blob)
        changes: list[Change] = [
            Put(FROZEN, each.id, msgspec.structs.replace(each.value, blobs=()), expect=each.version) for each in gone
        ]
        if changes:
            await land(gate, access, changes, {"case": case, "destroyed": len(changes)})


async def _orphans(gate: Gate, kinds: Kinds, how: How, true: Label, derived: Derived, view: View) -> None:
    """Copies that nobody names any more (segments that were merged, what was held before it came to rest) go now.

    What is unnamed because somebody is just about to name it has nothing of these words in it, or is refused.
    """
    flow = await view()
    known, lengths, files = derived.words.known(), derived.words.lengths, set(derived.words.files)
    for access in flow.classes():
        if how == "relabel" and true <= access.label:
            continue
        named, after = await _named(kinds, access, view), ""
        while page := await gate.vault.blobs.lying(access.id, after, PAGE):
            after = page[-1].name
            for each in page:
                if each.name not in named:
                    with contextlib.suppress(Absent, Damaged):
                        raw = await flow.blob(access.id, each.name)
                        if not (files & set(copies(kinds, raw)) or quotes(raw, known, lengths)):
                            continue
                        if each.name not in await _named(kinds, access, view):  # nor has anybody named it meanwhile
                            await destroy(gate, access, each.name)


async def _named(kinds: Kinds, access: AccessClass, view: View) -> frozenset[str]:
    """The bytes that something of this class still names."""
    flow = await view()
    found: set[str] = set()
    for traced in kinds.traced.values():
        for one in await flow.every(traced.kind):
            if one.ref.class_id == access.id:
                found.update(traced.kind.blobs(one.value))
    return frozenset(found)
