"""Other engines over the same passages: SQLite FTS5, tantivy, LanceDB with a prefilter, FAISS flat with a selector.

As a program (`python bench/parts/peers.py FOLDER`, in an environment that has them) it reads what `bench/knowledge.py`
has left in the folder and prints one JSON object: CPU milliseconds of a question (the median), all threads counted,
and the memory that is taken where that is known. One thread each, as ours.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("faiss-cpu==1.15.1", "lancedb==0.40.0", "tantivy==0.27.0", "numpy==2.4.6")
K = 10


def main(folder: Path) -> dict[str, Any]:
    """Every peer, one after the other."""
    import numpy as np

    asked = json.loads((folder / "asked.json").read_text())
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    labels = np.load(folder / "labels.npy")
    questions = np.load(folder / "questions.npy").astype(np.float32)
    found: dict[str, Any] = {}
    found |= faiss_flat(np, vectors, labels, questions, asked)
    found |= lance(np, folder, vectors, labels, questions[: asked["few"]], asked)
    found |= tantivy_all(folder, asked)
    found |= fts5(folder, asked)
    return found


def timed(ask: Callable[[Any], object], questions: Sequence[Any]) -> float:
    """Median CPU milliseconds of a question, after one to warm up."""
    ask(questions[0])
    spent = []
    for question in questions:
        began = time.process_time()
        ask(question)
        spent.append((time.process_time() - began) * 1e3)
    return statistics.median(spent)


def faiss_flat(np: Any, vectors: Any, labels: Any, questions: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """All passages in one flat index; a bitmap selects those that may be seen."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vectors.shape[1])
    for start in range(0, len(vectors), 100_000):
        index.add(np.asarray(vectors[start : start + 100_000], dtype=np.float32))
    told: dict[str, Any] = {}
    for name, seen in asked["visible"].items():
        bitmap = np.packbits(np.isin(labels, seen), bitorder="little")
        chosen = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))
        told[f"faiss_flat_{name}_ms"] = timed(partial(index.search, k=K, params=chosen), questions[:, None])
    return told


def lance(np: Any, folder: Path, vectors: Any, labels: Any, questions: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """A table with a column of labels; the filter names the visible ones and goes first."""
    import lancedb
    import pyarrow as pa

    def batches() -> Iterator[Any]:
        for start in range(0, len(vectors), 20_000):
            part = np.asarray(vectors[start : start + 20_000], dtype=np.float32)
            flat = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1])
            label = pa.array(labels[start : start + 20_000])
            yield pa.RecordBatch.from_arrays([flat, label], ["vector", "label"])

    kind = pa.list_(pa.float32(), vectors.shape[1])
    schema = pa.schema([pa.field("vector", kind), pa.field("label", pa.int32())])
    table = lancedb.connect(str(folder / "lance")).create_table("passages", batches(), schema=schema)
    told: dict[str, Any] = {}
    for name, seen in asked["visible"].items():
        where = f"label IN ({', '.join(map(str, seen))})"

        def ask(question: Any, where: str = where) -> object:
            found = table.search(question, vector_column_name="vector").distance_type("dot")
            return found.where(where, prefilter=True).limit(K).to_list()

        told[f"lancedb_{name}_ms"] = timed(ask, list(questions))
    return told


def _texts(folder: Path, name: str) -> Iterator[str]:
    with (folder / f"{name}.txt").open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")


def tantivy_all(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """An index of nothing but the visible passages, without any filter: the best case that a filter could have."""
    import tantivy

    told: dict[str, Any] = {}
    for name in asked["visible"]:
        schema = tantivy.SchemaBuilder().add_text_field("text", stored=False, tokenizer_name="default").build()
        index = tantivy.Index(schema)
        writer = index.writer(heap_size=200_000_000, num_threads=1)
        for text in _texts(folder, name):
            writer.add_document(tantivy.Document(text=text))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        searcher = index.searcher()
        queries = [index.parse_query(words, ["text"]) for words in asked["words"]]
        told[f"tantivy_{name}_ms"] = timed(partial(searcher.search, limit=K), queries)
    return told


def fts5(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """FTS5's bm25 over nothing but the visible passages."""
    told: dict[str, Any] = {}
    for name in asked["visible"]:
        base = sqlite3.connect(":memory:")
        base.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
        base.executemany("INSERT INTO passages VALUES (?)", ((text,) for text in _texts(folder, name)))
        told[f"fts5_{name}_ms"] = timed(partial(_fts5, base), [" OR ".join(words.split()) for words in asked["words"]])
    return told


def _fts5(base: sqlite3.Connection, words: str) -> list[Any]:
    sql = "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY bm25(passages) LIMIT ?"
    return base.execute(sql, (words, K)).fetchall()


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "LANCE_CPU_THREADS"):
        os.environ.setdefault(variable, "1")
    result = main(Path(sys.argv[1]))
    result["versions"] = {name.split("==")[0]: version(name.split("==")[0]) for name in PACKAGES}
    print(json.dumps(result))
