"""What lies in files beside the records, and who looks at it: each `look` says whether damage was found.

None of them may give anything that was not written: that is an AssertionError.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.engines.segment_file import SegmentFile
from casemate.engines.segment_fold import Sequencer
from casemate.engines.segment_format import Known, Said, record
from casemate.engines.snapshot_file import SnapshotFile
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.tile_files import TileFiles
from casemate.errors import CasemateError, Damaged
from casemate.ledger import Files, verify_folder
from casemate.store.snapshot import NotOurs, Snapshot, pack_snapshot, read_snapshot
from tests.contracts.stores import entry
from tests.ledger.histories import LOG, PUBLIC, SIGNER
from tests.ledger.test_folder import folder_of

SIZES = (0, 1, 3000, 70_000, (1 << 20) + 5)
SNAPSHOT = Snapshot(1, "bench", 7, 1000, 10, 2000, 3000, {"directory": bytes(range(200))})
GROUPS = (("ent_1", "ent_2"), ("ent_3",), ("ent_4", "ent_5", "ent_6"))
NAMES = [name for group in GROUPS for name in group]


@dataclass(frozen=True)
class Part:
    """Some files, and whether whoever reads or checks them finds damage."""

    files: list[Path]
    look: Callable[[], bool]


def flip(path: Path, chance: random.Random) -> bytes:
    """Turn one bit over; what was there before."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    path.write_bytes(changed)
    return whole


def below(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def blobs(folder: Path) -> Part:
    """Read, and looked at by the scrub."""
    kept = FileBlobs(folder / "blobs", KeyStore(folder / "keys"), 0)
    data = [random.Random(size).randbytes(size) for size in SIZES]
    names = {asyncio.run(kept.write("class_a", each)): each for each in data}

    def look() -> bool:
        found = 0
        for name, each in names.items():
            try:
                assert asyncio.run(kept.read("class_a", name)) == each
                assert asyncio.run(kept.whole("class_a", name))
            except Damaged:
                found += not asyncio.run(kept.whole("class_a", name))
        return found == 1

    return Part(below(folder / "blobs", "?" * 96), look)


def tree(folder: Path, checkpoint: bool) -> Part:
    """Tiles, or the signed note, beside the key alone."""
    tiles = TileFiles(folder / "ledger", durable=False)
    tiles.write(LOG, folder_of(600))

    def look() -> bool:
        return verify_folder(LOG, Files(lambda name: tiles.read(LOG, name)), PUBLIC).state == "tampered"

    return Part([each for each in below(folder / "ledger") if (each.name == "checkpoint") == checkpoint], look)


def snapshot(folder: Path) -> Part:
    """Taken by a data process."""
    file, sealer = SnapshotFile(folder / "snapshot", durable=False), KeyStore(folder / "keys")
    file.write(pack_snapshot(SNAPSHOT, SIGNER, sealer))

    def look() -> bool:
        try:
            assert read_snapshot(file.newest(), PUBLIC, sealer, "bench") == SNAPSHOT
        except NotOurs:
            return True
        return False

    return Part([folder / "snapshot"], look)


def segments(folder: Path) -> Part:
    """Folded into the records: what comes in is what was promised, from the first on, and the rest is told."""
    place = folder / "segments"
    place.mkdir(parents=True)
    made = SegmentFile(place / "a-00000001.seg")
    for number, names in enumerate(GROUPS):
        rows = [entry(name) for name in names]
        said = [record(Said("class_a", r.log, r.id, r.leaf, r.sealed)) for r in rows]
        made.append([record(Known("class_a", b"label a")), *said] if number == 0 else said)
    made.release()

    async def fold(again: Path) -> list[str]:
        told: list[str] = []
        writer = SqliteWriter(again / "records.db", Limits(low_water=0, ballast=0), durable=False)
        reader = SqliteReader(again / "records.db")
        sequencer = Sequencer(again / "segments", writer, reader.marks, lambda _name, what: told.append(what))
        try:
            await sequencer.start()
            await sequencer.fold()
        except CasemateError as error:
            told.append(error.slug)
        finally:
            await sequencer.stop()
            stored = reader.entries("class_a", 0, 1 << 40)
            reader.close()
            writer.close()
        assert [(e.id, e.leaf, e.sealed) for e in stored] == [
            (e.id, e.leaf, e.sealed) for e in map(entry, NAMES[: len(stored)])
        ]
        assert told or len(stored) == len(NAMES)
        return told

    def look() -> bool:
        again = folder / "again"
        shutil.copytree(place, again / "segments")
        try:
            return bool(asyncio.run(fold(again)))
        finally:
            shutil.rmtree(again)

    return Part([made.path], look)


def keys(folder: Path) -> Part:
    """Unwrapped at the next start: what is sealed is opened as it was, or not at all."""
    place = folder / "keys"
    sealed = KeyStore(place, durable=False).seal("class_a", "row", b"what was said", b"")

    def look() -> bool:
        try:
            assert KeyStore(place, durable=False).open("class_a", "row", sealed, b"") == b"what was said"
        except CasemateError:
            return True
        return False

    return Part(below(place), look)


def parts(folder: Path) -> dict[str, Part]:
    """All of them, each in a folder of its own."""
    made: dict[str, Callable[[Path], Part]] = {
        "blobs": blobs,
        "tiles": lambda place: tree(place, False),
        "checkpoints": lambda place: tree(place, True),
        "snapshots": snapshot,
        "segments": segments,
        "keys": keys,
    }
    for name in made:
        (folder / name).mkdir()
    return {name: make(folder / name) for name, make in made.items()}
