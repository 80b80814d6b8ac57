"""A shard: the postings, vectors and passages of one knowledge base, access class and embedder, and of no other.

Immutable arrays, sorted by passage id and by the key of the term, so that the bytes of a shard are a function of the
set of its passages and of what is filed of their documents: not of the order, batches or merges in which they came.
Statistics are integers, merged over the visible shards at the time of a question and never stored across classes. No
I/O: `encode` and `decode` are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.errors import Damaged
from casemate.knowledge.index import form
from casemate.knowledge.index.analyse import key
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Label

__all__ = ["Ints", "Shard", "decode", "encode"]

Ints = NDArray[Any]  # unsigned, of the narrowest width that holds them
_passage = msgspec.msgpack.Decoder(Passage)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shard:
    """`starts[t]:starts[t+1]` are the places of term `keys[t]` in `rows` (ascending) and `counts` (how often there).

    `vectors` is (passages, dimensions) int8 with values -127..127; a row of zeros is a passage without a vector;
    `embedder` says who made them, and `norms` are their squared lengths. `owners` says of each row to which of `filed`
    it belongs. `words` are the distinct words of its passages as they stand, folded and sorted, a line each, and
    `spread` how many passages hold each. `base` is whose shard it is; it is no part of its bytes.
    """

    label: Label
    base: str
    embedder: str
    ids: NDArray[np.bytes_]
    keys: NDArray[np.uint64]
    starts: Ints
    rows: Ints
    counts: Ints
    lengths: Ints
    owners: Ints
    filed: tuple[Filed, ...]
    words: bytes | memoryview = field(repr=False)
    spread: Ints
    texts: bytes | memoryview = field(repr=False)
    bounds: Ints
    vectors: NDArray[np.int8]
    norms: Ints

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
        return len(self.postings(term)[0])

    def postings(self, term: str) -> tuple[Ints, Ints]:
        """The rows that hold the term, ascending, and how often each does."""
        wanted = np.uint64(key(term))
        place = int(self.keys.searchsorted(wanted))
        if place == len(self.keys) or self.keys[place] != wanted:
            return self.rows[:0], self.counts[:0]
        start, stop = self.starts.item(place), self.starts.item(place + 1)
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

    def vocabulary(self) -> dict[str, int]:
        """How many passages hold each word."""
        try:
            names = bytes(self.words).decode().split("\n") if self.words else []
        except UnicodeDecodeError:
            raise Damaged(what="a search index: its words") from None
        return dict(zip(names, self.spread.tolist(), strict=True))


def encode(shard: Shard) -> tuple[bytes, bytes]:
    """The index and the vectors (b"" where there are none) as bytes; equal for equal sets of passages."""
    arrays = form.Arrays(*(getattr(shard, name) for name in form.Arrays._fields))
    return form.pack(form.Head(shard.embedder, shard.filed), arrays, shard.words, shard.texts, shard.vectors)


def decode(index: bytes | memoryview, vectors: bytes | memoryview, label: Label, base: str = "") -> Shard:
    """The shard in these bytes, every bound checked. Raises Damaged."""
    head, arrays, words, texts, matrix = form.unpack(index, vectors)
    columns = arrays._asdict()
    return Shard(
        label=label,
        base=base,
        embedder=head.embedder,
        filed=head.filed,
        words=words,
        texts=texts,
        vectors=matrix,
        norms=form.norms(matrix),
        **columns,
    )
