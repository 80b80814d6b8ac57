"""A region that holds a made-up library: 2,000 access classes in a store of its own, searched through its gate.

What is measured later goes the product's own way: a flow of a session, the library's caches, shards read from sealed
blobs. Only the making is short: shards are built here and committed, without documents around them.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from bench.parts.passages import Library as Made
from casemate.access import Flow, Gate, Region, Vault
from casemate.clock import SystemClock
from casemate.engines.committer_journal import CommitterJournal
from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_signer import KeptSigner
from casemate.engines.sqlite import SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.identity import Principal, Session
from casemate.ids import SystemEntropy, short
from casemate.knowledge import SEGMENT, Segment
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import encode
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Label, Policies, make_label
from casemate.objects import Put
from casemate.policy import Action
from casemate.store import Batch

__all__ = ["EMBEDDER", "Shelves", "labels_of"]

EMBEDDER = "made-up"
DOCUMENT = 10  # passages of a document


def labels_of(policies: Policies, kinds: int, shares: Sequence[float]) -> tuple[list[Label], list[Label]]:
    """So many labels, and readers of whom the first sees the first share of them, the second the second, and so on."""
    rng = random.Random(20261121)
    countries = sorted(token for token in policies.listed["us"].by_name["REL"].tokens if len(token) == 3)
    countries.remove("USA")
    owners = [f"OWNER{at}" for at in range(len(shares) + 1)]
    found: dict[Label, None] = {}
    while len(found) < kinds:
        group = next((at for at, share in enumerate(shares) if len(found) < share * kinds), len(shares))
        said = f"us:{rng.choice(('CONFIDENTIAL', 'SECRET', 'TOP SECRET'))}//REL=USA"
        found[policies.parse(",".join([said, *rng.sample(countries, rng.randint(0, 4))]), [owners[group]])] = None
    return list(found), [policies.top(owners[: at + 1]) for at in range(len(shares))]


def _encoded(made: Made, rows: np.ndarray, label: Label) -> tuple[bytes, bytes]:
    """The shard of one label."""
    passages, filed = [], {}
    for at, (row, text) in enumerate(zip(rows.tolist(), made.texts(rows), strict=True)):
        document = f"doc_{int(rows[at - at % DOCUMENT])}"
        id = "psg_" + short(random.Random(row).randbytes(16))
        passages.append(Passage(id, document, at % DOCUMENT, f"Paper {document}", "", "", 0, text))
        filed[document] = Filed(document, f"Paper {document}", 0, "text/plain", "en")
    return encode(build(label, passages, made.vectors[rows], list(filed.values()), EMBEDDER, "default"))


_shared: list[Made] = []  # what the processes that build have from the moment of their fork


def _several(groups: Sequence[np.ndarray]) -> list[tuple[bytes, bytes]]:
    blank = make_label({})
    return [_encoded(_shared[0], rows, blank) for rows in groups]


@dataclass
class Shelves:
    """The gate of the region, and its labels."""

    gate: Gate
    writer: SqliteWriter
    folder: Path

    @classmethod
    def at(cls, folder: Path, policies: Policies, ceiling: Label) -> Shelves:
        """An empty region in a folder for temporary files."""
        (folder / "data").mkdir(parents=True, exist_ok=True)
        writer = SqliteWriter(folder / "data" / "records.db", durable=False)
        sealer = KeyStore(folder / "keys")
        vault = Vault(
            region=Region("bench", "OWNER0", make_label({}), ceiling, policies),
            reader=SqliteReader(folder / "data" / "records.db"),
            committer=writer,
            journal=CommitterJournal(writer),
            blobs=FileBlobs(folder / "data" / "blobs", sealer, low_water=0),
            sealer=sealer,
            signer=KeptSigner(folder / "keys", sealer, profile="ed25519", durable=False),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        return cls(Gate(vault), writer, folder)

    async def fill(self, made: Made, labels: Sequence[Label]) -> None:
        """One segment for each label; shards are built in as many processes as there are processors."""
        groups = [np.flatnonzero(made.labels == at) for at in range(len(labels))]
        parts = [groups[start : start + 50] for start in range(0, len(groups), 50)]
        _shared[:] = [made]
        with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
            done: Iterator[list[tuple[bytes, bytes]]] = pool.map(_several, parts)
            at = 0
            for several in done:
                for index, vectors in several:
                    await self._lay(labels[at], len(groups[at]), index, vectors)
                    at += 1

    async def _lay(self, label: Label, count: int, index: bytes, vectors: bytes) -> None:
        access, blobs = self.gate.classes.of(label), self.gate.vault.blobs
        names = await asyncio.gather(blobs.write(access.id, index), blobs.write(access.id, vectors))
        segment = Segment("default", names[0], count, names[1], EMBEDDER)
        puts, _ = self.gate.rows.split(access, (Put(SEGMENT, f"seg_{names[0][:32]}", segment),))
        await self.gate.vault.committer.commit(
            Batch(domain=access.id, puts=puts, classes=[self.gate.classes.row(access)])
        )

    async def flow(self, reader: Label) -> Flow:
        """A request of somebody who is cleared that far, acting there."""
        principal = Principal("prn_bench", "bench", reader, frozenset({"user"}))
        session = Session("ses_bench", principal, make_label({}), reader, "en")
        return await self.gate.open(session, Action("search", "knowledge"), reader)
