"""Shards: equal sets of passages give equal bytes; deletion leaves nothing; damaged bytes are never served."""

from __future__ import annotations

import struct
import zlib
from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import Damaged
from casemate.knowledge.index import form
from casemate.knowledge.index.analyse import words
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build, merge, without
from casemate.knowledge.index.search import search
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Element, make_label

SECRET = make_label({"test": Element(2, "SECRET")})
OPEN = make_label({})


def passage(number: int, text: str, document: str = "doc") -> Passage:
    return Passage(f"psg_{number:03d}", document, number, "title", "", "(S)", 0, text)


texts = st.lists(st.sampled_from(["fuel", "storm", "Hafen", "école", "7"]), max_size=6).map(" ".join)
made = st.lists(st.tuples(texts, st.sampled_from("abc"), st.binary(min_size=4, max_size=4) | st.just(b"")), max_size=8)
FILED = [
    Filed("a", "Über uns", 5, "text/plain", "de", {"year": 7.0, "draft": True, "by": "ann"}),
    Filed("b", "b", 3, "", "en", {"by": "bob", "year": 7.5}),
]


def _shard(rows: list[tuple[int, tuple[str, str, bytes]]]) -> Shard:
    vectors = [raw.replace(b"\x80", b"\x81") for _, (_, _, raw) in rows]
    passages = [passage(number, text, doc) for number, (text, doc, _) in rows]
    return build(SECRET, passages, vectors, FILED, "hashing", "harbour")


@settings(max_examples=200, deadline=None)
@given(made, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_cut_and_merge_gives_the_same_bytes(rows, random, parts) -> None:  # type: ignore[no-untyped-def]
    numbered = list(enumerate(rows))
    whole = _shard(numbered)
    random.shuffle(numbered)
    assert encode(_shard(numbered)) == encode(whole), "in whatever order they came"
    cut = [_shard(numbered[at::parts]) for at in range(parts)]
    random.shuffle(cut)
    assert encode(merge(cut)) == encode(whole)
    again = decode(*encode(whole), SECRET, "harbour")
    assert encode(again) == encode(whole)
    assert encode(merge([again])) == encode(whole)


@settings(max_examples=200, deadline=None)
@given(made, st.sets(st.sampled_from("abc")))
def test_without_is_as_if_it_had_never_been(rows, gone) -> None:  # type: ignore[no-untyped-def]
    numbered = list(enumerate(rows))
    rest = _shard([(number, row) for number, row in numbered if row[1] not in gone])
    assert encode(without(_shard(numbered), gone)) == encode(rest)


def test_a_large_shard_is_merged_and_cut_as_a_small_one() -> None:
    """More rows than two bytes count, and a word said more often than one byte counts."""
    many = [passage(at, "fuel " * (300 if at == 7 else 1), f"d{at % 3}") for at in range((1 << 16) + 2)]
    whole = build(SECRET, many)
    assert (whole.rows.dtype, whole.counts.dtype) == (np.uint32, np.uint16)
    assert int(whole.postings("fuel")[1].max()) == 300
    assert encode(merge([build(SECRET, many[:9]), build(SECRET, many[9:])])) == encode(whole)
    kept = without(whole, {"d1"})
    assert (kept.rows.dtype, kept.counts.dtype) == (np.uint16, np.uint8)
    assert encode(kept) == encode(build(SECRET, [each for each in many if each.document != "d1"]))


def test_a_word_in_every_passage_of_a_shard_that_two_bytes_just_number() -> None:
    whole = build(SECRET, [passage(at, "fuel") for at in range(1 << 16)])
    assert (whole.rows.dtype, whole.spread.tolist()) == (np.uint16, [1 << 16])
    assert encode(decode(*encode(whole), SECRET)) == encode(whole)


def test_who_filed_a_document_first_does_not_count() -> None:
    early, late = Filed("doc", "early", 1), Filed("doc", "late", 2, attributes={"b": 1, "a": 2})
    one, two = passage(1, "fuel"), passage(2, "storm")
    for first, second in ((early, late), (late, early)):
        shard = merge([build(SECRET, [one], filed=[first]), build(SECRET, [two], filed=[second])])
        assert shard.filed == (late,)
        assert encode(shard) == encode(build(SECRET, [two, one], filed=[second, first]))
    assert build(SECRET, [one]).filed == (Filed("doc", "title"),)
    turned = Filed("doc", "late", 2, attributes={"a": 2, "b": 1})
    assert encode(build(SECRET, [one], filed=[turned])) == encode(build(SECRET, [one], filed=[late]))


@settings(max_examples=200, deadline=None)
@given(made, st.data())
def test_one_changed_byte_is_damage(rows, data) -> None:  # type: ignore[no-untyped-def]
    pair = [bytearray(raw) for raw in encode(_shard(list(enumerate(rows))))]
    raw = data.draw(st.sampled_from([each for each in pair if each]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        decode(bytes(pair[0]), bytes(pair[1]), SECRET)


@settings(max_examples=100, deadline=None)
@given(made, st.booleans(), st.data())
def test_a_cut_or_longer_file_is_damage(rows, which, data) -> None:  # type: ignore[no-untyped-def]
    index, plane = encode(_shard(list(enumerate(rows))))
    raw = plane if which else index
    for wrong in (raw[: data.draw(st.integers(0, max(0, len(raw) - 1)))], raw + b"\0"):
        if wrong != raw:
            with pytest.raises(Damaged):
                decode(*((index, wrong) if which else (wrong, plane)), SECRET)


@settings(max_examples=300, deadline=None)
@given(made.filter(len), st.data())
def test_what_passes_the_checksum_is_damage_or_can_be_read(rows, data) -> None:  # type: ignore[no-untyped-def]
    """Whatever a byte is changed to, nothing but Damaged comes of it: no crash, no row beyond the end."""
    index, plane = encode(_shard(list(enumerate(rows))))
    raw = bytearray(index)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(12, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    size = struct.unpack_from("<4sII", raw)[2]
    struct.pack_into("<I", raw, 4, zlib.crc32(raw[12:], size))
    try:
        shard = decode(bytes(raw), plane, SECRET)
        shard.passages()
        shard.vocabulary()
        found = search(["fuel", "storm", "hafen"], {"hashing": b"\1\2\3\4"}, [shard], 9)
        assert len(found) <= shard.count
        merge([without(shard, {"a"})])
    except (Damaged, ValueError):
        return


def test_vectors_are_of_the_index_that_means_them() -> None:
    one = encode(build(SECRET, [passage(0, "fuel")], [b"\x01\x02"]))
    other = encode(build(SECRET, [passage(0, "fuel")], [b"\x01\x03"]))
    none = encode(build(SECRET, [passage(0, "fuel")], [b""]))
    assert none[1] == b""
    for index, plane in ((one[0], other[1]), (one[0], b""), (none[0], one[1])):
        with pytest.raises(Damaged):
            decode(index, plane, SECRET)


@pytest.mark.parametrize("turn", ["magic", "count", "check", "length"])
def test_a_plane_that_the_head_means_is_looked_at_too(turn: str) -> None:
    shard = build(SECRET, [passage(0, "fuel")], [b"\x01\x02"])
    body = struct.pack("<II", 2 if turn == "count" else 1, 2) + b"\x01\x02" + (b"\0" if turn == "length" else b"")
    check = zlib.crc32(body) ^ (turn == "check")
    forged = (b"CMSX" if turn == "magic" else b"CMSV") + struct.pack("<I", check) + body
    with patch.object(form, "_plane", lambda vectors: forged), pytest.raises(Damaged):
        decode(*encode(shard), SECRET)


def _forged(shard: Shard, **wrong: object) -> tuple[bytes, bytes]:
    """Bytes with right checksums and wrong contents: what a defect of ours, not an accident, would write."""
    arrays = {name: getattr(shard, name) for name in form.Arrays._fields}
    given = {name: value for name, value in wrong.items() if name in arrays}
    head = form.Head("hashing", wrong.get("filed", shard.filed))  # type: ignore[arg-type]
    words, texts = wrong.get("words", bytes(shard.words)), wrong.get("texts", bytes(shard.texts))
    vectors = wrong.get("vectors", shard.vectors)
    return form.pack(head, form.Arrays(**(arrays | given)), words, texts, vectors)  # type: ignore[arg-type]


BASE = build(SECRET, [passage(0, "fuel storm fuel"), passage(1, "fuel")], [b"\x01\x02", b"\x03\x04"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": np.array([0, 5, 0], dtype=np.uint32)},
        {"rows": np.array([1, 0, 0], dtype=np.uint32)},
        {"counts": np.array([0, 1, 1], dtype=np.uint8)},
        {"counts": np.array([2, 2, 1], dtype=np.uint8)},
        {"lengths": np.array([3, 9], dtype=np.uint32)},
        {"starts": np.array([0, 0, 3], dtype=np.uint32)},
        {"starts": np.array([1, 2, 3], dtype=np.uint32)},
        {"starts": np.array([0, 2, 7], dtype=np.uint32)},
        {"bounds": np.array([0, 9**6, 9**6], dtype=np.uint64)},
        {"bounds": np.array([5, 9, 12], dtype=np.uint64)},
        {"ids": np.array([b"psg_001", b"psg_000"])},
        {"ids": np.array([b"psg_000", b"psg_000"])},
        {"keys": BASE.keys[::-1]},
        {"keys": BASE.keys[[0, 0]]},
        {"keys": BASE.keys[:1]},
        {"owners": np.array([0, 1], dtype=np.uint32)},
        {"filed": ()},
        {"filed": (Filed("doc"), Filed("more"))},
        {"filed": (Filed("doc"), Filed("doc"))},
        {"spread": np.array([2, 0], dtype=np.uint16)},
        {"spread": np.array([2], dtype=np.uint16)},
        {"words": b""},
        {"vectors": np.array([[1, -128], [3, 4]], dtype=np.int8)},
        {"vectors": np.ones((2, 1041), dtype=np.int8)},
        {"texts": b""},
    ],
)
def test_contents_that_no_shard_has_are_damage(wrong: dict[str, object]) -> None:
    assert decode(*_forged(BASE), SECRET).count == 2
    with pytest.raises(Damaged):
        decode(*_forged(BASE, **wrong), SECRET)


def _with_head(head: object, body: bytes = b"") -> bytes:
    front = msgspec.msgpack.encode(head)
    rest = front + bytes(-(12 + len(front)) % 8) + body
    return struct.pack("<4sII", b"CMSH", zlib.crc32(rest, len(front)), len(front)) + rest


@pytest.mark.parametrize(
    "head",
    [
        ["not", "a", "head"],
        form.Head("", (), version=1),
        form.Head("", (), version=3),
        form.Head("", (), count=10**12),
        form.Head("", (), count=-1),
        form.Head("", (), keys=-1),
        form.Head("", (), keys=10**12),
        form.Head("", (), cells=10**12),
        form.Head("", (), spread=10**12),
        form.Head("", (), texts=-1),
        form.Head("", (), words=-1, texts=1),
        form.Head("", (), id_width=0),
        form.Head("", (), times_width=3),
        form.Head("", (), width=5000),
        form.Head("", (), width=-1),
        form.Head("", (), plane=7),
    ],
)
def test_a_head_that_no_shard_has_is_damage(head: object) -> None:
    empty = _with_head(form.Head("", ()), bytes(16))
    assert decode(empty, b"", SECRET).count == 0
    with pytest.raises(Damaged):
        decode(_with_head(head, bytes(16)), b"", SECRET)


def test_a_passage_or_a_word_that_is_none_is_damage() -> None:
    shard = decode(*_forged(BASE, texts=b"\xc1" * len(bytes(BASE.texts)), words=b"\xff\n\xff"), SECRET)
    with pytest.raises(Damaged):
        shard.passage(0)
    with pytest.raises(Damaged):
        shard.vocabulary()


def test_statistics_and_postings() -> None:
    shard = decode(*encode(BASE), SECRET, "harbour")
    assert (shard.count, shard.total, shard.df("fuel"), shard.df("storm"), shard.df("none")) == (2, 4, 2, 1, 0)
    rows, counts = shard.postings("fuel")
    assert rows.tolist() == [0, 1]
    assert counts.tolist() == [2, 1]
    assert shard.passages() == BASE.passages()
    assert shard.norms.tolist() == [5, 25]
    assert (shard.base, BASE.base) == ("harbour", "")
    assert build(SECRET, []).df("fuel") == 0


def test_the_bytes_of_a_posting_are_few() -> None:
    shard = build(SECRET, [passage(at, "fuel storm signal") for at in range(500)])
    assert shard.rows.itemsize + shard.counts.itemsize == 3
    assert len(shard.keys) == 3


def test_words_as_they_stand_with_how_many_passages_hold_each() -> None:
    shard = build(SECRET, [passage(0, "École, écoles & fuels 7b to"), passage(1, "école")])
    assert shard.vocabulary() == {"ecole": 2, "ecoles": 1, "fuels": 1}
    assert words("École, écoles & fuels 7b to") == ["ecole", "ecoles", "fuels", "7b"]
    assert build(SECRET, []).vocabulary() == {}


def test_vectors_are_given_row_by_row_or_as_a_matrix() -> None:
    several = [passage(1, "a"), passage(0, "b")]
    matrix = np.array([[1, 2], [3, 4]], dtype=np.int8)
    assert encode(build(SECRET, several, matrix)) == encode(build(SECRET, several, [b"\1\2", b"\3\4"]))


def test_a_passage_lies_in_one_shard_of_one_label() -> None:
    with pytest.raises(ValueError, match="twice"):
        build(SECRET, [passage(1, "a"), passage(1, "b")])
    with pytest.raises(ValueError, match="twice"):
        merge([BASE, BASE])
    with pytest.raises(ValueError, match="different labels"):
        merge([BASE, build(OPEN, [])])
    for other in (build(SECRET, [], base="mill"), build(SECRET, [], embedder="other")):
        with pytest.raises(ValueError, match="different bases or embedders"):
            merge([BASE, other])
    with pytest.raises(ValueError, match="as many"):
        build(SECRET, [passage(1, "a")], [b"", b""])


def test_a_heading_is_indexed_with_its_passage() -> None:
    shard = build(SECRET, [Passage("psg_1", "doc", 0, "", "Harbour watch", "", 0, "Nothing moved.")])
    assert shard.df("harbour") == 1
