"""A shard: the postings, vectors and passages of one knowledge base in one access class, and nothing of any other.

Immutable arrays, sorted by passage id and by term, so that the bytes of a shard are a function of the set of its
passages: not of the order, batches or merges in which they came. Statistics are integers, merged over the visible
shards at the time of a question and never stored across classes. No I/O: `encode` and `decode` are bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.errors import Damaged
from casemate.knowledge import form
from casemate.knowledge.analyse import terms
from casemate.knowledge.passage import Passage
from casemate.labels import Label

__all__ = ["Shard", "build", "decode", "encode", "merge", "without"]

Ints = NDArray[np.uint32]
_passage = msgspec.msgpack.Decoder(Passage)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shard:
    """`starts[t]:starts[t+1]` are term t's places in `rows` (passages, ascending) and `counts` (its frequency there).

    `vectors` is (passages, dimensions) int8 with values -127..127; a row of zeros is a passage without a vector.
    """

    label: Label
    ids: NDArray[np.bytes_]
    terms: tuple[str, ...]
    starts: Ints
    rows: Ints
    counts: Ints
    lengths: Ints
    vectors: NDArray[np.int8]
    texts: bytes | memoryview = field(repr=False)
    bounds: NDArray[np.uint64]
    norms: NDArray[np.int64]

    @property
    def count(self) -> int:
        """N: the passages in it."""
        return len(self.lengths)

    @property
    def total(self) -> int:
        """The sum of all passage lengths, in terms."""
        return int(self.lengths.sum(dtype=np.int64))

    def df(self, term: str) -> int:
        """How many passages hold the term."""
        start, stop = self._place(term)
        return stop - start

    def postings(self, term: str) -> tuple[Ints, Ints]:
        """The rows that hold the term, ascending, and how often each does."""
        start, stop = self._place(term)
        return self.rows[start:stop], self.counts[start:stop]

    def passage(self, row: int) -> Passage:
        """The passage of a row, decoded when it is wanted."""
        try:
            return _passage.decode(self.raw(row))
        except msgspec.DecodeError:
            raise Damaged(what="a search index: its passages") from None

    def raw(self, row: int) -> memoryview:
        """The stored bytes of a row's passage."""
        return memoryview(self.texts)[int(self.bounds[row]) : int(self.bounds[row + 1])]

    def passages(self) -> list[Passage]:
        return [self.passage(row) for row in range(self.count)]

    def _place(self, term: str) -> tuple[int, int]:
        at = bisect_left(self.terms, term)
        if at == len(self.terms) or self.terms[at] != term:
            return 0, 0
        return int(self.starts[at]), int(self.starts[at + 1])


def build(label: Label, passages: Sequence[Passage], vectors: Sequence[bytes] = ()) -> Shard:
    """A shard of these passages. `vectors`: as many rows of int8 bytes (b"" where one has none), or none at all."""
    if vectors and len(vectors) != len(passages):
        raise ValueError("as many vectors as passages, or none")
    order = sorted(range(len(passages)), key=lambda at: passages[at].id)
    chosen = [passages[at] for at in order]
    if len({passage.id for passage in chosen}) != len(chosen):
        raise ValueError("a passage twice")
    width = max((len(raw) for raw in vectors), default=0)
    matrix = np.zeros((len(chosen), width), dtype=np.int8)
    for row, at in enumerate(order if width else ()):
        if vectors[at]:
            matrix[row] = np.frombuffer(vectors[at], dtype=np.int8)
    bags = [Counter(terms(passage.indexed)) for passage in chosen]
    names = sorted(set[str]().union(*bags))
    number = {name: at for at, name in enumerate(names)}
    cells = [(number[name], row, times) for row, bag in enumerate(bags) for name, times in bag.items()]
    table = np.array(cells, dtype=np.uint32).reshape(len(cells), 3)
    lengths = np.array([bag.total() for bag in bags], dtype=np.uint32)
    ids = np.array([passage.id.encode("ascii") for passage in chosen], dtype=np.bytes_)
    return _assemble(label, ids, names, table, lengths, matrix, [msgspec.msgpack.encode(p) for p in chosen])


def merge(shards: Sequence[Shard]) -> Shard:
    """One shard of all their passages. All of one class; a passage in two of them is an error."""
    label = shards[0].label
    if any(shard.label is not label for shard in shards):
        raise ValueError("shards of different labels are never merged")
    keeps = [np.ones(shard.count, dtype=np.bool_) for shard in shards]
    return _gather(label, shards, keeps)


def without(shard: Shard, documents: Collection[str]) -> Shard:
    """The shard without the passages of these documents, as if they had never been in it."""
    gone = frozenset(documents)
    keep = np.array([passage.document not in gone for passage in shard.passages()], dtype=np.bool_)
    return _gather(shard.label, (shard,), (keep,))


def _gather(label: Label, shards: Sequence[Shard], keeps: Sequence[NDArray[np.bool_]]) -> Shard:
    """The kept rows of some shards as one, in the canonical order."""
    sources = [(at, int(row)) for at, keep in enumerate(keeps) for row in np.flatnonzero(keep)]
    sources.sort(key=lambda source: bytes(shards[source[0]].ids[source[1]]))
    places = [np.zeros(shard.count, dtype=np.uint32) for shard in shards]
    for new, (at, row) in enumerate(sources):
        places[at][row] = new
    names = sorted(set[str]().union(*(shard.terms for shard in shards)))
    number = {name: at for at, name in enumerate(names)}
    table = np.concatenate(
        [_cells(shard, keep, place, number) for shard, keep, place in zip(shards, keeps, places, strict=True)]
    )
    width = max(shard.vectors.shape[1] for shard in shards)
    matrix = np.zeros((len(sources), width), dtype=np.int8)
    lengths = np.zeros(len(sources), dtype=np.uint32)
    for shard, keep, place in zip(shards, keeps, places, strict=True):
        lengths[place[keep]] = shard.lengths[keep]
        if shard.vectors.shape[1]:
            matrix[place[keep]] = shard.vectors[keep]
    ids = np.array([bytes(shards[at].ids[row]) for at, row in sources], dtype=np.bytes_)
    if len(np.unique(ids)) != len(ids):
        raise ValueError("a passage twice")
    blobs = [shards[at].raw(row) for at, row in sources]
    return _assemble(label, ids, names, table, lengths, matrix, blobs)


def _cells(shard: Shard, keep: NDArray[np.bool_], place: Ints, number: dict[str, int]) -> Ints:
    """The kept postings as rows of (term in the new numbering, new row, count)."""
    renumbered = np.array([number[name] for name in shard.terms], dtype=np.uint32)
    starts = shard.starts.astype(np.int64)
    owners = np.repeat(renumbered, starts[1:] - starts[:-1])
    kept = keep[shard.rows]
    return np.stack([owners[kept], place[shard.rows[kept]], shard.counts[kept]], axis=1)


def _assemble(
    label: Label,
    ids: NDArray[np.bytes_],
    names: Sequence[str],
    table: Ints,
    lengths: Ints,
    matrix: NDArray[np.int8],
    blobs: Sequence[bytes | memoryview],
) -> Shard:
    """Sort the postings, drop terms that nothing holds any more, and measure the vectors."""
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    used, sizes = np.unique(table[:, 0], return_counts=True)
    starts = _running(sizes).astype(np.uint32)
    bounds = _running([len(blob) for blob in blobs]).astype(np.uint64)
    if not matrix.any():
        matrix = matrix[:, :0]
    rows, counts = np.ascontiguousarray(table[:, 1]), np.ascontiguousarray(table[:, 2])
    kept = tuple(names[at] for at in used)
    return Shard(label, ids, kept, starts, rows, counts, lengths, matrix, b"".join(blobs), bounds, form.norms(matrix))


def _running(sizes: Any) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.asarray(sizes, dtype=np.int64))])


def encode(shard: Shard) -> bytes:
    """The shard as bytes; equal for equal sets of passages."""
    return form.pack(
        form.Head(shard.count, shard.vectors.shape[1], list(shard.terms)),
        (shard.ids, shard.starts, shard.rows, shard.counts, shard.lengths, shard.vectors, shard.bounds),
        shard.texts,
    )


def decode(raw: bytes, label: Label) -> Shard:
    """The shard in these bytes, every bound checked. Raises Damaged."""
    head, arrays, texts = form.unpack(raw)
    ids, starts, rows, counts, lengths, vectors, bounds = arrays
    squared = form.norms(vectors)
    return Shard(label, ids, tuple(head.terms), starts, rows, counts, lengths, vectors, texts, bounds, squared)
