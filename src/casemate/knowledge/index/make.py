"""Shards made: from passages, from other shards of the same class, or without some documents.

Whatever way a set of passages has come together, its shard has the same bytes; and what was taken out leaves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from casemate.knowledge.index import form
from casemate.knowledge.index.analyse import Keys, spoken, words
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.shard import Shard
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Label

__all__ = ["build", "merge", "without"]

Array = NDArray[Any]
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_filed = msgspec.msgpack.Decoder(Filed)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is gathered of passages before it is sorted into a shard; lists and arrays by row, in the order of ids.

    `cells` are (key of a term, row, times), the rows of one term ascending.
    """

    ids: Array
    lengths: Array
    matrix: Array
    texts: Sequence[bytes | memoryview]
    documents: Sequence[str]
    cells: tuple[Array, Array, Array]


def build(
    label: Label,
    passages: Sequence[Passage],
    vectors: Sequence[bytes] | NDArray[np.int8] = (),
    filed: Sequence[Filed] = (),
    embedder: str = "",
    base: str = "",
) -> Shard:
    """A shard of these passages. `vectors`: as many rows of int8 bytes (b"" where one has none), or none at all.

    A document of which nothing is filed is filed under the title that its passages bear.
    """
    if len(vectors) and len(vectors) != len(passages):
        raise ValueError("as many vectors as passages, or none")
    order = sorted(range(len(passages)), key=lambda at: passages[at].id)
    chosen = [passages[at] for at in order]
    keys, spread, bags = Keys(), Counter[str](), []
    for passage in chosen:
        said = words(passage.indexed)
        bags.append(Counter(keys[word] for word in said))
        spread.update(word for word in set(said) if spoken(word))
    told = {each.document for each in filed}
    untold = [Filed(passage.document, passage.title) for passage in chosen if passage.document not in told]
    rows = _Rows(
        ids=np.array([passage.id.encode("ascii") for passage in chosen], dtype=np.bytes_),
        lengths=np.array([bag.total() for bag in bags], dtype="<u4"),
        matrix=_matrix(vectors, order),
        texts=[msgspec.msgpack.encode(passage) for passage in chosen],
        documents=[passage.document for passage in chosen],
        cells=(
            np.fromiter((key for bag in bags for key in bag), dtype="<u8"),
            np.repeat(np.arange(len(bags), dtype="<u4"), [len(bag) for bag in bags]),
            np.fromiter((times for bag in bags for times in bag.values()), dtype="<u4"),
        ),
    )
    return _assemble(label, base, embedder, rows, _accounts([*filed, *untold]), spread)


def merge(shards: Sequence[Shard]) -> Shard:
    """One shard of all their passages. All of one class, base and embedder; a passage in two of them is an error."""
    first = shards[0]
    if any(each.label is not first.label for each in shards):
        raise ValueError("shards of different labels are never merged")
    if any((each.base, each.embedder) != (first.base, first.embedder) for each in shards):
        raise ValueError("shards of different bases or embedders are never merged")
    spread = Counter[str]()
    for each in shards:
        spread.update(each.vocabulary())
    return _gather(shards, [np.ones(each.count, dtype=np.bool_) for each in shards], spread)


def without(shard: Shard, documents: Collection[str]) -> Shard:
    """The shard without the passages of these documents, as if they had never been in it."""
    gone = np.array([each.document in documents for each in shard.filed], dtype=np.bool_)
    if not gone.any():
        return shard
    keep = ~gone[shard.owners]
    spread = Counter(shard.vocabulary())
    for row in np.flatnonzero(~keep).tolist():
        spread.subtract({word for word in words(shard.passage(row).indexed) if spoken(word)})
    return _gather((shard,), (keep,), +spread)


def _gather(shards: Sequence[Shard], keeps: Sequence[NDArray[np.bool_]], spread: Mapping[str, int]) -> Shard:
    """The kept rows of some shards as one, in the canonical order."""
    ids = np.concatenate([each.ids[keep] for each, keep in zip(shards, keeps, strict=True)])
    sources = [(each, row) for each, keep in zip(shards, keeps, strict=True) for row in np.flatnonzero(keep).tolist()]
    order = np.argsort(ids, kind="stable")
    place = np.empty(len(order), dtype="<u4")
    place[order] = np.arange(len(order), dtype="<u4")
    width = max(each.vectors.shape[1] for each in shards)
    matrix = np.zeros((len(order), width), dtype=np.int8)
    lengths = np.zeros(len(order), dtype="<u4")
    cells, start = [], 0
    for each, keep in zip(shards, keeps, strict=True):
        mine = place[start : start + int(keep.sum())]
        start += len(mine)
        lengths[mine] = each.lengths[keep]
        if each.vectors.shape[1] == width:
            matrix[mine] = each.vectors[keep]
        cells.append(_cells(each, keep, mine))
    chosen = [sources[at] for at in order.tolist()]
    rows = _Rows(
        ids=ids[order],
        lengths=lengths,
        matrix=matrix,
        texts=[each.raw(row) for each, row in chosen],
        documents=[each.filed[each.owners[row]].document for each, row in chosen],
        cells=_together(cells),
    )
    accounts = _accounts([account for each in shards for account in each.filed])
    return _assemble(shards[0].label, shards[0].base, shards[0].embedder, rows, accounts, spread)


def _cells(shard: Shard, keep: NDArray[np.bool_], mine: Array) -> tuple[Array, Array, Array]:
    """The kept postings as (key of the term, new row, times)."""
    places = np.zeros(shard.count, dtype="<u4")
    places[keep] = mine
    starts = shard.starts.astype(np.int64)
    terms = np.repeat(shard.keys, starts[1:] - starts[:-1])
    kept = keep[shard.rows]
    return terms[kept], places[shard.rows[kept]], shard.counts[kept].astype("<u4")


def _together(cells: Sequence[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Cells of several shards in the order of their rows."""
    terms, rows, times = (np.concatenate(column) for column in zip(*cells, strict=True))
    order = np.argsort(rows, kind="stable")
    return terms[order], rows[order], times[order]


def _assemble(
    label: Label, base: str, embedder: str, rows: _Rows, accounts: Mapping[str, Filed], spread: Mapping[str, int]
) -> Shard:
    """Sort the postings, drop terms that nothing holds any more, and measure the vectors."""
    if bool(np.any(rows.ids[1:] == rows.ids[:-1])):
        raise ValueError("a passage twice")
    terms, held, times = rows.cells
    order = np.argsort(terms, kind="stable")
    keys, sizes = np.unique(terms[order], return_counts=True)
    matrix = rows.matrix if rows.matrix.any() else rows.matrix[:, :0]
    filed = sorted(set(rows.documents))
    number = {document: at for at, document in enumerate(filed)}
    names = sorted(spread)
    return Shard(
        label=label,
        base=base,
        embedder=embedder,
        ids=rows.ids.astype(f"S{max(1, int(np.strings.str_len(rows.ids).max(initial=1)))}"),
        keys=keys,
        starts=_running(sizes).astype("<u4"),
        rows=held[order].astype(form.row_type(len(rows.ids))),
        counts=times[order].astype(form.narrow(int(times.max()) if len(times) else 0)),
        lengths=rows.lengths,
        owners=np.array([number[document] for document in rows.documents], dtype="<u4"),
        filed=tuple(accounts[document] for document in filed),
        words="\n".join(names).encode(),
        spread=np.array([spread[name] for name in names], dtype=form.narrow(max(len(rows.ids), 1 << 8))),
        texts=b"".join(rows.texts),
        bounds=_running([len(text) for text in rows.texts]).astype("<u8"),
        vectors=matrix,
        norms=form.norms(matrix),
    )


def _matrix(vectors: Sequence[bytes] | NDArray[np.int8], order: Sequence[int]) -> NDArray[np.int8]:
    """The vectors in the order of ids, those that are missing as zeros."""
    if isinstance(vectors, np.ndarray):
        return np.ascontiguousarray(vectors[np.array(order, dtype=np.int64)])
    matrix = np.zeros((len(order), max(map(len, vectors), default=0)), dtype=np.int8)
    for row, at in enumerate(order if vectors else ()):
        if vectors[at]:
            matrix[row] = np.frombuffer(vectors[at], dtype=np.int8)
    return matrix


def _accounts(told: Iterable[Filed]) -> dict[str, Filed]:
    """What is filed of each document: the latest account, whoever comes first; of one time, the greatest by bytes."""
    best: dict[str, tuple[int, bytes]] = {}
    for each in told:
        raw = _encoder.encode(each)
        best[each.document] = max(best.get(each.document, (each.at, raw)), (each.at, raw))
    return {document: _filed.decode(raw) for document, (_, raw) in best.items()}


def _running(sizes: Any) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.asarray(sizes, dtype=np.int64))])
