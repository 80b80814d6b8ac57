"""What writing a blob costs: against its digest alone, and against the slower of that digest and the disk."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from casemate.crypto import digest
from casemate.engines.files import FileBlobs
from casemate.engines.files_frames import seal_through
from casemate.engines.key_store import KeyStore

__all__ = ["blob_figures"]

SIZE, ROUNDS = 64 << 20, 5


def blob_figures() -> dict[str, float]:
    """Best of some rounds of 64 MiB each; sealing is CPU time, the rest wall time."""
    hashing, sealing, writing, disk = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
        folder = Path(place)
        sealer = KeyStore(folder / "keys")
        blobs = FileBlobs(folder / "blobs", sealer, low_water=0)
        for _ in range(ROUNDS):
            data = os.urandom(SIZE)
            hashing.append(_cpu(lambda data=data: digest(data)))
            sealing.append(_cpu(lambda data=data: sum(map(len, seal_through(sealer, "class_a", "0" * 96, data)))))
            disk.append(_wall(lambda data=data: _plain(folder / "plain", data)))
            writing.append(_wall(lambda data=data: asyncio.run(blobs.write("class_a", data))))
    return {
        "sealed_vs_hash_only": (min(hashing) + min(sealing)) / min(hashing),
        "blob_write_vs_slower": max(min(hashing), min(disk)) / min(writing),
        "hash_mb_per_s": SIZE / min(hashing) / 1e6,
        "seal_mb_per_s": SIZE / min(sealing) / 1e6,
        "disk_mb_per_s": SIZE / min(disk) / 1e6,
        "blob_write_mb_per_s": SIZE / min(writing) / 1e6,
    }


def _plain(path: Path, data: bytes) -> None:
    """The same bytes written and synced, and nothing else."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _cpu(work: object) -> float:
    began = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - began


def _wall(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began
