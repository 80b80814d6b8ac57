"""What the tests of backups share: a folder that is a region's as far as they go, and what brings it back."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casemate.crypto import Keeper, KeySigner, digest, generate, generate_keeper
from casemate.custody.backup import Face, Head, Table
from casemate.custody.backup_plan import plan
from casemate.custody.backup_verdict import Verdict
from casemate.engines.backup_chain import Marked, chains
from casemate.engines.backup_restore import bring_back, survey
from casemate.engines.backup_ship import Shipper, Target
from casemate.engines.backup_tables import damaged_rows, tables_of
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.store import Batch, ClassRow, RowDelete, RowPut, put_digest

START = 1_790_000_000_000_000


@dataclass
class Place:
    """A region's folder and the one that its backups go to. The clock goes on by a millisecond at each look."""

    path: Path
    keeper: Keeper = field(default_factory=lambda: Keeper(generate_keeper("cnsa2")))
    signer: KeySigner = field(default_factory=lambda: KeySigner(generate(drawn=b"r" * 64)))
    clock: int = START
    target: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.region / "data" / "blobs" / "c" / "aa").mkdir(parents=True, exist_ok=True)
        (self.region / "keys").mkdir(exist_ok=True)
        (self.region / "run").mkdir(exist_ok=True)
        (self.region / "run" / "passing").write_bytes(b"not kept")
        (self.region / "keys" / "region.key").write_bytes(b"locked as it lies")
        (self.region / "casemate.toml").write_text('[region]\nname = "r"\n')

    @property
    def region(self) -> Path:
        return self.path / "region"

    @property
    def home(self) -> Path:
        return self.path / "backups"

    @property
    def records(self) -> Path:
        return self.region / "data" / "records.db"

    def now(self) -> int:
        self.clock += 1000
        return self.clock

    def open(self, checkpoint: int = 40, **more: Any) -> tuple[SqliteWriter, Shipper]:
        """The writer, and what ships beside it."""
        settings = {"every": 3600.0, **self.target, **more}
        marked = Marked("us:SECRET", "SECRET//NOFORN")
        shipper = Shipper(
            self.records,
            Target(self.home, self.region, marked, (self.keeper.recipient,), self.signer, self.now, **settings),
        )
        limits = Limits(checkpoint=checkpoint, low_water=0, ballast=0)
        return SqliteWriter(self.records, limits, ship=shipper), shipper

    def blob(self, name: str, raw: bytes) -> None:
        (self.region / "data" / "blobs" / "c" / "aa" / name).write_bytes(raw)

    def tables(self) -> dict[str, Table]:
        return tables_of(self.records)

    def chain(self, place: int = -1) -> tuple[Path, Face]:
        return chains(self.home)[place]

    def verdict(self, head: Head | None = None, place: int = -1) -> Verdict:
        return survey(*self.chain(place), [self.keeper], head, trusted=[self.vouched])

    @property
    def vouched(self) -> str:
        return digest(self.signer.public).hex()

    def back(self, name: str, after: int | None = None, at: int | None = None, verdict: Verdict | None = None) -> Path:
        """A state in a folder of that name. Raises as `bring_back`."""
        folder, face = self.chain()
        found = verdict or self.verdict()
        bring_back(folder, face, [self.keeper], found, plan(found.titles, after, at), self.path / name)
        return self.path / name

    def held(self, name: str) -> dict[str, Table]:
        """The tables of what was brought back; no row of it is other than its digest says."""
        records = self.path / name / "data" / "records.db"
        assert damaged_rows(records) == []
        return tables_of(records)


def batch(key: str, puts: int = 1, size: int = 600, delete: str = "", salt: bytes = b"") -> Batch:
    """Rows of a class, each of random bytes unless told."""
    rows = []
    for at in range(puts):
        id, sealed = f"{key}-{at}", salt or os.urandom(size)
        rows.append(RowPut("c", "k", id, sealed, put_digest("c", "k", id, sealed)))
    deletes = [RowDelete("c", "k", delete)] if delete else []
    return Batch(key=key, puts=rows, deletes=deletes, classes=[ClassRow("c", b"sealed")], domain="c")


def flip(path: Path, rng: random.Random) -> int:
    """One bit of a file is another; where."""
    raw = bytearray(path.read_bytes())
    place = rng.randrange(len(raw))
    raw[place] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
    return place
