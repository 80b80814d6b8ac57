"""The snapshot: control makes it, whole and at a constant rate; data and answer processes stand on it alone.

    control   Publisher.make()   every section's `write`  ->  one signed, sealed file
    data      Standing.take()    the file  ->  every section's `read`, then every section's `take`, and all of it counts

It is always the whole, made and read in the same way whether anything changed or not: so that the work tells nobody
what was changed, and a process that missed some needs only the next one. Nothing here asks control for anything.
A snapshot that is not this region's next one changes nothing: the last good one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from casemate.access.directory import Directory, Term
from casemate.access.gate import Gate
from casemate.access.records import CredentialRecord, PrincipalRecord, StoredRecords
from casemate.clock import SECOND
from casemate.errors import CasemateError
from casemate.store import NotOurs, Snapshot, pack_snapshot, read_snapshot
from casemate.store.snapshot import VERSION

__all__ = ["NotOurs", "Publisher", "Sections", "SnapshotRecords", "Span", "Standing"]

T = TypeVar("T")
DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Span:
    """How often a snapshot is made, and how long it is believed: microseconds. `casemate.toml` says them."""

    rate: int
    not_after: int
    ends: int


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    write: Callable[[], bytes]
    read: Callable[[bytes], Any]
    take: Callable[[Any], None]
    apart: bool


class Sections:
    """What a snapshot holds, by name. A room adds its own in two lines, the same in every process:

        sections.add("models", write=catalogue.packed, read=unpacked, take=catalogue.refresh)

    `write` runs in control, at each snapshot. `read` runs in a data process and raises what it likes where the bytes
    are not its own; `take` puts in place what `read` gave, does not fail, and runs once all sections have been read.
    A section that is read from the store is written `apart`, in a thread: no request waits for it.
    """

    def __init__(self) -> None:
        self._sections: dict[str, _Section] = {}

    def add(
        self,
        name: str,
        write: Callable[[], bytes],
        read: Callable[[bytes], T],
        take: Callable[[T], None],
        apart: bool = False,
    ) -> None:
        """Add a section. Two of one name are a defect."""
        if name in self._sections or name == DIRECTORY:
            raise ValueError(f"two sections {name}")
        self._sections[name] = _Section(name, write, read, take, apart)

    async def write(self) -> dict[str, bytes]:
        """Every section as it is now."""
        return {
            each.name: await asyncio.to_thread(each.write) if each.apart else each.write()
            for each in self._sections.values()
        }

    def read(self, found: dict[str, bytes]) -> Callable[[], None]:
        """What puts all of them in place. Raises NotOurs where one is missing or does not read it."""
        ready: list[tuple[_Section, Any]] = []
        for each in self._sections.values():
            if each.name not in found:
                raise NotOurs("sections")
            try:
                ready.append((each, each.read(found[each.name])))
            except (CasemateError, msgspec.DecodeError, ValueError, KeyError, TypeError):
                raise NotOurs("sections") from None

        def take() -> None:
            for each, value in ready:
                each.take(value)

        return take


class _Records(msgspec.Struct, frozen=True, array_like=True):
    principals: dict[str, PrincipalRecord]
    credentials: dict[str, CredentialRecord]
    two_person: bool


class SnapshotRecords:
    """The records of one snapshot: dictionaries, and nothing that could wait or fail."""

    def __init__(self, found: _Records) -> None:
        self._found = found
        self.principal = found.principals.get
        self.credential = found.credentials.get
        self._names = {each.name: id for id, each in found.principals.items()}
        self._users = {each.uid: id for id, each in found.principals.items() if each.uid}

    def by(self, field: Literal["name", "uid"], text: str) -> tuple[str, PrincipalRecord] | None:
        id = (self._names if field == "name" else self._users).get(text)
        return None if id is None or not text else (id, self._found.principals[id])

    def principals(self) -> dict[str, PrincipalRecord]:
        return self._found.principals

    def keyless(self, principal: str) -> bool:
        return not any(each.principal == principal for each in self._found.credentials.values())

    def two_person(self) -> bool:
        return self._found.two_person


def _packed(stored: StoredRecords) -> bytes:
    found = _Records(stored.principals(), stored.credentials(), stored.two_person())
    return msgspec.msgpack.encode(found)


class Publisher:
    """Makes snapshots, in the control process or where there is but one process."""

    def __init__(self, gate: Gate, sections: Sections, span: Span) -> None:
        self._gate = gate
        self._sections = sections
        self._span = span
        self._sequence = 0
        self._next: asyncio.Future[None] | None = None

    def begin(self, last: bytes) -> None:
        """Number on from the snapshot that the last control process left; b"" or anything else: from the clock."""
        try:
            self._sequence = self._read(last).sequence
        except NotOurs:
            self._sequence = 0

    async def make(self) -> bytes:
        """The next file. Its number rises always, and begins from the clock, so that a lost file starts nothing anew.

        The records are read in a thread: no request waits for them. Raises Damaged, TooLarge.
        """
        vault, span = self._gate.vault, self._span
        now = vault.clock.now()
        records = await asyncio.to_thread(_packed, self._gate.directory.stored)
        sections = await self._sections.write()
        self._sequence = max(self._sequence + 1, now)
        made = Snapshot(
            version=VERSION,
            region=vault.region.name,
            sequence=self._sequence,
            made_at=now,
            rate=span.rate,
            not_after=now + span.not_after,
            ends=now + span.ends,
            sections={DIRECTORY: records, **sections},
        )
        return await asyncio.to_thread(pack_snapshot, made, vault.signer, vault.sealer)

    def told(self, waiting: asyncio.Future[None] | None) -> None:
        """What `make` was begun for lies on the disk now: whoever waited for it goes on."""
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def waiting(self) -> asyncio.Future[None] | None:
        """Whoever waits at this moment: take it before `make`, since what is committed later is not in that one."""
        waiting, self._next = self._next, None
        return waiting

    async def published(self) -> None:
        """Wait until data processes can know what is committed by now: the next snapshot, and their look at it.

        Bounded: where no snapshot can be made, three rates. What was committed stays so, and counts with the next one.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        rate = self._span.rate / SECOND
        await asyncio.wait((self._next,), timeout=3 * rate)
        await asyncio.sleep(rate / 2)

    def _read(self, raw: bytes) -> Snapshot:
        vault = self._gate.vault
        return read_snapshot(raw, vault.signer.public, vault.sealer, vault.region.name)


class Standing:
    """What a data or answer process stands on: the last good snapshot."""

    def __init__(self, gate: Gate, sections: Sections) -> None:
        self._vault = gate.vault
        self._directory: Directory = gate.directory
        self._sections = sections
        self.sequence = 0

    def take(self, raw: bytes) -> None:
        """Stand on this one from now on, all of it at once. Raises NotOurs, and then nothing has changed.

        Number and region are bound by the signature: an older one is refused, whoever puts it there.
        """
        found = read_snapshot(raw, self._vault.signer.public, self._vault.sealer, self._vault.region.name)
        if found.sequence <= self.sequence:
            raise NotOurs("older")
        try:
            records = msgspec.msgpack.decode(found.sections[DIRECTORY], type=_Records)
        except (KeyError, msgspec.DecodeError):
            raise NotOurs("sections") from None
        take = self._sections.read(found.sections)
        self._directory.serve(SnapshotRecords(records), Term(found.made_at, found.rate, found.not_after, found.ends))
        take()
        self.sequence = found.sequence
