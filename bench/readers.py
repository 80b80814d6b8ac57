"""Two reader processes beside one writer, their shards in S3-shaped storage: `make bench NAME=readers`.

The writer adds segments to two access classes and compacts them, behind the fence. Each reader has the store open for
reading alone, a library of its own and copies of its own, and asks without a pause. Before a commit the writer notes
what every question gives afterwards, reckoned from one shard built anew of all passages so far; afterwards every result
of every reader is held against the states that were committed while it was asked. A result of none of them is stale or
half, and fails the bench. Wall times are of a machine that the writer and the storage's server share.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.parts.running import ROOT
from casemate.access import Flow, Gate
from casemate.engines.hashing import HashingEmbedder, hashed
from casemate.engines.sqlite import SqliteWriter
from casemate.knowledge import (
    SEGMENT,
    Asked,
    Compact,
    Library,
    Passage,
    Results,
    Segment,
    Shard,
    build,
    encode,
    merge,
    terms,
)
from casemate.labels import AccessClass
from casemate.objects import Put
from casemate.policy import Action
from casemate.settings import template
from casemate.wiring import Folder
from casemate.wiring.engines import vault_of

LABELS = ("PUBLIC", "INTERNAL")
BASE = "law"
K = 10
FIRST, MORE = 150, 40  # passages of a segment, at the start and later
_ENDS = ("lan", "tern", "dock", "mast", "buoy", "reef")
WORDS = [f"{a}{b}{c}" for a in "kmprst" for b in ("a", "e", "o") for c in _ENDS]
QUESTIONS = [" ".join(WORDS[at * 5 % 108] for at in (n, n + 3, n + 11)) for n in range(12)]
BUCKET = """
[blobs]
kind = "s3"
bucket = "region-blobs"
endpoint = "http://127.0.0.1:{port}"
key_file = "s3.key"
"""


class Nothing:
    """A committer for whoever only reads."""

    async def commit(self, batch: Any) -> Any:
        del batch
        raise SystemExit("a reader tried to write")


def region(folder: Folder, port: int) -> None:
    """Its settings and the key of its bucket."""
    folder.keys.mkdir(parents=True)
    key = folder.keys / "s3.key"
    key.write_text("aws_access_key_id = AKIDTEST\naws_secret_access_key = wJalrXUtnFEMI-test\n")
    key.chmod(0o600)
    folder.settings_file.write_text(template("bench", "LOCAL", ("house",), 0) + BUCKET.format(port=port))


def gate_of(folder: Folder, committer: Any) -> tuple[Gate, list[AccessClass]]:
    vault = vault_of(folder, folder.settings(), committer)
    gate, region = Gate(vault), vault.region
    return gate, [gate.classes.of(region.policies.parse(name) | region.floor) for name in LABELS]


async def flow_of(gate: Gate, access: AccessClass) -> Flow:
    return await gate.open(gate.service("knowledge", access), Action("settle", "document"))


def drawn(number: int, count: int) -> list[Passage]:
    """Passages of a segment: a function of its number."""
    made = []
    for at in range(count):
        seed = hashlib.sha256(f"{number}/{at}".encode()).digest()
        text = " ".join(WORDS[byte % len(WORDS)] for byte in seed)
        made.append(Passage(f"d{number:05}#{at:04}", f"d{number:05}", at, f"Document {number}", "", "", 0, text))
    return made


def digest(found: Results) -> str:
    """Everything that a search says."""
    hits = [(hit.passage.id, hit.label.text, repr(hit.bm25), repr(hit.cosine), repr(hit.fused)) for hit in found.hits]
    return hashlib.sha256(repr((hits, found.statistics, found.total)).encode()).hexdigest()[:24]


class Writer:
    """Keeps beside the store what it should give: one shard per class, merged of all that was added."""

    def __init__(self, gate: Gate, classes: list[AccessClass]) -> None:
        self.gate, self.classes, self.number = gate, classes, 0
        self.whole: dict[str, Shard] = {}
        self.states: list[dict[str, Any]] = []
        self.compact = Compact(gate)

    async def add(self, count: int) -> None:
        access = self.classes[self.number % len(self.classes)]
        chosen = drawn(self.number, count)
        vectors = [hashed(passage.indexed) for passage in chosen]
        shard = build(access.label, chosen, vectors, embedder=HashingEmbedder().name, base=BASE)
        self.number += 1
        held = self.whole.get(access.id)
        self.whole[access.id] = merge([held, shard]) if held else shard
        flow = await flow_of(self.gate, access)
        index, plane = encode(shard)
        blob, vectors_blob = await flow.pour(index), await flow.pour(plane)
        put = Put(SEGMENT, f"seg_{blob[:32]}", Segment(BASE, blob, shard.count, vectors_blob, shard.embedder))
        with self.noted("add"):
            await flow.commit(put)

    async def tidy(self) -> int:
        with self.noted("compact"):
            return await self.compact.step()

    @contextmanager
    def noted(self, kind: str) -> Iterator[None]:
        shards = [self.whole[access.id] for access in self.classes if access.id in self.whole]
        told = [digest(Asked(terms(q), {HashingEmbedder().name: hashed(q)}).search(shards, K)) for q in QUESTIONS]
        begin = time.monotonic()
        yield
        self.states.append({"kind": kind, "begin": begin, "end": time.monotonic(), "digests": told})


async def write(folder: Folder, seconds: float) -> dict[str, Any]:
    """Fill the region, say so on the output, then add and compact until the time is over."""
    store = SqliteWriter(folder.records)
    writer = Writer(*gate_of(folder, store))
    for _ in range(24):
        await writer.add(FIRST)
    print("filled", flush=True)
    ends = time.monotonic() + seconds
    merged = 0
    while time.monotonic() < ends:
        merged += await writer.tidy()
        for _ in range(2):
            await writer.add(MORE)
            await asyncio.sleep(0.4)
    store.close()
    passages = sum(shard.count for shard in writer.whole.values())
    return {"states": writer.states, "merged": merged, "passages": passages}


async def read(folder: Folder, seconds: float) -> dict[str, Any]:
    """Ask without a pause until the time is over."""
    gate, classes = gate_of(folder, Nothing())
    library = Library(HashingEmbedder())
    asked: list[tuple[float, float, int, str]] = []

    async def ask(at: int) -> None:
        begin = time.monotonic()
        flow = await flow_of(gate, classes[-1])
        found = await library.search(flow, await library.ask(flow, QUESTIONS[at], (BASE,)), (BASE,), K)
        asked.append((begin, time.monotonic(), at, digest(found)))

    await ask(0)  # cold: every shard is fetched
    begin, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < begin + seconds:
        await ask(len(asked) % len(QUESTIONS))
    took, used = time.monotonic() - begin, time.process_time() - cpu
    return {"asked": asked, "wall": took, "cpu": used, "cold_s": asked[0][1] - asked[0][0]}


def wrong(states: list[dict[str, Any]], asked: list[list[Any]]) -> int:
    """How many results are of no state that stood while they were asked."""
    missed = 0
    for begin, end, at, told in asked:
        last = max(n for n, state in enumerate(states) if state["end"] <= begin)
        missed += all(state["digests"][at] != told for state in states[last:] if state["begin"] <= end)
    return missed


def measure(seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.s3_server"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            rounds = [_round(Path(place) / str(many), port, many, seconds) for many in (1, 2)]
        finally:
            server.communicate()
    one, two = rounds
    figures = {
        f"{name}_{key}": round(value, 2) for name, each in (("one", one), ("two", two)) for key, value in each.items()
    }
    figures["wall_two_vs_one"] = round(two["per_s"] / one["per_s"], 2)
    return {
        "bench": "readers",
        # how much a query costs beside another reader, in CPU time: 1.0 is nothing
        "ratios": {"two_vs_one": round(two["per_cpu_s"] / one["per_cpu_s"], 3)},
        "figures": figures,
        "against": "one reader process of the same region, with the same writer beside it",
        "versions": {"python": sys.version.split()[0], "obstore": version("obstore"), "numpy": version("numpy")},
    }


def _round(place: Path, port: int, many: int, seconds: float) -> dict[str, float]:
    folder = Folder(place)
    region(folder, port)
    command = [sys.executable, "-m", "bench.readers", "--folder", str(place), "--seconds"]
    told = [place / f"reader-{n}.json" for n in range(many)]
    with _child([*command, str(seconds + 3), "--role", "writer", "--out", str(place / "writer.json")]) as writer:
        assert writer.stdout is not None
        if writer.stdout.readline() != b"filled\n":
            raise SystemExit("the writer could not fill the region")
        readers = [
            subprocess.Popen([*command, str(seconds), "--role", "reader", "--out", str(out)], cwd=ROOT) for out in told
        ]
        if any([reader.wait() for reader in readers]) or writer.wait():  # noqa: C419 - wait for all of them
            raise SystemExit("a process of the bench failed")
    wrote = json.loads((place / "writer.json").read_text())
    seen = [json.loads(out.read_text()) for out in told]
    stale = sum(wrong(wrote["states"], each["asked"]) for each in seen)
    if stale:
        raise SystemExit(f"{stale} results are of no committed state")
    asked = sum(len(each["asked"]) - 1 for each in seen)
    return {
        "per_s": sum((len(each["asked"]) - 1) / each["wall"] for each in seen),
        "per_cpu_s": asked / sum(each["cpu"] for each in seen),
        "asked": asked,
        "cold_s": max(each["cold_s"] for each in seen),
        "commits": len(wrote["states"]),
        "merged": wrote["merged"],
        "passages": wrote["passages"],
    }


@contextmanager
def _child(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--role", choices=("writer", "reader"))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if chosen.role:
        work = write if chosen.role == "writer" else read
        chosen.out.write_text(json.dumps(asyncio.run(work(Folder(chosen.folder), chosen.seconds))))
    else:
        print(json.dumps(measure(chosen.seconds)))


if __name__ == "__main__":
    main()
