"""A second world for proofs: its own folder, keys, writer and index, holding copies of what one label sees."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casemate.access import Flow, Gate, Vault
from casemate.assistants import Assistant
from casemate.clock import ManualClock
from casemate.crypto import KeySigner, generate
from casemate.engines.committer_journal import CommitterJournal
from casemate.engines.files import FileBlobs
from casemate.engines.key_store import PassingKeys
from casemate.engines.sqlite import SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.ids import SystemEntropy
from casemate.knowledge import DOCUMENT, PART, SEGMENT, Embedder, Embedders, Library, Segment, World
from casemate.labels import AccessClass
from casemate.models import Answerer, Catalogue
from casemate.objects import Change, Put
from casemate.store import Batch

__all__ = ["Twin"]


@dataclass(slots=True)
class _Second:
    flow: Flow
    answerer: Answerer
    library: Library
    folder: Path
    writer: SqliteWriter
    reader: SqliteReader

    async def close(self) -> None:
        """Nothing of the second world stays."""
        self.reader.close()
        self.writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Twin:
    """Implements `assistants.SecondWorld`."""

    catalogue: Catalogue
    embedder: Embedders | Embedder | None

    async def __call__(self, flow: Flow, world: World) -> _Second:
        folder = Path(tempfile.mkdtemp(prefix="casemate-proof-"))
        first = flow.gate.vault
        writer = SqliteWriter(folder / "data" / "records.db", durable=False)
        sealer = PassingKeys()  # whatever a crash leaves of the copies can be opened by nobody
        reader = SqliteReader(folder / "data" / "records.db")
        vault = Vault(
            region=first.region,
            reader=reader,
            committer=writer,
            journal=CommitterJournal(writer),
            blobs=FileBlobs(folder / "data" / "blobs", sealer, low_water=0),
            sealer=sealer,
            signer=KeySigner(generate()),
            clock=ManualClock(first.clock.now()),
            entropy=SystemEntropy(),
        )
        gate = Gate(vault)
        await _plant(gate, world, flow.gate.classes.by_id)
        there = await gate.open(flow.session, flow.action, flow.acting)
        there.floor = flow.floor
        library = Library(self.embedder)
        return _Second(there, Assistant(library, self.catalogue), library, folder, writer, reader)


async def _plant(gate: Gate, world: World, by_id: Callable[[str], AccessClass]) -> None:
    """Put the copies where they lay, in the same classes and under their own ids."""
    placed: dict[str, list[Change]] = {}
    for whole in world.wholes:
        placed.setdefault(whole.ref.class_id, []).append(Put(DOCUMENT, whole.id, whole.value))
    for part in world.parts:
        placed.setdefault(part.ref.class_id, []).append(Put(PART, part.id, part.value))
    for copy in world.shards:
        blob = await gate.vault.blobs.write(copy.place, copy.index)
        plane = await gate.vault.blobs.write(copy.place, copy.vectors) if copy.vectors else ""
        segment = Segment(copy.base, blob, copy.passages, plane, copy.embedder)
        placed.setdefault(copy.place, []).append(Put(SEGMENT, f"seg_{blob[:32]}", segment))
    for place, changes in placed.items():
        access = gate.classes.learn(by_id(place))
        puts, _ = gate.rows.split(access, tuple(changes))
        await gate.vault.committer.commit(Batch(domain=access.id, puts=puts, classes=[gate.classes.row(access)]))
