"""What volumes cost: `make bench NAME=transfer_volumes`.

- parity_mb_per_cpu_s: `bundle split` of a file into 10 volumes of which 2 are parity, as the command line does it:
  read, SHA-512 of every frame of all ten, parity, ten drafts written and synced. Megabytes of the file for each second
  of CPU time, of all threads and of the kernel for this process. Reading is from the page cache.
- Beside it, in the same run: the parity arithmetic alone, one pass of SHA-512, and a join without two volumes.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from casemate.engines.volume_join import Join
from casemate.engines.volume_split import split
from casemate.transfer.volumes.parity import add_up, parity_rows
from casemate.transfer.volumes.volume import Carried, counted

MIB = 256
N, PARITY, ROUNDS = 10, 2, 5


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU time that it takes, of this process and of the kernel for it."""
    began = time.process_time()
    work()
    return time.process_time() - began


def rate(work: Callable[[], object], size: int, rounds: int = ROUNDS) -> float:
    """Megabytes for each second of CPU time, the median of some rounds."""
    return size / 1e6 / statistics.median(cpu(work) for _ in range(rounds))


def written(folder: Path, size: int) -> Path:
    """A file of random bytes, some MiB of them over and over."""
    source, block = folder / "source", os.urandom(1 << 24)
    with source.open("wb") as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])
    return source


def parity_mb_per_cpu_s(folder: Path, size: int, rounds: int = ROUNDS) -> float:
    """2 parity volumes of 10, the digests of all ten, reading and writing included."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source, layout = written(Path(place), size), counted(size, N, PARITY)
        carried = Carried(bytes(16), "UNCLASSIFIED")
        return rate(lambda: split(source, Path(place), layout, carried), size, rounds)


def join_mb_per_cpu_s(within: Path, size: int, rounds: int = 3) -> float:
    """A join from eight of ten, two of data being lost: read, proven, repaired, proven again as a whole."""
    with tempfile.TemporaryDirectory(dir=within) as place:
        folder = Path(place)
        source = written(folder, size)
        files = split(source, folder, counted(size, N, PARITY), Carried(bytes(16), "UNCLASSIFIED")).files
        output = folder / "back"

        def work() -> None:
            output.unlink(missing_ok=True)
            with Join(output) as joining:
                joining.take(files[2:])
                if joining.finish() != size:
                    raise SystemExit("it was not joined")

        return rate(work, size, rounds)


def arithmetic_mb_per_cpu_s() -> float:
    """The sums alone, over frames of 1 MiB."""
    stripe = np.frombuffer(os.urandom(N << 20), np.uint8).reshape(N, 1 << 20).copy()
    k = N - PARITY
    rows = parity_rows(k, PARITY)
    return rate(lambda: [add_up(rows, list(stripe[:k]), list(stripe[k:])) for _ in range(20)], 20 * k << 20)


def sha512_mb_per_cpu_s() -> float:
    """One pass, by the megabyte."""
    block = os.urandom(1 << 20)
    return rate(lambda: [hashlib.sha512(block).digest() for _ in range(200)], 200 << 20)


def measure(folder: Path, size: int) -> dict[str, object]:
    """All of it; `size` in MiB, of which 256 suffice."""
    bytes_ = min(size, MIB) << 20
    sha = sha512_mb_per_cpu_s()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parity = parity_mb_per_cpu_s(folder, bytes_)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {
        "parity_mb_per_cpu_s": parity,
        "join_mb_per_cpu_s": join_mb_per_cpu_s(folder, bytes_),
        "arithmetic_mb_per_cpu_s": arithmetic_mb_per_cpu_s(),
        "volumes_sha512_mb_per_cpu_s": sha,
        "volumes_rss_mb": grown / 1024,
        "volumes_rss_before_mb": before / 1024,
    }
    return {
        "bench": "transfer_volumes",
        "ratios": {"split_vs_sha512": round(parity / sha, 3)},
        "figures": {name: round(value, 1) for name, value in figures.items()},
        "against": "one pass of SHA-512 over the file",
        "versions": {"casemate": version("casemate"), "numpy": np.__version__, "python": sys.version.split()[0]},
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as here:
        print(json.dumps(measure(Path(here), MIB)))
