"""The faults of an air gap that the guard meets, each named after its row: bombs, names, dead parsers, disguises."""

from __future__ import annotations

import json
import pickle
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casemate.errors import Refused
from casemate.transfer.guard import Asked, Member, Verdict, judge, safe_names
from casemate.transfer.guard import agree as agreeing
from casemate.transfer.guard.schema import Anything, Column, Columns, Schema, Text
from tests.transfer.guard import samples

MIB = 1 << 20


def verdict(format: Any, raw: bytes, schema: Schema | None = None, direction: Any = "in") -> Verdict:
    said, canonical = judge(raw, Asked(format, direction, schema))
    assert said.agrees == bool(canonical), said
    return said


def rule(format: Any, raw: bytes, schema: Schema | None = None, direction: Any = "in") -> str:
    return verdict(format, raw, schema, direction).rule


def _packed(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


BOMBS: tuple[tuple[str, str, Callable[[], bytes], Schema | None, str], ...] = (
    ("png that unpacks to 256 MiB", "png", lambda: samples.png(4, 4, 2, b"", packed=_packed(256 * MIB)), None, "bomb"),
    ("png of a million by a million", "png", lambda: samples.png(1 << 20, 1 << 20, 2, b""), None, "count"),
    (
        "png of many chunks",
        "png",
        lambda: samples.png(1, 1, 0, b"\0\0", before=samples.chunk(b"teXt", b"") * 30_000),
        None,
        "count",
    ),
    ("nesting of a million", "json", lambda: b"[" * 1_000_000, Anything(), "depth"),
    ("nesting in objects", "json", lambda: b'{"a":' * 100_000, Anything(), "depth"),
    ("ten million values", "json", lambda: b"[" + b"1," * 10_000_000 + b"1]", Anything(), "count"),
    ("a number of a million digits", "json", lambda: b"9" * 1_000_000, Anything(), "schema"),
    ("a number with a vast exponent", "json", lambda: b"1e999999999", Anything(), "schema"),
    ("ten million cells in a row", "csv", lambda: b"a\n" + b"," * 10_000_000, Columns((Column("a", Text()),)), "count"),
    ("ten million lines", "jsonl", lambda: b"1\n" * 10_000_000, Anything(), "count"),
    ("header of tensors of 2^63 bytes", "safetensors", lambda: samples.tensors(b"{}", said=1 << 63), None, "size"),
    ("header of tensors of 1 GiB", "safetensors", lambda: samples.tensors(b"{}", said=1 << 30), None, "size"),
    ("marks on one letter", "text", lambda: b"a" + "\u0316\u0301".encode() * 50_000, None, "count"),
    ("text of 65 MiB", "text", lambda: b"a" * (65 * MIB), None, "size"),
)


@pytest.mark.parametrize(("made", "row"), [(bomb[2], bomb) for bomb in BOMBS], ids=[bomb[0] for bomb in BOMBS])
def test_fault_18_memory_bomb_is_refused_within_bounds(made: Callable[[], bytes], row: Any) -> None:
    raw = made()
    tracemalloc.start()
    try:
        assert rule(row[1], raw, row[3]) == f"guard-{row[4]}"
        assert tracemalloc.get_traced_memory()[1] < 2 * len(raw) + 8 * MIB
    finally:
        tracemalloc.stop()


def test_fault_18_a_packed_stream_has_no_format_at_all() -> None:
    """zstd, gzip, zip: nothing is unpacked here, so there is nothing to blow up."""
    for magic in (b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh9", b"\xfd7zXZ\x00"):
        assert rule("text", magic + bytes(100)) == "guard-archive"


def test_fault_18_ten_million_names_are_not_even_listed() -> None:
    taken = 0

    def names() -> Iterator[str]:
        nonlocal taken
        for taken in range(10_000_000):
            assert taken <= 100_000, "nobody stops"
            yield f"{taken}.txt"

    with pytest.raises(Refused, match="guard-count"):
        safe_names(names())
    assert taken == 100_000


NAMES: dict[str, tuple[str | Member, ...]] = {
    "traversal": ("../a", "a/../b", "..", ".", "a/./b", "a//b", "", "a/", "/", "./a"),
    "absolute": ("/etc/passwd", "C:\\a", "c:a", "\\\\host\\share\\a", "//host/a"),
    "links and devices": tuple(Member("a", kind) for kind in ("symlink", "hardlink", "device", "fifo", "socket")),
    "windows": (
        "CON",
        "a/nul.txt",
        "Com1",
        "LPT9.md",
        "aux ",
        "a.",
        "a ",
        " a",
        "a:b",
        "a<b",
        "a|b",
        "q?",
        "s*",
        "COM\u00b9",
    ),
    "hidden": ("a\u202eb", "a\u200bb", "a\x00b", "a\nb", "a\ufeff", "a\u2028b", "\ud800", "a\ue000"),
    "form": ("e\u0301", "\u212b"),
    "length": ("a" * 256, "/".join("ab" for _ in range(40)), "\u00e9" * 120),
}


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name in names], ids=repr)
def test_fault_19_a_name_that_means_another_place_is_refused(name: str | Member) -> None:
    with pytest.raises(Refused) as caught:
        safe_names(["before", name])
    assert caught.value.facts["rule"] == "guard-name"
    quoted = name if isinstance(name, str) else name.name
    assert len(quoted) < 3 or quoted not in str(caught.value.facts["why"])


@pytest.mark.parametrize(
    "names",
    [
        ("a.txt", "A.TXT"),
        ("\u00e9", "\u00c9"),
        ("stra\u00dfe", "STRASSE"),
        ("a", "a"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("A/b", "a/c"),
        ("\ufb01le", "file"),
        (Member("d/", "folder"), "D"),
        (Member("d", "folder"), "d"),
    ],
)
def test_fault_19_names_that_clash_where_case_or_form_does_not_count(names: tuple[str | Member, ...]) -> None:
    with pytest.raises(Refused, match="guard-name"):
        safe_names(names)


def test_fault_19_plain_names_are_taken_as_they_are() -> None:
    names = (
        "a.txt",
        "b/a.txt",
        "b/c/model-00001-of-00002.safetensors",
        "\u00e9t\u00e9/no\u00ebl.md",
        "a b",
        "-x",
        ".hidden",
    )
    assert safe_names(names) == names
    assert safe_names([Member("f/", "folder"), Member("f", "folder"), "f/a"]) == ("f", "f", "f/a")


@pytest.mark.parametrize("side", ["made", "read"])
@pytest.mark.parametrize(
    ("error", "held_by"),
    [
        (ValueError, "crash"),
        (IndexError, "crash"),
        (ZeroDivisionError, "crash"),
        (TypeError, "crash"),
        (MemoryError, "memory"),
        (RecursionError, "depth"),
    ],
)
def test_fault_29_a_parser_that_fails_holds_what_it_failed_on(
    monkeypatch: pytest.MonkeyPatch, side: str, error: type[Exception], held_by: str
) -> None:
    def fails(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(agreeing, side, fails)
    try:
        said = rule("text", b"a")
    except Exception as escaped:  # noqa: BLE001 - what leaves the guard is what this looks for
        said = type(escaped).__name__
    assert said == f"guard-{held_by}"


def test_fault_29_parsers_that_disagree_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreeing, "read", lambda *_: b"b")
    said, canonical = judge(b"a", Asked("text", "in"))
    assert (said.rule, said.agrees, said.digest, canonical) == ("guard-differs", False, "", b"")


PNG = samples.png(2, 2, 0, bytes((0, 1, 2, 0, 3, 4)))
ONE = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}


def _tensor(**said: Any) -> bytes:
    return samples.tensors({"a": {**ONE, **said}}, b"abcd")


DISGUISES: tuple[tuple[str, str, bytes, str], ...] = (
    ("zip after a png", "png", PNG + b"PK\x03\x04rest", "trailing"),
    ("script after the pixels", "png", samples.png(1, 1, 0, b"", packed=zlib.compress(b"\0\0") + b"#!"), "trailing"),
    ("more pixels than told", "png", samples.png(1, 1, 0, b"\0\0\0"), "bomb"),
    ("fewer pixels than told", "png", samples.png(2, 2, 0, b"\0\0"), "structure"),
    ("another checksum", "png", PNG[:-1] + b"\0", "structure"),
    ("critical chunk", "png", samples.png(1, 1, 0, b"\0\0", before=samples.chunk(b"EVIL", b"x")), "structure"),
    ("interlaced", "png", PNG.replace(PNG[12:33], samples.chunk(b"IHDR", PNG[16:28] + b"\1")[4:]), "structure"),
    ("palette of none", "png", samples.png(1, 1, 3, b"\0\0"), "structure"),
    ("beyond the palette", "png", samples.png(1, 1, 3, b"\0\1", before=samples.chunk(b"PLTE", b"abc")), "structure"),
    ("pdf as text", "text", b"%PDF-1.7\n", "structure"),
    ("png as text", "text", PNG, "structure"),
    ("text as png", "png", b"hello", "structure"),
    ("pickle as text", "text", pickle.dumps({"a": 1}), "pickle"),
    ("pickle inside zip", "safetensors", b"PK\x03\x04" + pickle.dumps(1), "size"),
    ("elf as text", "text", b"\x7fELF" + bytes(60), "executable"),
    ("windows program", "text", b"MZ\x90\x00", "executable"),
    ("script as text", "text", b"#!/bin/sh\n", "code"),
    ("tar as text", "text", bytes(257) + b"ustar" + bytes(250), "archive"),
    ("office file", "text", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    ("tensors with an end", "safetensors", samples.TENSORS + b"PK", "trailing"),
    ("tensors cut short", "safetensors", samples.TENSORS[:-1], "structure"),
    ("gap before a tensor", "safetensors", _tensor(data_offsets=[1, 4], shape=[3]), "structure"),
    (
        "overlap",
        "safetensors",
        samples.tensors({"a": ONE, "b": {**ONE, "data_offsets": [2, 6]}}, b"abcdef"),
        "structure",
    ),
    ("shape that lies", "safetensors", _tensor(shape=[3]), "structure"),
    ("shape that overflows", "safetensors", _tensor(shape=[1 << 40, 1 << 40]), "structure"),
    ("negative side", "safetensors", _tensor(shape=[-2, -2]), "structure"),
    ("number as text", "safetensors", _tensor(shape=["4"]), "structure"),
    ("unknown dtype", "safetensors", _tensor(dtype="F128"), "structure"),
    ("tensor with more", "safetensors", _tensor(more=1), "structure"),
    (
        "tensor twice",
        "safetensors",
        samples.tensors(b'{"a":%s,"a":%s}' % ((json.dumps(ONE).encode(),) * 2), b"abcd"),
        "structure",
    ),
    ("tensor named as a path", "safetensors", samples.tensors({"../a\\": ONE}, b"abcd"), "name"),
    ("header that is no object", "safetensors", samples.tensors(b"[]"), "structure"),
    ("header with space before it", "safetensors", samples.tensors(b" {}"), "structure"),
    ("metadata that is no map", "safetensors", samples.tensors({"__metadata__": [1]}), "structure"),
    ("a key twice", "tokenizer", b'{"version":"1.0","version":"1.0"}', "structure"),
    ("a part of its own", "tokenizer", samples.TOKENIZER.replace(b'"NFC"', b'"Exec"'), "schema"),
    ("not a number", "tokenizer", b'{"version":NaN}', "structure"),
    ("half a character", "tokenizer", samples.TOKENIZER.replace(b"[PAD]", b"\\ud800"), "encoding"),
)


@pytest.mark.parametrize(
    ("format", "raw", "held_by"), [row[1:] for row in DISGUISES], ids=[row[0] for row in DISGUISES]
)
def test_fault_30_a_disguise_or_a_lie_is_refused(format: str, raw: bytes, held_by: str) -> None:
    assert rule(format, raw) == f"guard-{held_by}"


def test_fault_30_nothing_of_a_polyglot_s_other_face_crosses() -> None:
    """What stands beside the pixels of a good PNG, a page of script say, is not in what is made of it."""
    hidden = samples.png(1, 1, 0, b"\0\x05", before=samples.chunk(b"tEXt", b"x\0<script>alert(1)</script>"))
    said, canonical = judge(hidden, Asked("png", "in"))
    assert said.agrees
    assert said.changed
    assert b"script" not in canonical
    assert canonical == judge(samples.png(1, 1, 0, b"\0\x05"), Asked("png", "in"))[1]
