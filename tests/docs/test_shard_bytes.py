"""docs/bytes/shard.md is enough to read a shard and to make one: both are done here by its tables, not by the code."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import Damaged
from casemate.knowledge.index.analyse import terms, words
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import decode, encode
from casemate.knowledge.reading.passage import Passage
from casemate.labels import make_label

PAGE = (Path(__file__).parents[2] / "docs" / "bytes" / "shard.md").read_text()
OPEN = make_label({})
Told = dict[str, Any]


def table(head: str) -> list[list[str]]:
    """The rows of the page's table whose first heading is that."""
    lines = PAGE.split(f"\n| {head} |")[1].splitlines()[2:]
    end = next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[:end]]


KEYS = [row[0] for row in table("key")]
ARRAYS = [(name, width, items) for name, width, items, _ in table("array")]


def sizes(head: Told, width: str, items: str) -> tuple[int, int]:
    """Bytes of an item and how many there are, as a row of the table says."""
    named = {"R": 2 if head["count"] <= 65_536 else 4, "M": 2 if head["count"] < 65_536 else 4, **head}
    name, _, more = items.partition(" + ")
    return int(width) if width.isdigit() else named[width], named[name] + int(more or 0)


def read(index: bytes, plane: bytes) -> Told:
    """A shard by the page's rules; a broken one is an AssertionError."""
    magic, check, length = struct.unpack_from("<4sII", index)
    assert magic == b"CMSH"
    assert check == zlib.crc32(index[12:], length)
    head = msgspec.msgpack.decode(index[12 : 12 + length])
    assert list(head) == KEYS
    assert head["version"] == 2
    found: Told = {"head": head}
    at = 12 + length
    for name, width, items in ARRAYS:
        at += -at % 8
        size, number = sizes(head, width, items)
        pieces = [index[at + place * size : at + (place + 1) * size] for place in range(number)]
        at += size * number
        whole = [int.from_bytes(piece, "little") for piece in pieces]
        found[name] = [piece.rstrip(b"\0").decode() for piece in pieces] if name == "ids" else whole
    at += -at % 8
    said = index[at : at + head["words"]].decode()
    found["words"] = said.split("\n") if said else []
    texts = index[at + head["words"] :]
    assert len(texts) == head["texts"]
    bounds = found["bounds"]
    found["passages"] = [msgspec.msgpack.decode(texts[start:end]) for start, end in pairwise(bounds)]
    found["vectors"] = vectors(head, plane)
    return found


def vectors(head: Told, plane: bytes) -> list[bytes]:
    assert head["plane"] == zlib.crc32(plane)
    if not plane:
        assert head["width"] == 0
        return [b""] * head["count"]
    magic, check, rows, width = struct.unpack_from("<4sIII", plane)
    assert (magic, check) == (b"CMSV", zlib.crc32(plane[8:]))
    assert (rows, width) == (head["count"], head["width"])
    assert len(plane) == 16 + rows * width
    return [plane[16 + row * width :][:width] for row in range(rows)]


def written(embedder: str, passages: list[Passage], made: list[bytes], filed: list[Filed]) -> tuple[bytes, bytes]:
    """The bytes of a shard of these, by the page's rules."""
    order = sorted(range(len(passages)), key=lambda at: passages[at].id)
    chosen = [passages[at] for at in order]
    width = max((len(raw) for raw in made if raw.strip(b"\0")), default=0)
    matrix = b"".join(made[at].ljust(width, b"\0") for at in order) if width else b""
    body = struct.pack("<II", len(chosen), width) + matrix
    plane = b"CMSV" + struct.pack("<I", zlib.crc32(body)) + body if width else b""
    owned = {passage.document for passage in chosen}
    owners = sorted((each for each in filed if each.document in owned), key=lambda each: each.document)
    bags = [Counter(keyed(term) for term in terms(passage.indexed)) for passage in chosen]
    postings = sorted((key, row, times) for row, bag in enumerate(bags) for key, times in bag.items())
    keys = sorted({key for key, _, _ in postings})
    spoken = [{word for word in words(p.indexed) if 3 <= len(word) <= 40 and word.isalpha()} for p in chosen]
    spread = Counter(word for each in spoken for word in each)
    texts = [msgspec.msgpack.encode(msgspec.structs.astuple(passage)) for passage in chosen]
    said = "\n".join(sorted(spread)).encode()
    most = max((times for _, _, times in postings), default=0)
    fields: Told = {
        "embedder": embedder,
        "filed": [[*msgspec.structs.astuple(each)[:5], dict(sorted(each.attributes.items()))] for each in owners],
        "count": len(chosen),
        "keys": len(keys),
        "cells": len(postings),
        "spread": len(spread),
        "id_width": max([1, *(len(passage.id) for passage in chosen)]),
        "times_width": 1 if most < 256 else 2 if most < 65_536 else 4,
        "words": len(said),
        "texts": sum(map(len, texts)),
        "width": width,
        "plane": zlib.crc32(plane),
        "version": 2,
    }
    head = {name: fields[name] for name in KEYS}
    columns: Told = {
        "ids": [passage.id for passage in chosen],
        "keys": keys,
        "starts": [sum(key < each for key, _, _ in postings) for each in keys] + [len(postings)],
        "rows": [row for _, row, _ in postings],
        "counts": [times for _, _, times in postings],
        "lengths": [bag.total() for bag in bags],
        "owners": [[each.document for each in owners].index(passage.document) for passage in chosen],
        "bounds": [sum(map(len, texts[:at])) for at in range(len(texts) + 1)],
        "spread": [spread[word] for word in sorted(spread)],
    }
    front = msgspec.msgpack.encode(head)
    whole = bytearray(12) + front
    for name, wide, items in ARRAYS:
        whole += bytes(-len(whole) % 8)
        size, number = sizes(head, wide, items)
        assert len(columns[name]) == number
        for value in columns[name]:
            whole += value.encode().ljust(size, b"\0") if name == "ids" else value.to_bytes(size, "little")
    whole += bytes(-len(whole) % 8) + said + b"".join(texts)
    struct.pack_into("<4sII", whole, 0, b"CMSH", zlib.crc32(whole[12:], len(front)), len(front))
    return bytes(whole), plane


def keyed(term: str) -> int:
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")


FILED = [
    Filed("a", "Über uns", 1_700_000_000_000_000, "text/plain", "fr", {"year": 7.0, "draft": True, "by": "ann"}),
    Filed("b", "", 3, "application/pdf", "en"),
    Filed("c", "nothing of it is here", 4),
]
said = st.lists(st.sampled_from(["fuel", "Storms", "Häfen", "the", "7", "navire"]), max_size=6).map(" ".join)
rows = st.lists(
    st.tuples(said, st.sampled_from(["", "Fuel state"]), st.sampled_from("ab"), st.binary(min_size=3, max_size=3)),
    max_size=6,
)


def given_rows(found: list[tuple[str, str, str, bytes]]) -> tuple[list[Passage], list[bytes]]:
    passages = [
        Passage(f"psg_{at * 7919 % 1000}", document, at, "title", heading, "(S)", at, text)
        for at, (text, heading, document, _) in enumerate(found)
    ]
    return passages, [raw.replace(b"\x80", b"\x81") for *_, raw in found]


@settings(max_examples=150, deadline=None)
@given(rows)
def test_a_shard_is_read_by_these_rules(found: list[tuple[str, str, str, bytes]]) -> None:
    passages, made = given_rows(found)
    shard = build(OPEN, passages, made, FILED, "hashing")
    told = read(*encode(shard))
    assert told["head"]["embedder"] == "hashing"
    assert told["ids"] == [each.decode() for each in shard.ids.tolist()] == sorted(p.id for p in passages)
    assert told["passages"] == [list(msgspec.structs.astuple(each)) for each in shard.passages()]
    assert [Filed(*each) for each in told["head"]["filed"]] == list(shard.filed)
    assert dict(zip(told["words"], told["spread"], strict=True)) == shard.vocabulary()
    assert b"".join(told["vectors"]) == shard.vectors.tobytes()
    for term in {term for passage in passages for term in terms(passage.indexed)}:
        at = told["keys"].index(keyed(term))
        here = slice(told["starts"][at], told["starts"][at + 1])
        held = {row: terms(p.indexed).count(term) for row, p in enumerate(shard.passages())}
        assert dict(zip(told["rows"][here], told["counts"][here], strict=True)) == {r: n for r, n in held.items() if n}
    assert told["lengths"] == [len(terms(each.indexed)) for each in shard.passages()]
    assert [told["head"]["filed"][at][0] for at in told["owners"]] == [p[1] for p in told["passages"]]


@settings(max_examples=150, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_a_shard_is_made_by_these_rules(found: list[tuple[str, str, str, bytes]], random: Any) -> None:
    passages, made = given_rows(found)
    pair = written("hashing", passages, made, FILED)
    assert pair == encode(build(OPEN, passages, made, FILED, "hashing"))
    both = list(zip(passages, made, strict=True))
    random.shuffle(both)
    assert written("hashing", [p for p, _ in both], [raw for _, raw in both], FILED) == pair
    assert decode(*pair, OPEN).count == len(passages)


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537])
def test_wider_rows_begin_where_the_page_says(count: int) -> None:
    """R and M at their edges, and a word that stands 300 times in a passage."""
    many = [Passage(f"p{at:05d}", "a", at, "", "", "", 0, "fuel " * (300 if at == 9 else 1)) for at in range(count)]
    told = read(*encode(build(OPEN, many, filed=FILED)))
    assert told["rows"] == list(range(count))
    assert told["counts"][9] == 300
    assert told["spread"] == [count]
    assert told["vectors"] == [b""] * count


def test_what_breaks_a_rule_is_damaged() -> None:
    passages, made = given_rows([("fuel", "", "a", b"abc")])
    index, plane = written("hashing", passages, made, FILED)
    plain = bytearray(index)
    struct.pack_into("<I", plain, 4, zlib.crc32(index[12:]))  # a checksum that is begun at 0
    for wrong, beside in ((bytes(plain), plane), (index, b""), (index, plane + b"\0"), (index + b"\0", plane)):
        with pytest.raises(Damaged):
            decode(wrong, beside, OPEN)
        with pytest.raises(AssertionError):
            read(wrong, beside)
