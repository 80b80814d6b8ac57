"""Where damaged rows lie: remembered when one is met, and written down for an operator, who is told no content.

    Rows.open -> Damaged -> Damages.met() -> [loop] a row of kind `quarantined`, and an entry, in one batch

What is known of a damaged row was learned by whoever read it, so it is written where he acts and never below: that a
row of a lower class was read says something of the reader. What nobody in particular read (the directory, a class) is
written at the region's ceiling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from casemate.access.damaged import Place
from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.record import Note
from casemate.clock import Loop
from casemate.errors import CasemateError
from casemate.objects import Kind, Put
from casemate.store import Batch, check

__all__ = ["QUARANTINED", "Quarantined", "loops", "quarantined", "write"]

STEP = 100


class Quarantined(msgspec.Struct, frozen=True):
    """A damaged row: its kind, class, the number of its place there, and its name in the store, which says nothing.

    `name` is "" where that could not be read either.
    """

    kind: str
    class_id: str
    number: int
    name: str
    found: int


QUARANTINED = Kind("quarantined", Quarantined)


async def write(gate: Gate) -> int:
    """Write down what was met, each class by itself. What cannot be written now waits."""
    return sum(await asyncio.gather(*(_all(gate, places) for places in gate.damages.waiting(STEP))))


async def _all(gate: Gate, places: Sequence[tuple[Place, str]]) -> int:
    done = 0
    for place, name in places:
        try:
            await _one(gate, place, name)
        except CasemateError:
            continue
        gate.damages.written(place)
        done += 1
    return done


async def _one(gate: Gate, place: Place, name: str) -> None:
    access = place.at or gate.classes.of(gate.vault.region.ceiling)
    text = f"{place.kind}/{place.class_id}/{place.number}"
    id = gate.vault.sealer.blind(access.id, QUARANTINED.name, text).hex()[:32]
    found = Quarantined(place.kind, place.class_id, place.number, name, gate.vault.clock.now())
    subject = f"{place.kind}/{place.number}@{place.class_id}"
    note = Note("store.quarantine", "damaged", rule="damaged", subjects=(subject,))
    _, entry = gate.recorder.entry(gate.service("store", access), access, note)
    put = gate.rows.put(access, Put(QUARANTINED, id, found))
    classes = [gate.classes.row(access)]
    batch = Batch(access.id, f"quarantine/{id}", [put], entries=[entry], classes=classes, spares=[access.id])
    await gate.vault.committer.commit(batch)


def loops(gate: Gate) -> list[Loop]:
    """Every process that reads writes down what it met."""

    async def step() -> int:
        return await write(gate)

    return [Loop("store.quarantine", 1.0, step)]


async def quarantined(flow: Flow) -> list[tuple[Quarantined, bool]]:
    """The places that one sees, in order, and whether each is whole again; what two readers met stands there once."""
    found = [each.value for each in await flow.every(QUARANTINED)]
    once = {(each.class_id, each.kind, each.number): each for each in reversed(found)}
    return [(once[place], _whole(flow, once[place])) for place in sorted(once)]


def _whole(flow: Flow, place: Quarantined) -> bool:
    """Whether the row has the digest of what was written there."""
    after = f"{place.class_id}:{max(0, place.number - 1)}"
    try:
        rows, _ = flow.gate.vault.reader.scan(place.kind, [], [place.class_id], after, 1)
        return all(check(row).seq == place.number for row in rows)
    except CasemateError:
        return False
