"""What retrieval costs when every label has its own shards: `make bench NAME=knowledge`.

A million passages of 384 dimensions under 2,000 labels, of which a reader sees a tenth or a hundredth. Ours goes the
product's own way: a flow, the library, sealed shards; the question's vector is given, as everywhere here. The peers
search the same passages in an environment of the bench's own: FAISS flat with a selector over all of them, LanceDB
with a prefilter over all of them, tantivy and SQLite FTS5 over nothing but the visible ones, without any filter.
CPU time of one thread, the median question. Ratios are the peer's time over ours, except those of bm25: ours over
theirs. Full text is asked twice: what a view has gathered of a term is at hand when the term is asked for again.
Quality is measured by `bench/quality.py` on questions that were written for it.

--passages and --labels make it smaller; CASEMATE_BENCH_PEERS names an environment with the peers that is there.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.parts import peers, quality
from bench.parts.ingest import ingested
from bench.parts.passages import DIMENSIONS, Library, made
from bench.parts.running import ROOT
from bench.parts.shelves import EMBEDDER, Shelves, labels_of
from casemate.knowledge import Library as Shelf
from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.search import Asked, Method
from casemate.knowledge.index.view import View
from casemate.labels import Label, Policies

SHARES = {"1pct": 0.01, "10pct": 0.1}
QUESTIONS, FEW, K = 100, 5, 10


def peers_python() -> Path:
    """The peers' environment, made at the first run."""
    home = Path(os.environ.get("CASEMATE_BENCH_PEERS", ROOT / ".bench" / "retrieval"))
    if not (home / "bin/python").exists():
        print(f"Setting up {', '.join(peers.PACKAGES)} in {home}, once.", file=sys.stderr)
        venv.create(home, with_pip=True)
        pip = [str(home / "bin/pip"), "install", "-q", "--disable-pip-version-check", *peers.PACKAGES]
        subprocess.run(pip, check=True)
    return home / "bin/python"


def beside(folder: Path, made_up: Library, words: Sequence[str], near: np.ndarray) -> dict[str, Any]:
    """The peers, over the same passages and questions."""
    np.save(folder / "vectors.npy", made_up.vectors)
    np.save(folder / "labels.npy", made_up.labels)
    np.save(folder / "questions.npy", near)
    visible = {name: list(range(int(share * made_up.kinds))) for name, share in SHARES.items()}
    for name, seen in visible.items():
        rows = np.flatnonzero(np.isin(made_up.labels, seen))
        with (folder / f"{name}.txt").open("w", encoding="utf-8") as out:
            out.writelines(f"{text}\n" for text in made_up.texts(rows))
    (folder / "asked.json").write_text(json.dumps({"visible": visible, "words": list(words), "few": FEW}))
    script = str(ROOT / "bench" / "parts" / "peers.py")
    done = subprocess.run([str(peers_python()), script, str(folder)], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


async def ours(shelves: Shelves, reader: Label, words: Sequence[str], near: np.ndarray, name: str) -> dict[str, float]:
    """A cold start, then every question by text, by vector and by both."""
    library = Shelf(None)
    gc.collect()
    began = time.process_time()
    view = await library.view(await shelves.flow(reader), ("all",))
    cold = time.process_time() - began
    found = {f"cold_{name}_s_per_100k": cold / view.count * 100_000, f"visible_{name}": float(view.count)}
    passes: tuple[tuple[str, Method], ...] = (
        ("text", "text"), ("text_again", "text"), ("dense", "dense"), ("hybrid", "hybrid")
    )  # fmt: skip
    for named, method in passes:
        spent = []
        for words_of, vector in zip(words, near, strict=True):
            asked = Asked(terms(words_of), {EMBEDDER: vector.tobytes()})
            flow = await shelves.flow(reader)
            began = time.process_time()
            results = await library.search(flow, asked, ("all",), K, method=method)
            spent.append((time.process_time() - began) * 1e3)
            if method != "text" and len(results.hits) != K:
                raise SystemExit(f"{len(results.hits)} hits of {K}")
        found[f"{named}_{name}_ms"] = statistics.median(spent[1:])
    return found | (memory(view) if name == "10pct" else {})


def memory(view: View) -> dict[str, float]:
    """Vectors and ids against the float32 matrix of the same passages; postings and columns in bytes per passage."""
    vectors = sum(s.vectors.nbytes + s.norms.nbytes + s.ids.nbytes for s in view.shards) + view.roots.nbytes
    columns = ("keys", "starts", "rows", "counts", "lengths", "owners", "spread")
    postings = sum(getattr(s, name).nbytes for s in view.shards for name in columns)
    postings += sum(len(s.words) for s in view.shards) + view.lengths.nbytes
    return {
        "vectors_vs_float32": vectors / (view.count * DIMENSIONS * 4),
        "postings_bytes_per_passage": postings / view.count,
    }


async def measure(count: int, kinds: int) -> dict[str, object]:
    """All of it."""
    policies = Policies.load(["us"])
    labels, readers = labels_of(policies, kinds, list(SHARES.values()))
    made_up = made(count, kinds)
    visible = np.flatnonzero(made_up.labels < int(SHARES["1pct"] * kinds))
    words, near = made_up.questions(min(QUESTIONS, len(visible)), visible)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
        shelves = Shelves.at(Path(place), policies, policies.top(["OWNER0", "OWNER1", "OWNER2"]))
        began = time.monotonic()
        await shelves.fill(made_up, labels)
        figures["made_s"] = time.monotonic() - began
        for (name, _), reader in zip(SHARES.items(), readers, strict=True):
            figures |= await ours(shelves, reader, words, near, name)
        shelves.writer.close()
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as place:
        there = beside(Path(place), made_up, words, near)
    versions = there.pop("versions")
    return told(figures | there | ingested(), _quality(), versions)


def _quality() -> dict[str, list[float]]:
    """[value, low, high, questions] of the written questions; hit@5 of the exercise's own, by each of its readers."""
    data = Path(os.environ.get("CASEMATE_TEST_DATA", ROOT.parent / "shared" / "data"))
    found = quality.figures(data)
    told = {name: value for name, value in found.items() if name.startswith("ndcg10_")}
    return told | {"hit5_exercise": found["hit5_exercise"]["hybrid"]}


def told(
    figures: Mapping[str, float], measured: Mapping[str, list[float]], versions: Mapping[str, str]
) -> dict[str, object]:
    """The line that the bench ends with."""
    ratios = {
        "dense_vs_faiss_flat": figures["faiss_flat_10pct_ms"] / figures["dense_10pct_ms"],
        "dense_vs_lancedb": figures["lancedb_10pct_ms"] / figures["dense_10pct_ms"],
        "bm25_vs_tantivy": figures["text_10pct_ms"] / figures["tantivy_10pct_ms"],
        "bm25_again_vs_tantivy": figures["text_again_10pct_ms"] / figures["tantivy_10pct_ms"],
        "bm25_vs_fts5": figures["text_10pct_ms"] / figures["fts5_10pct_ms"],
        "ingest_vs_embedder": figures["ingest_vs_embedder"],
    }
    return {
        "bench": "knowledge",
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "figures": {name: round(value, 4) for name, value in figures.items() if name != "ingest_vs_embedder"}
        | {name: value[0] for name, value in measured.items()}
        | {"intervals": measured},
        "against": "FAISS flat with a selector and LanceDB with a prefilter over all passages; tantivy and SQLite FTS5 "
        "over the visible ones alone; the embedder alone",
        "versions": {"casemate": version("casemate"), "numpy": np.__version__, "python": sys.version.split()[0]}
        | dict(versions),
    }


if __name__ == "__main__":
    chosen = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen.add_argument("--passages", type=int, default=1_000_000)
    chosen.add_argument("--labels", type=int, default=2_000)
    asked_for = chosen.parse_args()
    print(json.dumps(asyncio.run(measure(asked_for.passages, asked_for.labels))))
