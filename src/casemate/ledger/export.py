"""A log as one file that can be checked anywhere: a line that says what it is, with its checkpoints, then its entries.

Lines are canonical JSON, each ended by a line feed. What is promised about the past stands at the beginning, so that
a file that was cut short is told apart from one that was changed: a cut leaves a beginning; a change leaves a line
that is not canonical, a leaf that is not its entry's, or a signature or root that does not fit. An export ends with
the last entry of its last checkpoint, or says in the verdict how many entries lie beyond it.

Form 1 is a whole log over SHA-384. Form 2 is a `Part` of one, or a log over another hash: its first line says where it
begins and ends and carries what ties it to signed heads, and a digest of itself, since nothing else would tell a
changed end from a file that was cut. docs/bytes/ledger.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from casemate.crypto import digest, is_public_key
from casemate.ledger.checkpoint import Checkpoint, Head
from casemate.ledger.note import read_note
from casemate.ledger.part import WHOLE, Part
from casemate.ledger.tree import PROFILES
from casemate.ledger.verify import Record, Verdict, verify

__all__ = ["Export", "read_export", "verify_export", "write_export", "write_part"]

T = TypeVar("T")


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    casemate_ledger: int
    checkpoints: tuple[Checkpoint, ...]
    log: str
    public: str


class _PartHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: tuple[str, ...]
    before: tuple[str, ...]
    casemate_ledger: int
    checkpoints: tuple[Checkpoint, ...]
    log: str
    notes: tuple[str, ...]
    peaks: tuple[str, ...]
    profile: str
    public: str
    start: int
    stop: int
    sum: str


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
    part: Part = WHOLE
    notes: tuple[str, ...] = ()


_encode = msgspec.json.Encoder(order="sorted").encode


def write_export(log: str, records: Iterable[Record], checkpoints: Iterable[Checkpoint], public: bytes) -> bytes:
    """The export of a whole log, from its first entry on."""
    return _written(_Header(1, tuple(checkpoints), log, public.hex()), records)


def write_part(
    log: str,
    records: Iterable[Record],
    checkpoints: Iterable[Checkpoint],
    public: bytes,
    part: Part,
    notes: Iterable[bytes] = (),
) -> bytes:
    """The export of a part that has a `stop`. `notes` are signed notes of the part's own hash."""
    assert part.stop is not None
    header = _PartHeader(
        after=tuple(each.hex() for each in part.after),
        before=tuple(each.hex() for each in part.before),
        casemate_ledger=2,
        checkpoints=tuple(checkpoints),
        log=log,
        notes=tuple(note.decode() for note in notes),
        peaks=tuple(each.hex() for each in part.peaks),
        profile=part.profile.name,
        public=public.hex(),
        start=part.start,
        stop=part.stop,
        sum="",
    )
    return _written(msgspec.structs.replace(header, sum=_sum(header)), records)


def _written(header: _Header | _PartHeader, records: Iterable[Record]) -> bytes:
    lines = (_Line(None if each.data is None else each.data.decode(), each.leaf.hex()) for each in records)
    return b"".join(_encode(line) + b"\n" for line in (header, *lines))


def _sum(header: _PartHeader) -> str:
    """What tells a changed first line from one whose entries were cut off; it proves nothing."""
    return digest(_encode(msgspec.structs.replace(header, sum=""))).hex()


def read_export(data: bytes) -> Export:
    """What the bytes hold, as far as they are an export; never raises."""
    *lines, rest = data.split(b"\n")
    shapes: tuple[type[_Header | _PartHeader | _Line], ...] = (_Line,) if lines else (_Header, _PartHeader)
    if any(_reads(rest, shape) for shape in shapes):
        lines.append(rest)  # only its line feed is gone
    elif any(_reads(rest[:-1], shape) for shape in shapes):
        return Export(fault=len(lines))  # a whole line, then something else: changed, not cut
    if not lines:
        return Export(cut=True)
    try:
        found = _headed(lines[0])
    except (msgspec.DecodeError, ValueError, KeyError):
        return Export(fault=0)
    records: list[Record] = []
    fault = found.fault
    for number, raw in enumerate(lines[1:]):
        try:
            line = _strict(raw, _Line)
            leaf = _hex(line.leaf, found.part.profile.size)
            records.append(Record(found.part.start + number, leaf, None if line.entry is None else line.entry.encode()))
        except (msgspec.DecodeError, ValueError):
            fault = number + 1
            break
    return replace(found, records=tuple(records), cut=bool(rest), fault=fault)


def _headed(raw: bytes) -> Export:
    """What the first line says. Raises ValueError, KeyError or DecodeError."""
    try:
        whole = _strict(raw, _Header)
    except msgspec.DecodeError:
        header = _strict(raw, _PartHeader)
    else:
        fault = None if whole.casemate_ledger == 1 else 0
        return Export(whole.log, _public(whole.public), whole.checkpoints, fault=fault)
    profile = PROFILES[header.profile]
    peaks, before, after = (
        tuple(_hex(each, profile.size) for each in told) for told in (header.peaks, header.before, header.after)
    )
    part = Part(header.start, header.stop, peaks, before, after, profile=profile)
    sound = header.casemate_ledger == 2 and 0 <= header.start < header.stop and header.sum == _sum(header)
    if not sound or len(peaks) != header.start.bit_count():
        raise ValueError("no part")
    return Export(header.log, _public(header.public), header.checkpoints, part=part, notes=header.notes)


def _public(text: str) -> bytes:
    public = _hex(text, len(text) // 2)
    if not is_public_key(public):
        raise ValueError("no public key")
    return public


def verify_export(data: bytes, public: bytes, heads: Iterable[Head] = (), running: Collection[str] = ()) -> Verdict:
    """The verdict on an export, under a key that came by another way than the export itself."""
    export = read_export(data)
    notes = [read_note(each.encode(), public) for each in export.notes]
    signed = tuple(note.head for note in notes if note is not None and note.profile is export.part.profile)
    part = replace(export.part, signed=signed)
    verdict = verify(export.log, export.records, export.checkpoints, public, heads, running, part)
    if export.fault is not None:
        return replace(verdict, state="tampered", why="line", seq=export.fault, entries=0, at=None)
    if verdict.state in ("tampered", "forked"):
        return verdict
    if export.public and export.public != public:
        return replace(verdict, state="tampered", why="key", seq=None, entries=0, at=None)
    if len(signed) < len(notes) or any(head.log != export.log for head in signed):
        return replace(verdict, state="tampered", why="signature", seq=None, entries=0, at=None)
    if export.cut:
        return replace(verdict, state="incomplete", why="cut", seq=export.part.start + len(export.records))
    return verdict


def _strict(raw: bytes, shape: type[T]) -> T:
    """The value of a line; ValueError or DecodeError where it is not written exactly as we write it."""
    value = msgspec.json.decode(raw, type=shape)
    if _encode(value) != raw:
        raise ValueError("not canonical")
    return value


def _reads(raw: bytes, shape: type[_Header | _PartHeader | _Line]) -> bool:
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
