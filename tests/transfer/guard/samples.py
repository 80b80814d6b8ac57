"""What the tests of the guard feed it: files of each format, written here and by nothing of the guard's own."""

from __future__ import annotations

import json
import random
import struct
import zlib
from typing import Any

from casemate.transfer.guard.schema import (
    Choice,
    Column,
    Columns,
    Date,
    Each,
    Fields,
    Flag,
    Map,
    Maybe,
    Number,
    Row,
    Schema,
    Text,
    TextOr,
    Variants,
    Whole,
)

TABLE = Columns(
    (
        Column("name", Text(most=80, lines=True)),
        Column("count", Whole(-1000, 10_000), empty=True),
        Column("price", Number(digits=12), empty=True),
        Column("day", Date(), empty=True),
        Column("kind", Choice(("a", "b, c")), empty=True),
        Column("seen", Flag(), empty=True),
    )
)
CSV = b'name,count,price,day,kind,seen\r\n"Ferry, small",007,1.50,2024-02-29,"b, c",true\r\nPier,,,,,\r\n'
DOCUMENT: Schema = Fields(
    {
        "name": Text(most=80, lines=True),
        "token": Text(most=40, raw=True),
        "sizes": Each(Whole(-9, 99), 20),
        "map": Map(Maybe(Number()), Text(most=20), 20),
        "pair": Row((Flag(), Date())),
        "part": Variants({"A": Fields({"type": Choice(("A",))}), "B": Fields({"type": Choice(("B",)), "n": Whole()})}),
        "way": TextOr(Choice(("all",)), Fields({"n": Whole()})),
    },
    optional=("token", "map", "part", "way"),
)
JSON = (
    b'{"sizes": [1, -2], "name": "H\\u00e9l\\u00e8ne \\"x\\"", "map": {"b": 1.50, "a": null}, "pair": [true,'
    b'"2023-01-31"], "token": "\\u200b\\ud83d\\ude00\\n", "part": {"n": 1, "type": "B"}, "way": {"n": 3}}'
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, colour: int, rows: bytes, depth: int = 8, before: bytes = b"", packed: bytes = b""
) -> bytes:
    """A PNG of rows with their filters; `before` its pixels stand other chunks."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", packed or zlib.compress(rows)) + chunk(b"IEND", b"")


def filtered(pixels: list[bytes], step: int, ways: list[int]) -> bytes:
    """Rows of samples under the filters of PNG, written as its section 9.2 says it."""
    made, above = b"", bytes(len(pixels[0]))
    for row, way in zip(pixels, ways, strict=True):
        made += bytes([way])
        for at, x in enumerate(row):
            a, b, c = (row[at - step], above[at], above[at - step]) if at >= step else (0, above[at], 0)
            p = a + b - c
            nearest = min((a, b, c), key=lambda v: abs(p - v))
            made += bytes([(x - (0, a, b, (a + b) // 2, nearest)[way]) % 256])
        above = row
    return made


def picture(rng: random.Random, width: int, height: int, colour: int) -> tuple[bytes, list[bytes]]:
    """A PNG of eight bits with every filter, and its rows of samples."""
    step = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    rows = [rng.randbytes(width * step) for _ in range(height)]
    return png(width, height, colour, filtered(rows, step, [at % 5 for at in range(height)])), rows


def tensors(header: Any, data: bytes = b"", said: int | None = None) -> bytes:
    """safetensors with that header, an object or its text."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if said is None else said) + text + data


TENSORS = tensors(
    {
        "__metadata__": {"format": "pt", "author": "somebody"},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "none": {"dtype": "U8", "shape": [0, 7], "data_offsets": [8, 8]},
        "a.weight": {"dtype": "BF16", "shape": [1, 3], "data_offsets": [8, 14]},
    },
    b"x" * 14,
)
TOKENIZER = json.dumps(
    {
        "version": "1.0",
        "truncation": None,
        "padding": {
            "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u200b": 3}, "merges": ["a b", ["a", "b"]]},
    }
).encode()  # fmt: skip
VALID: tuple[tuple[str, bytes, Schema | None], ...] = (
    ("text", "Ça va ?\r\nOui.\n".encode(), None),
    ("csv", CSV, TABLE),
    ("json", JSON, DOCUMENT),
    ("jsonl", JSON + b"\n" + JSON + b"\n", DOCUMENT),
    ("png", picture(random.Random(1), 7, 6, 6)[0], None),
    ("safetensors", TENSORS, None),
    ("tokenizer", TOKENIZER, None),
)
