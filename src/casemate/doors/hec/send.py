"""What is sent: events of JSON one behind the other, or lines as they are; looked at for marks, gathered, kept.

Of one request all is kept or nothing is acknowledged. An event's `index` names the bucket.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.buckets import Gatherer, Place, look
from casemate.clock import SECOND
from casemate.doors.frame import Call, Reply, strings
from casemate.doors.hec.events import NotWhole, concatenated, lined, placed
from casemate.doors.hec.problem import BODY, wrong
from casemate.errors import TooLarge
from casemate.words import say

__all__ = ["Desk", "acknowledged", "events", "raw"]

INDEXES = 8
"""Buckets of one request."""
SAID = 256
_DONE = msgspec.json.encode({"text": "Success", "code": 0})
_ABOUT = ("host", "source", "sourcetype")


@dataclass(frozen=True, slots=True)
class Desk:
    """What puts, and where what names no index goes."""

    gatherer: Gatherer
    bucket: str
    prefix: str


async def events(desk: Desk, call: Call) -> Reply:
    """`/services/collector/event`: what the query says holds for events that do not say it themselves."""
    flow, language = call.flow, call.flow.session.language
    body = _unpacked(call.raw, call.headers, language)
    try:
        found = await flow.beside(concatenated, body)
    except NotWhole as fault:
        raise wrong(fault.code, fault.number) from None
    if not found:
        raise wrong(5)
    if flow.gate.vault.region.policies.may_hold(body):
        await flow.inspect(strings(found))
    received = call.gate.vault.clock.now() / SECOND
    said = await _said(call)
    parts: dict[str, list[bytes]] = {}
    for each in found:
        index, line = placed(each, said, received)
        parts.setdefault(index or said.get("index", "") or desk.bucket, []).append(line)
    facts = await _kept(desk, call, {Place(name, desk.prefix): lines for name, lines in parts.items()})
    return Reply(_DONE, facts={"events": len(found), **facts})


async def raw(desk: Desk, call: Call) -> Reply:
    """`/services/collector/raw`: lines as they are; what the query says of them stands in the object's metadata."""
    body = _unpacked(call.raw, call.headers, call.flow.session.language)
    lines = lined(body)
    if not lines:
        raise wrong(5)
    await look(call.flow, body)
    said = await _said(call)
    about = tuple((name, said[name]) for name in _ABOUT if name in said)
    place = Place(said.get("index", "") or desk.bucket, desk.prefix, ".log", "text/plain", about)
    facts = await _kept(desk, call, {place: lines})
    return Reply(_DONE, facts={"events": len(lines), **facts})


async def acknowledged(call: Call) -> Reply:
    """`/services/collector/ack`: there is nothing to ask, since all is durable when it is answered. Raises BadInput."""
    del call
    raise wrong(14)


async def _kept(desk: Desk, call: Call, parts: dict[Place, list[bytes]]) -> dict[str, Any]:
    """All of it durable; what an entry says of it. Raises Absent and Refused before anything waits."""
    if len(parts) > INDEXES or not all(place.bucket for place in parts):
        raise wrong(7)
    for place in parts:
        await desk.gatherer.buckets.writable(call.flow, place.bucket)
    waiting = [desk.gatherer.add(call.flow, place, b"".join(lines)) for place, lines in parts.items()]
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return {"objects": len(ends), "buckets": " ".join(sorted(place.bucket for place in parts))}


async def _said(call: Call) -> dict[str, str]:
    """What the query says of all events. Raises BadInput, Refused."""
    names = ("index", *_ABOUT)
    said = {name: call.query[name] for name in names if call.query.get(name)}
    if any(len(text) > SAID for text in said.values()):
        raise wrong(6)
    await call.flow.inspect(said.values())
    return said


def _unpacked(body: bytes, headers: dict[str, str], language: str) -> bytes:
    """The body, out of gzip where it says so. Raises TooLarge, BadInput."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return body
    if coding != "gzip":
        raise wrong(6)
    return b"".join(_pieces(body, language))


def _pieces(body: bytes, language: str) -> Iterable[bytes]:
    left = BODY
    while body:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            piece = unpacker.decompress(body, left + 1)
        except zlib.error:
            raise wrong(6) from None
        left -= len(piece)
        if left < 0:
            raise TooLarge(what=say("frame.body", language), limit=BODY)
        if not unpacker.eof:
            raise wrong(6)
        yield piece
        body = unpacker.unused_data
