"""What the ledger costs, in CPU time: `make bench NAME=ledger`.

- Appending: leaves of about 320 bytes, encoded and in memory, into a tree over SHA-384, a checkpoint's worth (4,096) at
  a time; beside it pymerkle's in-memory tree over the same leaves and the same hash, leaf by leaf, as it offers.
- Verifying: a million entries from their canonical bytes: hashed, parsed, held to the one way of writing them, paired,
  and the root compared with a signed checkpoint.
- Proving: an inclusion path out of tile files of a tree of ten million leaves, at random places, with nothing kept from
  one proof to the next; the tree is made in bulk of random leaf hashes. Every path is checked against the root.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pymerkle  # type: ignore[import-untyped]

from casemate.crypto import KeySigner
from casemate.engines.tile_files import TileFiles
from casemate.ledger import (
    SHA384,
    Entry,
    Frontier,
    Place,
    Record,
    Tiled,
    canonical,
    cut,
    grown,
    leaf_hash,
    leaf_hashes,
    path_of,
    sign_checkpoint,
    verify,
    verify_inclusion,
)

SEED = 20261121
LOG = "vji7twask4g42lq6vh4skfqmci"
GROUP = 4096
BULK = 65_536
PROOFS = 200


def entry(number: int) -> bytes:
    """An entry as the gate writes them, in its canonical bytes."""
    facts: dict[str, str | int] = {"found": number % 7, "model": "casemate/extractive-reader"}
    id, begun = f"ent_{number:026d}", f"ent_{number - 1:026d}"
    ends = number % 2
    return canonical(
        Entry(
            id=id,
            log=LOG,
            at=1_795_000_000_000_000 + number,
            session="ses_o3kq7wq2v6mzd5yd4hjm2vxuke",
            principal=f"analyst{number % 40}",
            action="knowledge.ask",
            outcome="complete" if ends else "begin",
            facts=facts,
            content="ab" * 48,
            ref=begun if ends else "",
        )
    )


def appending(count: int, rounds: int = 3) -> dict[str, float]:
    """Leaves per CPU second, ours and pymerkle's."""
    data = [entry(number) for number in range(count)]

    def ours() -> bytes:
        tree = Frontier()
        for at in range(0, count, GROUP):
            tree.extend(leaf_hashes(data[at : at + GROUP]))
        return tree.root()

    def theirs() -> bytes:
        tree = pymerkle.InmemoryTree(algorithm="sha384")
        for each in data:
            tree.append_entry(each)
        root: bytes = tree.get_root()
        return root

    assert ours() == theirs()
    found = {}
    for name, work in (("append_per_s", ours), ("pymerkle_append_per_s", theirs)):
        times = []
        for _ in range(rounds):
            began = time.process_time()
            work()
            times.append(time.process_time() - began)
        found[name] = count / min(times)
    return found


def verifying(count: int) -> dict[str, float]:
    """CPU seconds for a million entries."""
    data = [entry(number) for number in range(count)]
    leaves = leaf_hashes(data)
    tree = Frontier()
    tree.extend(leaves)
    signer = KeySigner(bytes(range(64)))
    point = sign_checkpoint(signer, LOG, count, tree.root(), 1)

    def records() -> Iterator[Record]:
        for number, (leaf, each) in enumerate(zip(leaves, data, strict=True)):
            yield Record(number, leaf, each)

    began = time.process_time()
    verdict = verify(LOG, records(), [point], signer.public)
    spent = time.process_time() - began
    assert (verdict.state, verdict.entries) == ("ok", count)
    return {"verify_1m_cpu_s": spent * 1e6 / count}


def proving(count: int, folder: Path) -> dict[str, float]:
    """Milliseconds for a proof out of files."""
    rng = random.Random(SEED)
    files = TileFiles(folder, durable=False)

    def read(place: Place) -> list[bytes]:
        data = files.read(LOG, path_of(place))
        assert data is not None
        return cut(data)

    at, began = 0, time.process_time()
    while at < count:
        raw = rng.randbytes(SHA384.size * min(BULK, count - at))
        leaves = cut(raw)
        files.write(LOG, {path_of(place): tile for place, tile in grown(read, at, leaves).items()})
        at += len(leaves)
    built = time.process_time() - began
    root = Tiled(read, count).root()
    times = []
    for _ in range(PROOFS):
        index = rng.randrange(count)
        began = time.process_time()
        tree = Tiled(read, count)
        path = tree.inclusion(index)
        times.append(time.process_time() - began)
        assert verify_inclusion(tree.leaf(index), index, count, path, root)
    return {"proof_10m_ms": statistics.median(times) * 1e3, "tiles_per_s": count / built}


def measure(appended: int, verified: int, proved: int) -> dict[str, object]:
    """All of it."""
    assert leaf_hash(b"x") == leaf_hashes([b"x"])[0]
    figures = appending(appended) | verifying(verified)
    with tempfile.TemporaryDirectory(dir=os.environ.get("CASEMATE_BENCH_FOLDER")) as folder:
        figures |= proving(proved, Path(folder))
    ratios = {"append_vs_pymerkle": figures["append_per_s"] / figures["pymerkle_append_per_s"]}
    return {
        "bench": "ledger",
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "against": "pymerkle's in-memory tree over SHA-384, the same leaves in the same run",
        "versions": {
            "casemate": version("casemate"),
            "pymerkle": version("pymerkle"),
            "python": sys.version.split()[0],
        },
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--append", type=int, default=200_000)
    asked.add_argument("--verify", type=int, default=1_000_000)
    asked.add_argument("--prove", type=int, default=10_000_000)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.append, chosen.verify, chosen.prove)))
