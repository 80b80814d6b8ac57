"""Many small things that come in become few objects: what comes at one label, for one place, is put together.

    add -> [what came from one session for one place] -> one object, whole and durable -> every `add` returns

Nobody is told that something is kept before it is. What waits is counted for each access class by itself, so that no
class can say of another how busy it is. What must never happen: that what was acknowledged lies nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from casemate.access import Flow, Gate
from casemate.buckets.buckets import Buckets
from casemate.buckets.seen import NewObject
from casemate.clock import iso
from casemate.errors import Unavailable
from casemate.identity import Session
from casemate.ids import fresh
from casemate.labels import Label
from casemate.policy import Action

__all__ = ["Gatherer", "Place"]

WAITING = 32 << 20
"""Bytes of one access class that wait in one process; what would be more is told to come again."""
_PLAIN = str.maketrans("", "", ":.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects go: keys are `prefix`, day, time and a name nobody guesses, then `suffix`."""

    bucket: str
    prefix: str = ""
    suffix: str = ".jsonl"
    media: str = "application/jsonl"
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Group:
    """What will be one object. `full` ends the wait for more."""

    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)
    kept: asyncio.Task[str] | None = None


@dataclass(slots=True)
class Gatherer:
    """`seconds`: how long an object waits for more after the first; `size`: bytes at which it waits no longer."""

    gate: Gate
    buckets: Buckets
    action: Action
    seconds: float = 1.0
    size: int = 4 << 20
    most: int = WAITING
    _groups: dict[tuple[str, str, Place], _Group] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)

    async def add(self, flow: Flow, place: Place, data: bytes) -> str:
        """Keep it as a part of an object at the flow's label; its key, once it is durable.

        Raises Unavailable where too much of the class waits, and what `Buckets.put` raises: then nothing is kept.
        """
        domain = flow.access.id
        if self._waiting.get(domain, 0) + len(data) > self.most:
            raise Unavailable(what="spool")
        name = (flow.session.id, domain, place)
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group()
            group.kept = asyncio.create_task(self._keep(name, group, flow.session, flow.acting, place))
            group.kept.add_done_callback(_heard)
        group.pieces.append(data)
        group.size += len(data)
        self._waiting[domain] = self._waiting.get(domain, 0) + len(data)
        if group.size >= self.size:
            self._groups.pop(name, None)  # what comes next is another object
            group.full.set()
        assert group.kept is not None
        return await asyncio.shield(group.kept)  # whoever leaves takes nothing from the others

    async def _keep(
        self, name: tuple[str, str, Place], group: _Group, session: Session, acting: Label, place: Place
    ) -> str:
        domain = name[1]
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(group.full.wait(), self.seconds)
            if self._groups.get(name) is group:
                del self._groups[name]
            return await self._put(group, session, acting, place)
        finally:
            self._waiting[domain] -= group.size
            if not self._waiting[domain]:
                del self._waiting[domain]

    async def _put(self, group: _Group, session: Session, acting: Label, place: Place) -> str:
        flow = await self.gate.open(session, self.action, acting)
        vault = self.gate.vault
        id = fresh("part", vault.entropy, f"spool/{flow.access.id}/{session.id}").partition("_")[2]
        at = iso(vault.clock.now())
        key = f"{place.prefix}{at[:10].replace('-', '/')}/{at[11:23].translate(_PLAIN)}-{id}{place.suffix}"
        new = NewObject(place.media, metadata=dict(place.metadata))
        await self.buckets.put(flow, place.bucket, key, _given(group.pieces), new)
        return key


async def _given(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _heard(kept: asyncio.Task[str]) -> None:
    """Also where everybody who waited for it has left, its end is nobody's surprise."""
    if not kept.cancelled():
        kept.exception()
