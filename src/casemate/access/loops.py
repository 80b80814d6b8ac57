"""What the gate does by itself: sign heads, tell higher logs what was really refused, forget what retention ends.

Each step works class by class with a service session of that class. `reconcile` reads the logs below and writes in the
log of its own class only: the low side has already been answered, and nothing of this is visible there.
"""

from __future__ import annotations

import msgspec

from casemate.access.audit import CHECKPOINT
from casemate.access.gate import Gate
from casemate.access.record import Note
from casemate.clock import Loop
from casemate.labels import AccessClass
from casemate.ledger import Entry, Frontier, sign_checkpoint
from casemate.objects import Kind, Put
from casemate.store import Batch, Forget

__all__ = ["CURSOR", "loops"]


class Cursor(msgspec.Struct, frozen=True):
    """How far a higher class has read a lower log."""

    seq: int


CURSOR = Kind("ledger.cursor", Cursor)
STEP = 500


class Keeper:
    """The gate's loops; the only state is a growing tree per log, which can be derived again at any time."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._trees: dict[str, Frontier] = {}
        self._signed: dict[str, int] = {}
        self._told: dict[tuple[str, str], int] = {}

    async def checkpoint(self) -> int:
        """Sign the head of every log that has grown since its last checkpoint."""
        signed = 0
        sizes = self._gate.vault.reader.sizes()
        for access in self._plain():
            size = sizes.get(access.id, 0)
            if size > self._signed.get(access.id, self._last(access)):
                await self._sign(access, size)
                signed += 1
        return signed

    def _plain(self) -> list[AccessClass]:
        return [c for c in self._gate.classes.everything() if not c.originator]

    def _last(self, access: AccessClass) -> int:
        gate, last, after = self._gate, 0, None
        while True:
            rows, after = gate.vault.reader.scan(CHECKPOINT.name, [], [access.id], after, STEP)
            sizes: list[int] = [gate.rows.open(CHECKPOINT, row).value.size for row in rows]
            last = max([last, *sizes])
            if after is None:
                return last

    async def _sign(self, access: AccessClass, size: int) -> None:
        vault = self._gate.vault
        tree = self._trees.setdefault(access.id, Frontier())
        for leaf in vault.reader.leaves(access.id, tree.size, size):
            tree.append(leaf)
        point = sign_checkpoint(
            vault.signer, access.id, size, tree.root(), vault.clock.now(), solo=not self._gate.directory.two_person()
        )
        put = self._gate.rows.put(access, Put(CHECKPOINT, f"{size:016d}", point))
        await vault.committer.commit(Batch(domain=access.id, puts=[put], classes=[self._gate.classes.row(access)]))
        self._signed[access.id] = size

    async def reconcile(self) -> int:
        """Every higher class looks at what was answered `absent` below it, and records what really lay there."""
        told = 0
        classes = self._plain()
        for high in classes:
            for low in classes:
                if low is not high and low.label <= high.label:
                    told += await self._tell(high, low)
        return told

    async def _tell(self, high: AccessClass, low: AccessClass) -> int:
        gate = self._gate
        start = self._told.get((high.id, low.id), -1)
        if start < 0:
            rows = gate.vault.reader.get(CURSOR.name, low.id, [high.id])
            start = gate.rows.open(CURSOR, rows[0]).value.seq if rows else 0
        stop = min(gate.vault.reader.sizes().get(low.id, 0), start + STEP)
        if stop <= start:
            return 0
        session = gate.service("ledger", high)
        entries = []
        for stored in gate.vault.reader.entries(low.id, start, stop):
            note = self._really(gate.recorder.open(low.id, stored), high, low)
            if note is not None:
                entries.append(gate.recorder.entry(session, high, note)[1])
        if entries or stop - start >= STEP:
            put = gate.rows.put(high, Put(CURSOR, low.id, Cursor(stop)))
            batch = Batch(high.id, f"tell/{low.id}/{start}", [put], [], entries, [gate.classes.row(high)])
            await gate.vault.committer.commit(batch)
        self._told[high.id, low.id] = stop
        return len(entries)

    def _really(self, entry: Entry, high: AccessClass, low: AccessClass) -> Note | None:
        kind, id = str(entry.facts.get("kind", "")), str(entry.facts.get("id", ""))
        if entry.outcome != "absent" or not self._gate.vault.reader.get(kind, id, [high.id]):
            return None
        facts = (
            ("acting", low.label.text),
            ("asked", entry.id),
            ("asked_at", entry.at),
            ("principal", entry.principal),
            ("session", entry.session),
        )
        return Note(entry.action, "refused", "no-read-up", facts, (f"{kind}/{id}@{high.id}",))

    async def forget(self) -> int:
        """Destroy what was said where its retention has ended; the tree still verifies."""
        vault, gone = self._gate.vault, 0
        for access in self._plain():
            due = vault.reader.expired(vault.clock.now(), [access.id], STEP)
            if due:
                forgets = [Forget(log, seq) for log, seq in due]
                await vault.committer.commit(Batch(domain=access.id, forgets=forgets))
            gone += len(due)
        return gone


def loops(gate: Gate) -> list[Loop]:
    """The gate's own loops."""
    keeper = Keeper(gate)
    return [
        Loop("ledger.checkpoint", 1.0, keeper.checkpoint),
        Loop("ledger.reconcile", 1.0, keeper.reconcile),
        Loop("ledger.forget", 600.0, keeper.forget),
    ]
