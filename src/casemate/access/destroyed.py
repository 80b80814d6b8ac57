"""A class's key that is to be destroyed, and what is still known of the class afterwards.

    asked at the class's own label (`accounts.class_keys`) -> a row of kind `class-key.doomed` at the region's ceiling
    -> [loop] the last head of its log signed into that row, then the key destroyed

What is asked at a label is written upward: whoever destroys says it where it lies, and the record of it outlives what
it tells of. The row is durable before the key goes, so that whoever is killed between them goes on afterwards. The
leaves of the class's log stay, and so does its last head: the tree verifies, and what its entries said nobody can read.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from casemate.access.core import Core
from casemate.access.record import Note, facts_of
from casemate.access.rows import ref_text
from casemate.access.state import State
from casemate.clock import Loop
from casemate.errors import CasemateError, Damaged
from casemate.identity import Principal, Session
from casemate.labels import AccessClass
from casemate.ledger import Checkpoint, Frontier, sign_checkpoint
from casemate.objects import Found, Kind, Put, Ref
from casemate.store import Batch

__all__ = ["DOOMED", "Doomed", "doom", "last_head", "loops"]

LEAVES = 10_000
PAGE = 100


class Doomed(msgspec.Struct, frozen=True):
    """Which class's key, its label, who asked for it and when (microseconds), what lay there, and the log's last head.

    `lost` counts the rows of each kind, and under "entries" what its log held. `point` stands once the key is going.
    """

    class_id: str
    label: str
    by: str
    at: int
    lost: dict[str, int]
    point: Checkpoint | None = None


DOOMED = Kind("class-key.doomed", Doomed)


async def doom(flow: State, lost: dict[str, int]) -> None:
    """Write upward that the key of the acting label's class is to be destroyed, with an entry there."""
    gate, access = flow.gate, flow.access
    high = gate.classes.of(gate.vault.region.ceiling)
    said = Doomed(access.id, access.label.text, flow.session.principal.name, gate.vault.clock.now(), lost)
    facts = {"label": said.label, "by": said.by, **{f"lost {kind}": count for kind, count in sorted(lost.items())}}
    subject = ref_text(Ref(DOOMED.name, access.id, high.id))
    note = Note("class-key.destroy", "asked", facts=facts_of(facts), subjects=(subject,))
    _, entry = gate.recorder.entry(_service(high), high, note)
    batch = Batch(
        domain=access.id,
        key=gate.rows.key(high.id, f"doom/{access.id}"),
        puts=[gate.rows.put(high, Put(DOOMED, access.id, said))],
        entries=[entry],
        classes=[gate.classes.row(high)],
        spares=[high.id],
    )
    await gate.vault.committer.commit(batch)


def _service(access: AccessClass) -> Session:
    principal = Principal("service:keys", "service:keys", access.label, frozenset({"service"}))
    return Session("keys", principal, access.label, access.label)


def last_head(core: Core, access: AccessClass) -> list[Checkpoint]:
    """The last head of a log whose class's key was destroyed, where it is known.

    It lies above, and is told to whoever sees the class: it says nothing but what the class's own leaves say.
    """
    high = core.classes.of(core.vault.region.ceiling)
    rows = core.rows.get(DOOMED.name, access.id, [high.id])
    points = [core.rows.open(DOOMED, row).value.point for row in rows]
    return [point for point in points if point is not None]


class _Destroyer:
    """One per region, where the loops run."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def step(self) -> int:
        """Destroy what is doomed and is still there. What cannot be done now is done at a later step."""
        core, done = self._core, 0
        high = core.classes.of(core.vault.region.ceiling)
        after: str | None = None
        while True:
            rows, after = core.vault.reader.scan(DOOMED.name, [], [high.id], after, PAGE)
            for row in rows:
                with contextlib.suppress(CasemateError):
                    found = core.rows.open(DOOMED, row)
                    if found.value.class_id not in core.vault.sealer.destroyed():
                        await self._one(high, found)
                        done += 1
            if after is None:
                return done

    async def _one(self, high: AccessClass, found: Found[Doomed]) -> None:
        core, doomed = self._core, found.value
        point = await self._point(doomed.class_id)
        put = core.rows.put(high, Put(DOOMED, found.id, msgspec.structs.replace(doomed, point=point)))
        note = Note("class-key.destroy", "destroyed", facts=facts_of({"label": doomed.label, "by": doomed.by}))
        _, entry = core.recorder.entry(_service(high), high, note)
        await core.vault.committer.commit(
            Batch(domain=high.id, puts=[put], entries=[entry], classes=[core.classes.row(high)], spares=[high.id])
        )
        await asyncio.to_thread(core.vault.sealer.destroy, doomed.class_id)

    async def _point(self, log: str) -> Checkpoint:
        """The head of the log as it is now, signed."""
        vault, tree = self._core.vault, Frontier()
        await self._core.folded()
        size = vault.reader.sizes().get(log, 0)
        while tree.size < size:
            leaves = vault.reader.leaves(log, tree.size, min(size, tree.size + LEAVES))
            if not leaves:
                raise Damaged(what="ledger")
            for leaf in leaves:
                tree.append(leaf)
            await asyncio.sleep(0)
        return sign_checkpoint(
            vault.signer, log, size, tree.root(), vault.clock.now(), solo=not self._core.directory.two_person()
        )


def loops(core: Core) -> list[Loop]:
    """Where the loops of the region run."""
    return [Loop("keys.destroy", 1.0, _Destroyer(core).step)]
