"""What the tests of buckets share: labels, flows that act at them, and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator

from casemate.access import Flow
from casemate.buckets import Bucket, Buckets, NewObject
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.laws.world import World

__all__ = ["BESIDE", "BOTH", "LOW", "OTHER", "PLAIN", "SECRET", "TOP", "at", "body", "bucket", "gathered", "label_of"]

OTHER = "agency=EXERCISE + us:SECRET//REL=USA,GBR"
BESIDE = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=TK"
BOTH = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI,TK"
PLAIN = NewObject("text/plain")


async def at(world: World, label: str, verb: str = "put", kind: str = "object", name: str = "ann") -> Flow:
    """A flow of that principal, cleared for both compartments, at a label."""
    return await flow_of(world, principal(world, name, BOTH), Action(verb, kind), label)


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def gathered(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def bucket(world: World, room: Buckets, name: str = "plans", label: str = LOW) -> Bucket:
    """A bucket from that label up to the region's ceiling."""
    return await room.make(await at(world, label, "make", "bucket"), name)
