"""A log as one file that can be checked anywhere: a line that says what it is, with its checkpoints, then its entries.

Lines are canonical JSON, each ended by a line feed. What is promised about the past stands at the beginning, so that
a file that was cut short is told apart from one that was changed: a cut leaves a beginning; a change leaves a line
that is not canonical, a leaf that is not its entry's, or a signature or root that does not fit. An export ends with
the last entry of its last checkpoint, or says in the verdict how many entries lie beyond it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from casemate.crypto import is_public_key
from casemate.ledger.checkpoint import Checkpoint, Head
from casemate.ledger.verify import Record, Verdict, verify

__all__ = ["Export", "read_export", "verify_export", "write_export"]

T = TypeVar("T")


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    casemate_ledger: int
    checkpoints: tuple[Checkpoint, ...]
    log: str
    public: str


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: str | None
    leaf: str


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds. `cut`: it ends in the middle. `fault`: the line that is none of ours, or None."""

    log: str = ""
    public: bytes = b""
    checkpoints: tuple[Checkpoint, ...] = ()
    records: tuple[Record, ...] = ()
    cut: bool = False
    fault: int | None = None


_encode = msgspec.json.Encoder(order="sorted").encode


def write_export(log: str, records: Iterable[Record], checkpoints: Iterable[Checkpoint], public: bytes) -> bytes:
    """The export of a whole log, from its first entry on."""
    header = _Header(1, tuple(checkpoints), log, public.hex())
    lines = (_Line(None if each.data is None else each.data.decode(), each.leaf.hex()) for each in records)
    return b"".join(_encode(line) + b"\n" for line in (header, *lines))


def read_export(data: bytes) -> Export:
    """What the bytes hold, as far as they are an export; never raises."""
    *lines, rest = data.split(b"\n")
    shape: type[_Header | _Line] = _Line if lines else _Header
    if _reads(rest, shape):
        lines.append(rest)  # only its line feed is gone
    elif _reads(rest[:-1], shape):
        return Export(fault=len(lines))  # a whole line, then something else: changed, not cut
    if not lines:
        return Export(cut=True)
    try:
        header = _strict(lines[0], _Header)
        public = _hex(header.public, len(header.public) // 2)
        if not is_public_key(public):
            raise ValueError("no public key")
    except (msgspec.DecodeError, ValueError):
        return Export(fault=0)
    records: list[Record] = []
    fault = None if header.casemate_ledger == 1 else 0
    for number, raw in enumerate(lines[1:]):
        try:
            line = _strict(raw, _Line)
            records.append(Record(number, _hex(line.leaf, 48), None if line.entry is None else line.entry.encode()))
        except (msgspec.DecodeError, ValueError):
            fault = number + 1
            break
    return Export(header.log, public, header.checkpoints, tuple(records), bool(rest), fault)


def verify_export(data: bytes, public: bytes, heads: Iterable[Head] = (), running: Collection[str] = ()) -> Verdict:
    """The verdict on an export, under a key that came by another way than the export itself."""
    export = read_export(data)
    verdict = verify(export.log, export.records, export.checkpoints, public, heads, running)
    if export.fault is not None:
        return replace(verdict, state="tampered", why="line", seq=export.fault, entries=0, at=None)
    if verdict.state in ("tampered", "forked"):
        return verdict
    if export.public and export.public != public:
        return replace(verdict, state="tampered", why="key", seq=None, entries=0, at=None)
    if export.cut:
        return replace(verdict, state="incomplete", why="cut", seq=len(export.records))
    return verdict


def _strict(raw: bytes, shape: type[T]) -> T:
    """The value of a line; ValueError or DecodeError where it is not written exactly as we write it."""
    value = msgspec.json.decode(raw, type=shape)
    if _encode(value) != raw:
        raise ValueError("not canonical")
    return value


def _reads(raw: bytes, shape: type[_Header | _Line]) -> bool:
    try:
        _strict(raw, shape)
    except (msgspec.DecodeError, ValueError):
        return False
    return True


def _hex(text: str, size: int) -> bytes:
    """Bytes of that size, written in lower case."""
    raw = bytes.fromhex(text)
    if len(raw) != size or raw.hex() != text:
        raise ValueError("not so many bytes")
    return raw
