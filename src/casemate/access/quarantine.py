"""Where damaged rows lie: remembered when one is met, and written down for an operator, who is told no content.

    Rows.open -> Damaged                 -> met() -> [loop] a row of kind `quarantined`, and an entry, in one batch

What is known of a damaged row was learned by whoever read it, so it is written where he acts and never below: that a
row of a lower class was read says something of the reader. What nobody in particular read (the directory, a class) is
written at the region's ceiling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from casemate.access.record import Note
from casemate.clock import Loop
from casemate.errors import CasemateError
from casemate.labels import AccessClass
from casemate.objects import Kind, Put
from casemate.store import Batch, check

if TYPE_CHECKING:
    from casemate.access.flow import Flow
    from casemate.access.gate import Gate

__all__ = ["QUARANTINED", "Meet", "Quarantine", "Quarantined", "quarantined"]

MOST = 10_000  # places that wait to be written; a store of which more is damaged is damaged as a whole
STEP = 100
Meet = Callable[[str, str, str, int, AccessClass | None], None]


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


class Quarantine:
    """One per gate. What waits here has been served to nobody, and is met again where this process ends first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[AccessClass | None, str, str, int], str] = {}
        self._written: set[tuple[AccessClass | None, str, str, int]] = set()

    def met(self, kind: str, class_id: str, name: str, number: int, at: AccessClass | None = None) -> None:
        """A damaged row; `at` is the class of whoever read it. Callable in any thread."""
        number = number if isinstance(number, int) and 0 <= number < 1 << 63 else 0
        place = (at, kind, class_id, number)
        if place not in self._written and len(self._waiting) < MOST:
            self._waiting[place] = name if isinstance(name, str) else ""

    async def write(self, gate: Gate) -> int:
        """Write down what was met. What cannot be written now waits."""
        done = 0
        for place, name in list(self._waiting.items())[:STEP]:
            try:
                await self._one(gate, place, name)
            except CasemateError:
                continue
            self._written.add(place)
            del self._waiting[place]
            done += 1
        return done

    async def _one(self, gate: Gate, place: tuple[AccessClass | None, str, str, int], name: str) -> None:
        at, kind, class_id, number = place
        access = at or gate.classes.of(gate.vault.region.ceiling)
        id = gate.vault.sealer.blind(access.id, QUARANTINED.name, f"{kind}/{class_id}/{number}").hex()[:32]
        found = Quarantined(kind, class_id, number, name, gate.vault.clock.now())
        note = Note("store.quarantine", "damaged", rule="damaged", subjects=(f"{kind}/{number}@{class_id}",))
        _, entry = gate.recorder.entry(gate.service("store", access), access, note)
        put = gate.rows.put(access, Put(QUARANTINED, id, found))
        batch = Batch(access.id, f"quarantine/{id}", [put], entries=[entry], classes=[gate.classes.row(access)])
        await gate.vault.committer.commit(batch)

    def loop(self, gate: Gate) -> Loop:
        """Every process that reads writes down what it met."""

        async def step() -> int:
            return await self.write(gate)

        return Loop("store.quarantine", 1.0, step)


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
