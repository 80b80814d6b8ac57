"""The side that verifies: it reads canonical bytes with parsers of its own, and writes what it has read.

It imports nothing of the other side and none of the modules that the other side parses with (json, csv, zlib, struct):
a mistake of one of them is not made twice. It accepts the canonical form alone, so it is the smaller of the two.
"""

from __future__ import annotations

from casemate.transfer.guard.check.png import picture
from casemate.transfer.guard.check.records import document, lines
from casemate.transfer.guard.check.table import table
from casemate.transfer.guard.check.tensors import tensors
from casemate.transfer.guard.check.text import text
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import Columns, Schema
from casemate.transfer.guard.tokenizer import TOKENIZER
from casemate.transfer.guard.verdict import held

__all__ = ["read"]


def read(format: str, canonical: bytes, profile: Profile, schema: Schema | None, rest: int = 0) -> bytes:
    """What was read, written again. `rest`: of safetensors, the bytes of data that follow those that are given.

    Raises Refused by a rule of the guard.
    """
    if format == "text":
        return text(canonical, profile)
    if format == "png":
        return picture(canonical, profile)
    if format == "safetensors":
        return tensors(canonical, rest, profile)
    if format == "tokenizer":
        return document(canonical, profile, TOKENIZER)
    if format == "csv" and isinstance(schema, Columns):
        return table(canonical, profile, schema)
    if format == "json" and schema is not None and not isinstance(schema, Columns):
        return document(canonical, profile, schema)
    if format == "jsonl" and schema is not None and not isinstance(schema, Columns):
        return lines(canonical, profile, schema)
    raise held("guard-schema" if format in ("csv", "json", "jsonl") else "guard-format", "no schema for it")
