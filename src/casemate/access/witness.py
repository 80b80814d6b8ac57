"""This region as a witness for others: whose key it knows, which heads it has seen, and what it has signed of them.

All of it lies at the label at which somebody acted here. What a high region signs of a low region's log is never given
to anybody below: that it looked, at what, and when, would flow down with it.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from casemate.access.commit import commit
from casemate.access.state import State
from casemate.crypto import is_public_key, key_id
from casemate.errors import Absent, BadInput, Conflict
from casemate.ledger import (
    SHA384,
    Cosignature,
    Head,
    Risen,
    Verdict,
    cosign,
    judged_rising,
    read_export,
    read_rising,
    verify_export,
)
from casemate.objects import Kind, Put

__all__ = ["COSIGNATURE", "WATCHED", "WatchedRecord", "add", "cosignatures", "risen", "seen", "watched"]

T = TypeVar("T")
PAGE = 500


class WatchedRecord(msgspec.Struct, frozen=True):
    """A region whose logs are witnessed here, by the public key (hex) that came another way than the logs."""

    name: str
    public: str


WATCHED = Kind("ledger.watched", WatchedRecord)
COSIGNATURE = Kind("ledger.cosignature", Cosignature, indexed=("of",))


async def add(flow: State, name: str, public: str) -> WatchedRecord:
    """Know another region by its key. Raises BadInput, Conflict where another key has that name."""
    try:
        raw = bytes.fromhex(public.strip())
    except ValueError:
        raw = b""
    if not is_public_key(raw) or not name.strip() or len(name) > 100:
        raise BadInput(what="A name, and a public key in hexadecimal digits.")
    record = WatchedRecord(name, raw.hex())
    for known in watched(flow):
        if known.name == name and known.public != record.public:
            raise Conflict(what=name)
    await commit(flow, [Put(WATCHED, name, record)], "", None, {"key": key_id(raw)})
    return record


def watched(flow: State) -> list[WatchedRecord]:
    """The regions that are known in the visible world, by name."""
    return sorted({record.name: record for record in _every(flow, WATCHED)}.values(), key=_name)


def cosignatures(flow: State) -> list[Cosignature]:
    """What was signed of others' logs, as far as the acting label sees it; the newest first."""
    return sorted(_every(flow, COSIGNATURE), key=_at, reverse=True)


async def seen(flow: State, name: str, data: bytes) -> tuple[Verdict, Cosignature | None]:
    """Check an export of another region's log against every head of it that was seen before, and sign what it proves.

    Nothing is signed, and nothing remembered, unless the export is whole in itself and goes on from what was seen.
    """
    known = [record for record in watched(flow) if record.name == name]
    if not known:
        raise Absent(kind="witness", id=name)
    of = bytes.fromhex(known[0].public)
    heads = [given.head for given in cosignatures(flow) if given.of == key_id(of)]
    verdict, head = await asyncio.to_thread(_judged, data, of, heads)
    if head is None:
        return verdict, None
    given = cosign(flow.gate.vault.signer, of, head, flow.gate.vault.clock.now())
    facts = {"of": given.of, "log": head.log, "size": head.size, "root": head.root}
    await commit(flow, [Put(COSIGNATURE, f"{given.of}/{head.log}/{head.size}", given)], "", None, facts)
    return verdict, given


def risen(flow: State, name: str, raw: bytes) -> tuple[Risen, Head, Put | None]:
    """A head of the region of that name that came by a bundle: what it is worth, and what keeps it as witnessed.

    Raises Absent for a region whose key nobody here has added, BadInput for what is no head.
    """
    known = [record for record in watched(flow) if record.name == name]
    if not known:
        raise Absent(kind="witness", id=name)
    of, found = bytes.fromhex(known[0].public), read_rising(raw)
    given = cosignatures(flow)
    said = judged_rising(found, of, [each.head for each in given if each.of == key_id(of)])
    head = found.checkpoint.head
    if said != "ok":
        return said, head, None
    id = f"{key_id(of)}/{head.log}/{head.size}"
    return said, head, Put(COSIGNATURE, id, cosign(flow.gate.vault.signer, of, head, flow.gate.vault.clock.now()))


def _judged(data: bytes, of: bytes, heads: list[Head]) -> tuple[Verdict, Head | None]:
    export = read_export(data)
    if export.part.profile is not SHA384:
        raise BadInput(what="A witness of ours reads logs over SHA-384.")
    verdict = verify_export(data, of, heads)
    if verdict.state not in ("ok", "interrupted") or not export.checkpoints:
        return verdict, None
    return verdict, max((point.head for point in export.checkpoints), key=_size)


def _every(flow: State, kind: Kind[T]) -> list[T]:
    """Every object of a kind in the visible classes."""
    gate, ids = flow.gate, [access.id for access in flow.classes()]
    found: list[T] = []
    after: str | None = None
    while True:
        rows, after = gate.vault.reader.scan(kind.name, [], ids, after, PAGE)
        found += [each.value for each in gate.rows.whole(kind, rows, flow.access)]
        if after is None:
            return found


def _name(record: WatchedRecord) -> str:
    return record.name


def _at(given: Cosignature) -> int:
    return given.at


def _size(head: Head) -> int:
    return head.size
