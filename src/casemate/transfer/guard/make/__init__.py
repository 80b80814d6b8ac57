"""The side that transforms: it takes what came, and writes it anew in the one form that crosses.

It uses the parsers of the standard library. What it makes is believed by nobody: `check` reads it again.
"""

from __future__ import annotations

from casemate.transfer.guard.make.png import picture
from casemate.transfer.guard.make.records import document, lines
from casemate.transfer.guard.make.table import table
from casemate.transfer.guard.make.tensors import tensors
from casemate.transfer.guard.make.text import text
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import Columns, Schema
from casemate.transfer.guard.tokenizer import TOKENIZER
from casemate.transfer.guard.verdict import held

__all__ = ["made"]


def made(format: str, raw: bytes, profile: Profile, schema: Schema | None, rest: int = 0) -> bytes:
    """The canonical bytes. `rest`: of safetensors, how many bytes of data follow those that are given; they stay.

    Raises Refused by a rule of the guard.
    """
    if format == "text":
        return text(raw, profile)
    if format == "png":
        return picture(raw, profile)
    if format == "safetensors":
        return tensors(raw, rest, profile)
    if format == "tokenizer":
        return document(raw, profile, TOKENIZER)
    if format == "csv" and isinstance(schema, Columns):
        return table(raw, profile, schema)
    if format == "json" and schema is not None and not isinstance(schema, Columns):
        return document(raw, profile, schema)
    if format == "jsonl" and schema is not None and not isinstance(schema, Columns):
        return lines(raw, profile, schema)
    raise held("guard-schema" if format in ("csv", "json", "jsonl") else "guard-format", "no schema for it")
