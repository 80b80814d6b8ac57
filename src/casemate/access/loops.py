"""What the gate does by itself: sign heads, tell higher logs what was really refused, forget what retention ends.

Each step works class by class with a service session of that class; what goes wrong in one class is its own, and stops
no other. `reconcile` reads the logs below and writes in the log of its own class only: the low side has already been
answered, and nothing of this is visible there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

import msgspec

from casemate.access.audit import CHECKPOINT
from casemate.access.gate import Gate
from casemate.access.record import Note
from casemate.access.trees import Tree
from casemate.clock import Loop
from casemate.errors import CasemateError, Damaged
from casemate.labels import AccessClass
from casemate.ledger import Checkpoint, Entry, Frontier, sign_checkpoint
from casemate.objects import Kind, Put
from casemate.store import Batch, Forget

__all__ = ["CURSOR", "loops"]


class Cursor(msgspec.Struct, frozen=True):
    """How far a higher class has read a lower log."""

    seq: int


CURSOR = Kind("ledger.cursor", Cursor)
STEP = 500
BACK = 5000  # how far a class that has never told anything looks back
LEAVES = 10_000


class Keeper:
    """The gate's loops; the only state is a growing tree per log, which can be derived again at any time."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._trees: dict[str, Frontier] = {}
        self._signed: dict[str, Checkpoint | None] = {}
        self._laid: dict[str, int] = {}
        self._told: dict[tuple[str, str], int] = {}
        self.problems: dict[str, str] = {}

    async def _alone(self, access: AccessClass, work: Awaitable[int]) -> int:
        """The work of one class; what prevents it is kept in `problems`, for that class alone."""
        try:
            done = await work
        except CasemateError as error:
            self.problems[access.id] = error.slug
            return 0
        self.problems.pop(access.id, None)
        return done

    async def checkpoint(self) -> int:
        """Sign the head of every log that has grown since its last checkpoint, with all that was durable before now."""
        signed = 0
        with contextlib.suppress(CasemateError):  # what could not be folded is signed another time
            await self._gate.folded()
        sizes = self._gate.vault.reader.sizes()
        for access in self._plain():
            signed += await self._alone(access, self._head(access, sizes.get(access.id, 0)))
        return signed

    async def _head(self, access: AccessClass, size: int) -> int:
        if access.id not in self._signed:
            await self._resume(access)
        last = self._signed[access.id]
        grown = size > (last.size if last else 0)
        if grown:
            await self._sign(access, size)
        await self._lay(access)
        return int(grown)

    async def _resume(self, access: AccessClass) -> None:
        """Go on after the last checkpoint, with the tree that it signed."""
        last = self._last(access)
        if last is not None:
            self._trees[access.id] = await asyncio.to_thread(Tree(self._gate.vault, access.id).frontier, last)
        self._signed[access.id] = last

    async def _lay(self, access: AccessClass) -> None:
        """Bring the tree's files to the last checkpoint."""
        point, tree = self._signed[access.id], Tree(self._gate.vault, access.id)
        if point is None or self._gate.vault.tiles is None:
            return
        if access.id not in self._laid:
            self._laid[access.id] = await asyncio.to_thread(tree.laid, point.size)
        if self._laid[access.id] < point.size:
            steps = tree.grow(self._laid[access.id], point.size)
            while await asyncio.to_thread(next, steps, None) is not None:
                pass
            await asyncio.to_thread(tree.sign, point)
            self._laid[access.id] = point.size

    def _plain(self) -> list[AccessClass]:
        return [c for c in self._gate.classes.everything() if not c.originator]

    def _last(self, access: AccessClass) -> Checkpoint | None:
        gate, after = self._gate, None
        found: list[Checkpoint] = []
        while True:
            rows, after = gate.vault.reader.scan(CHECKPOINT.name, [], [access.id], after, STEP)
            found += [gate.rows.open(CHECKPOINT, row).value for row in rows]
            found = [max(found, key=_size)] if found else []
            if after is None:
                return found[0] if found else None

    async def _sign(self, access: AccessClass, size: int) -> None:
        vault = self._gate.vault
        tree = self._trees.setdefault(access.id, Frontier())
        while tree.size < size:
            stop = min(size, tree.size + LEAVES)
            leaves = vault.reader.leaves(access.id, tree.size, stop)
            if len(leaves) != stop - tree.size:
                raise Damaged(what="ledger")
            tree.extend(leaves)
            await asyncio.sleep(0)  # a long log is read again after a start, while others are served
        point = sign_checkpoint(
            vault.signer, access.id, size, tree.root(), vault.clock.now(), solo=not self._gate.directory.two_person()
        )
        put = self._gate.rows.put(access, Put(CHECKPOINT, f"{size:016d}", point))
        classes = [self._gate.classes.row(access)]
        await vault.committer.commit(Batch(domain=access.id, puts=[put], classes=classes, spares=[access.id]))
        self._signed[access.id] = point

    async def reconcile(self) -> int:
        """Every higher class looks at what was answered `absent` below it, and records what really lay there."""
        told = 0
        classes, sizes = self._plain(), self._gate.vault.reader.sizes()
        for low in classes:
            if (
                low.need
            ):  # nothing is asked there: a request acts with its authorizations, and never with one of several
                continue
            above = [high for high in classes if high is not low and low.label <= high.label]
            told += await self._alone(low, self._upward(low, above, sizes.get(low.id, 0)))
        return told

    async def _upward(self, low: AccessClass, above: list[AccessClass], size: int) -> int:
        """What is new in a log, read once for all classes above that have come equally far."""
        waiting: dict[int, list[AccessClass]] = {}
        for high in above:
            if (high.id, low.id) not in self._told:
                await self._alone(high, self._begin(high, low, size))
            start = self._told.get((high.id, low.id), size)
            if start < size:
                waiting.setdefault(start, []).append(high)
        told = 0
        for start, highs in waiting.items():
            stop = min(size, start + STEP)
            stored = self._gate.vault.reader.entries(low.id, start, stop)
            opened = [self._gate.recorder.open(low.id, each) for each in stored]
            asked = [entry for entry in opened if entry.outcome == "absent"]
            for high in highs:
                told += await self._alone(high, self._tell(high, low, asked, start, stop))
            await asyncio.sleep(0)
        return told

    async def _begin(self, high: AccessClass, low: AccessClass, size: int) -> int:
        """How far a class has read a log, as far as it has written that down."""
        rows = self._gate.rows.get(CURSOR.name, low.id, [high.id])
        seq = self._gate.rows.open(CURSOR, rows[0]).value.seq if rows else max(0, size - BACK)
        self._told[high.id, low.id] = seq
        return 0

    async def _tell(self, high: AccessClass, low: AccessClass, asked: list[Entry], start: int, stop: int) -> int:
        gate = self._gate
        session = gate.service("ledger", high)
        notes = [note for note in (self._really(entry, high, low) for entry in asked) if note is not None]
        entries = [gate.recorder.entry(session, high, note)[1] for note in notes]
        if entries or stop - start >= STEP:
            put = gate.rows.put(high, Put(CURSOR, low.id, Cursor(stop)))
            key = gate.rows.key(high.id, f"tell/{low.id}/{start}")
            batch = Batch(high.id, key, [put], [], entries, [gate.classes.row(high)], spares=[high.id])
            await gate.vault.committer.commit(batch)
        self._told[high.id, low.id] = stop
        return len(entries)

    def _really(self, entry: Entry, high: AccessClass, low: AccessClass) -> Note | None:
        kind, id = str(entry.facts.get("kind", "")), str(entry.facts.get("id", ""))
        if not self._gate.rows.get(kind, id, [high.id]):
            return None
        facts = (
            ("acting", low.label.text),
            ("asked", entry.id),
            ("asked_at", entry.at),
            ("principal", entry.principal),
            ("session", entry.session),
        )
        rule = "need" if high.label.without_needs <= low.label else "no-read-up"
        return Note(entry.action, "refused", rule, facts, (f"{kind}/{id}@{high.id}",))

    async def forget(self) -> int:
        """Destroy what was said where its retention has ended; the tree still verifies."""
        gone = 0
        for access in self._plain():
            gone += await self._alone(access, self._end(access))
        return gone

    async def _end(self, access: AccessClass) -> int:
        vault = self._gate.vault
        due = vault.reader.expired(vault.clock.now(), [access.id], STEP)
        if due:
            forgets = [Forget(log, seq) for log, seq in due]
            await vault.committer.commit(Batch(domain=access.id, forgets=forgets))
        return len(due)


def _size(point: Checkpoint) -> int:
    return point.size


def loops(gate: Gate) -> list[Loop]:
    """The gate's own loops."""
    keeper = Keeper(gate)
    return [
        Loop("ledger.checkpoint", 1.0, keeper.checkpoint),
        Loop("ledger.reconcile", 1.0, keeper.reconcile),
        Loop("ledger.forget", 600.0, keeper.forget),
    ]
