"""The snapshot in a process of the region: published by control, stood on by data and answer processes.

    all, control    publish, every `rate`, whatever happened; begin with the number that the last one left
    data, answer    look at the file four times a rate; ready only once there is one to stand on

A data process learns from the file alone: it has no connection to control, asks it for nothing, and goes on without it.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from dataclasses import fields
from functools import partial
from typing import Any

import msgspec

from casemate.access import NotOurs, Publisher, Sections, Span, Standing
from casemate.clock import SECOND, Loop
from casemate.engines.snapshot_file import SnapshotFile
from casemate.errors import CasemateError, Unavailable
from casemate.labels import Policies
from casemate.settings import SnapshotSettings
from casemate.wiring.away import PLANE, away, places
from casemate.wiring.house import House, Role

__all__ = ["LOOKS", "PATIENCE", "join", "sections_of"]

PATIENCE = 30.0  # seconds that a data process waits for its first snapshot before it gives up
LOOKS = 4  # looks at the file in each rate
_PAUSE = 0.02


def sections_of(house: House, role: Role) -> Sections:
    """The sections that the house itself has. Rooms add theirs with `house.sections.add`."""
    found = Sections()
    policies = house.gate.vault.region.policies
    ours = {name: _digest(policies, name) for name in policies.names}
    found.add("policies", lambda: msgspec.msgpack.encode(ours), lambda raw: _known(raw, ours), _nothing)
    put = partial(_hang, house) if role == "data" else _nothing
    outsiders = house.gate.directory.outsiders
    found.add("outsiders", outsiders.write, outsiders.read, outsiders.take, apart=True)
    found.add("routes", lambda: msgspec.msgpack.encode(places(house.app.table)), _places, put)
    return found


async def join(house: House, role: Role, durable: bool = True) -> None:
    """Publish, or stand on what is published, by role. Raises Unavailable where there is nothing to stand on."""
    file = SnapshotFile(house.folder.snapshot, durable)
    settings = house.settings.snapshot
    if role in ("all", "control"):
        publishing = _Publishing(Publisher(house.gate, house.sections, _span(settings)), file)
        if role == "control":
            house.gate.directory.published = publishing.publisher.published
        house.loops.append(Loop("snapshot.publish", settings.rate_seconds, publishing.step, steady=True))
    elif role in ("data", "answer"):
        following = _Following(Standing(house.gate, house.sections), file)
        await following.first()
        house.loops.append(Loop("snapshot.follow", settings.rate_seconds / LOOKS, following.step, steady=True))


def _span(settings: SnapshotSettings) -> Span:
    hour = 3600 * SECOND
    return Span(
        rate=int(settings.rate_seconds * SECOND),
        not_after=int(settings.not_after_hours * hour),
        ends=int(settings.ends_hours * hour),
    )


class _Publishing:
    """Control's side. A snapshot that cannot be made or written is told once; the next one is due as ever."""

    def __init__(self, publisher: Publisher, file: SnapshotFile) -> None:
        self.publisher = publisher
        self._file = file
        self._begun = False
        self._told = _Told("publish")

    async def step(self) -> int:
        if not self._begun:
            self.publisher.begin(await asyncio.to_thread(self._file.newest))
            self._begun = True
        waiting = self.publisher.waiting()
        try:
            raw = await self.publisher.make()
            await asyncio.to_thread(self._file.write, raw)
        except CasemateError as error:
            self._told(error.slug)
            return 0
        finally:
            self.publisher.told(waiting)
        self._told("")
        return 1


class _Following:
    """A data process' side."""

    def __init__(self, standing: Standing, file: SnapshotFile) -> None:
        self._standing = standing
        self._file = file
        self._told = _Told("follow")

    async def first(self) -> None:
        """Wait for one that can be stood on: the newest, else the one before it."""
        waited = 0.0
        while not (await self.step() or self._take(self._file.previous())):
            if waited >= PATIENCE:
                raise Unavailable(what="snapshot")
            await asyncio.sleep(_PAUSE)
            waited += _PAUSE

    async def step(self) -> int:
        return int(self._take(self._file.newer()))

    def _take(self, raw: bytes | None) -> bool:
        if raw is None:
            return False
        try:
            self._standing.take(raw)
        except NotOurs as refused:
            self._told(f"refused ({refused.why})")
            return False
        self._told("")
        return True


class _Told:
    """Says a failure on standard error once, until something else happens."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = ""

    def __call__(self, why: str) -> None:
        if why and why != self._last:
            print(f"casemate: snapshot.{self._what}: {why}", file=sys.stderr, flush=True)
        self._last = why


def _known(raw: bytes, ours: dict[str, str]) -> None:
    """Labels are read here by the policies of this process: each of them must be the one that control has.

    A policy that control lists beside them is no reason to refuse: no label that this process can read names it.
    """
    there = msgspec.msgpack.decode(raw, type=dict[str, str])
    if any(there.get(name) != digest for name, digest in ours.items()):
        raise NotOurs("policies")


def _digest(policies: Policies, name: str) -> str:
    """SHA-384 over a policy as it is understood, not as its file is written."""
    policy = policies.listed[name]
    return hashlib.sha384(_DETERMINISTIC.encode({f.name: getattr(policy, f.name) for f in fields(policy)})).hexdigest()


def _written(value: Any) -> str:
    """The one thing in a policy that is no plain value: the pattern of a family."""
    return str(value.pattern)


_DETERMINISTIC = msgspec.json.Encoder(order="deterministic", enc_hook=_written)


def _places(raw: bytes) -> tuple[str, ...]:
    return msgspec.msgpack.decode(raw, type=tuple[str, ...])


def _hang(house: House, found: tuple[str, ...]) -> None:
    """Control's paths, in the table of a data process that serves already."""
    house.app.planes[PLANE.name] = PLANE
    house.app.table = away(house.app.table, found)


def _nothing(value: object) -> None:
    """A section that is only held against what this process has."""
    del value
