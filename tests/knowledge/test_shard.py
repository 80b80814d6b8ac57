"""Shards: equal sets of passages give equal bytes; deletion leaves nothing; damaged bytes are never served."""

from __future__ import annotations

import struct
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import Damaged
from casemate.knowledge import form
from casemate.knowledge.passage import Passage
from casemate.knowledge.shard import Shard, build, decode, encode, merge, without
from casemate.labels import Element, make_label

SECRET = make_label({"test": Element(2, "SECRET")})
OPEN = make_label({})


def passage(number: int, text: str, document: str = "doc") -> Passage:
    return Passage(f"psg_{number:03d}", document, number, "title", "", "(S)", 0, text)


texts = st.lists(st.sampled_from(["fuel", "storm", "Hafen", "école", "7"]), max_size=6).map(" ".join)
made = st.lists(st.tuples(texts, st.sampled_from("abc"), st.binary(min_size=4, max_size=4) | st.just(b"")), max_size=8)


def _shard(rows: list[tuple[int, tuple[str, str, bytes]]]) -> Shard:
    vectors = [raw.replace(b"\x80", b"\x81") for _, (_, _, raw) in rows]
    return build(SECRET, [passage(number, text, doc) for number, (text, doc, _) in rows], vectors)


@settings(max_examples=200, deadline=None)
@given(made, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_cut_and_merge_gives_the_same_bytes(rows, random, parts) -> None:  # type: ignore[no-untyped-def]
    numbered = list(enumerate(rows))
    whole = _shard(numbered)
    random.shuffle(numbered)
    cut = [_shard(numbered[at::parts]) for at in range(parts)]
    random.shuffle(cut)
    assert encode(merge(cut)) == encode(whole)
    assert encode(decode(encode(whole), SECRET)) == encode(whole)


@settings(max_examples=200, deadline=None)
@given(made, st.sets(st.sampled_from("abc")))
def test_without_is_as_if_it_had_never_been(rows, gone) -> None:  # type: ignore[no-untyped-def]
    numbered = list(enumerate(rows))
    rest = _shard([(number, row) for number, row in numbered if row[1] not in gone])
    assert encode(without(_shard(numbered), gone)) == encode(rest)


@settings(max_examples=150, deadline=None)
@given(made, st.data())
def test_one_changed_byte_is_damage(rows, data) -> None:  # type: ignore[no-untyped-def]
    raw = bytearray(encode(_shard(list(enumerate(rows)))))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        decode(bytes(raw), SECRET)


@settings(max_examples=100, deadline=None)
@given(made, st.data())
def test_a_cut_or_longer_file_is_damage(rows, data) -> None:  # type: ignore[no-untyped-def]
    raw = encode(_shard(list(enumerate(rows))))
    for wrong in (raw[: data.draw(st.integers(0, len(raw) - 1))], raw + b"\0"):
        with pytest.raises(Damaged):
            decode(wrong, SECRET)


def _forged(shard: Shard, texts: bytes | None = None, width: int | None = None, **arrays: object) -> bytes:
    """Bytes with a right checksum and wrong contents: what a defect of ours, not an accident, would write."""
    fields = {
        name: getattr(shard, name) for name in ("ids", "starts", "rows", "counts", "lengths", "vectors", "bounds")
    }
    fields |= arrays
    head = form.Head(
        shard.count, shard.vectors.shape[1] if width is None else width, list(fields.pop("terms", shard.terms))
    )  # type: ignore[call-overload]
    return form.pack(head, tuple(fields.values()), bytes(shard.texts) if texts is None else texts)  # type: ignore[arg-type]


BASE = build(SECRET, [passage(0, "fuel storm fuel"), passage(1, "fuel")], [b"\x01\x02", b"\x03\x04"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": np.array([0, 5, 0], dtype=np.uint32)},
        {"rows": np.array([1, 0, 0], dtype=np.uint32)},
        {"counts": np.array([0, 1, 1], dtype=np.uint32)},
        {"counts": np.array([2, 2, 1], dtype=np.uint32)},
        {"lengths": np.array([3, 9], dtype=np.uint32)},
        {"starts": np.array([0, 0, 3], dtype=np.uint32)},
        {"starts": np.array([1, 2, 3], dtype=np.uint32)},
        {"starts": np.array([0, 2, 7], dtype=np.uint32)},
        {"bounds": np.array([0, 9**6, 9**6], dtype=np.uint64)},
        {"bounds": np.array([5, 9, 12], dtype=np.uint64)},
        {"ids": np.array([b"psg_001", b"psg_000"])},
        {"ids": np.array([b"psg_000", b"psg_000"])},
        {"terms": ["storm", "fuel"]},
        {"terms": ["fuel"]},
        {"vectors": np.array([[1, -128], [3, 4]], dtype=np.int8)},
        {"width": 5000},
        {"width": -1},
        {"texts": b""},
    ],
)
def test_contents_that_no_shard_has_are_damage(wrong: dict[str, object]) -> None:
    assert decode(_forged(BASE), SECRET).count == 2
    with pytest.raises(Damaged):
        decode(_forged(BASE, **wrong), SECRET)  # type: ignore[arg-type]


def _with_head(head: object, body: bytes = b"") -> bytes:
    front = msgspec.msgpack.encode(head)
    rest = front + bytes(-(12 + len(front)) % 8) + body
    return struct.pack("<4sII", b"CMSH", zlib.crc32(rest, len(front)), len(front)) + rest


@pytest.mark.parametrize(
    "head",
    [
        ["not", "a", "head"],
        form.Head(0, 0, [], version=2),
        form.Head(10**12, 0, []),
        form.Head(-1, 0, []),
        form.Head(0, 0, [], cells=10**12),
        form.Head(0, 0, [], texts=-1),
        form.Head(0, 0, [], id_width=0),
    ],
)
def test_a_head_that_no_shard_has_is_damage(head: object) -> None:
    empty = _with_head(form.Head(0, 0, []), bytes(16))
    assert decode(empty, SECRET).count == 0
    with pytest.raises(Damaged):
        decode(_with_head(head, bytes(16)), SECRET)


def test_a_passage_that_is_none_is_damage() -> None:
    shard = decode(_forged(BASE, texts=b"\xc1" * len(bytes(BASE.texts))), SECRET)
    with pytest.raises(Damaged):
        shard.passage(0)


def test_statistics_and_postings() -> None:
    shard = decode(encode(BASE), SECRET)
    assert (shard.count, shard.total, shard.df("fuel"), shard.df("storm"), shard.df("none")) == (2, 4, 2, 1, 0)
    rows, counts = shard.postings("fuel")
    assert rows.tolist() == [0, 1]
    assert counts.tolist() == [2, 1]
    assert shard.passages() == BASE.passages()
    assert shard.norms.tolist() == [5, 25]


def test_a_passage_lies_in_one_shard_of_one_label() -> None:
    with pytest.raises(ValueError, match="twice"):
        build(SECRET, [passage(1, "a"), passage(1, "b")])
    with pytest.raises(ValueError, match="twice"):
        merge([BASE, BASE])
    with pytest.raises(ValueError, match="different labels"):
        merge([BASE, build(OPEN, [])])
    with pytest.raises(ValueError, match="as many"):
        build(SECRET, [passage(1, "a")], [b"", b""])


def test_a_heading_is_indexed_with_its_passage() -> None:
    shard = build(SECRET, [Passage("psg_1", "doc", 0, "", "Harbour watch", "", 0, "Nothing moved.")])
    assert shard.df("harbour") == 1
