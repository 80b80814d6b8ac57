"""Backups as a region's settings name them: what ships, what is asked over a socket, and what needs no region at all.

Links are sealed to the region's own backup key (keys/backup.key, for its drills) and, where there is one, to the
recovery key whose public half lies in keys/recovery.pub; its private half belongs into a safe. The region's own key is
in the backup too, sealed to itself: without the recovery key, a backup is worth nothing once keys/ is lost.

They are signed by the region's signing key. Whose a chain is says the digest of its public half, which is kept in the
region's own keys/ledger.pub, in the recovery key's file, and in every head; nothing at the destination says it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from casemate.clock import SystemClock
from casemate.crypto import Keeper, KeySigner, Recipient, digest, generate_keeper
from casemate.custody.backup import Face, Head, Point
from casemate.custody.backup_plan import Plan, plan
from casemate.custody.backup_verdict import Verdict
from casemate.custody.backups import Drilled
from casemate.engines.backup_chain import STATE, Marked, State, chains
from casemate.engines.backup_restore import bring_back, survey
from casemate.engines.backup_ship import Shipper, Target
from casemate.engines.key_store_signer import public_key
from casemate.errors import Absent, BadInput, Damaged, Forged
from casemate.settings import Settings
from casemate.wiring.folder import Folder

__all__ = [
    "Chosen",
    "Far",
    "Near",
    "choose",
    "home_of",
    "names",
    "noted",
    "own_keeper",
    "planned",
    "restore",
    "shipper_of",
    "whose",
]

OWN, RECOVERY = "backup.key", "recovery.pub"
Told = Callable[[int, int], None]


def home_of(folder: Folder, settings: Settings) -> Path:
    """Where this region's chains go."""
    return (folder.path / settings.backup.folder).absolute()


def shipper_of(folder: Folder, settings: Settings, signing: bytes) -> Shipper | None:
    """What ships the records of this folder; None where no backups are made. `signing`: the region's private key."""
    told = settings.backup
    if not told.folder:
        return None
    from casemate.wiring.engines import region_of

    region = region_of(settings.region, tuple(sorted(folder.path.glob("policies/*.toml"))))
    home = home_of(folder, settings)
    besides = [folder.path.absolute() / settings.blobs.cache] if settings.blobs.cache else []
    target = Target(
        home,
        folder.path.absolute(),
        Marked(region.ceiling.text, region.policies.banner(region.ceiling, "en")),
        recipients_of(folder.keys),
        KeySigner(signing),
        SystemClock().now,
        every=told.seconds,
        days=told.days,
        keep=told.keep,
        bound=told.wal_mb << 20,
        besides=tuple(besides),
        note=_note(folder, settings),
    )
    return Shipper(folder.records if settings.store.kind == "sqlite" else None, target)


def _note(folder: Folder, settings: Settings) -> Callable[[], str]:
    """What a server calls the state of its records; its own tools bring them back to it."""
    if settings.store.kind == "sqlite":
        return str
    from casemate.engines.postgres_link import Link
    from casemate.wiring.store import target_of

    target = target_of(folder, settings.store)

    def lsn() -> str:
        link = Link(target, target.user, target.password())
        try:
            return link.run("SELECT pg_current_wal_lsn()::text")[0][0]
        finally:
            link.close()

    return lsn


def own_keeper(keys: Path) -> Keeper:
    """The region's backup key, made where there is none yet; whoever comes second takes the first one's."""
    path = keys / OWN
    if not path.exists():
        part = keys / f".{OWN}.{os.getpid()}.new"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(generate_keeper())
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return Keeper(path.read_bytes())


def recipients_of(keys: Path) -> tuple[Recipient, ...]:
    """To whom links are sealed. Raises Damaged where keys/recovery.pub is no public key."""
    own = own_keeper(keys).recipient
    try:
        return own, Recipient(bytes.fromhex((keys / RECOVERY).read_text(encoding="ascii").strip()))
    except FileNotFoundError:
        return (own,)
    except (OSError, ValueError):
        raise Damaged(what=RECOVERY) from None


def whose(keys: Path) -> tuple[str, ...]:
    """What vouches for a region's links where its keys are at hand: SHA-384 of its public signing key."""
    try:
        return (digest(public_key(keys)).hex(),)
    except FileNotFoundError:
        return ()


def noted(folder: Folder) -> Head | None:
    """The last link that this region wrote, as it notes it itself."""
    try:
        return msgspec.msgpack.decode((folder.data / STATE).read_bytes(), type=State).head
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None


# ---- without a region ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """A chain of a destination, and what was found of it."""

    path: Path
    face: Face
    verdict: Verdict


def names(home: Path) -> list[str]:
    """The chains of a destination, oldest first."""
    return [face.chain for _, face in chains(home)]


def choose(
    home: Path,
    keepers: Sequence[Keeper],
    chain: str = "",
    head: Head | None = None,
    deep: bool = True,
    told: Told = lambda _done, _of: None,
    trusted: Collection[str] = (),
) -> Chosen:
    """The chain of that name, else the newest that has come to a point. Raises Absent, Damaged.

    `trusted`: what vouches for its signatures (`whose`); without any, none counts.

    One that never came to a point (it was begun, and the machine died) is passed over only where it is whole as far as
    it goes: what was damaged is not made up for by something older in silence.
    """
    found = [each for each in chains(home, tolerant=bool(chain)) if chain in ("", each[1].chain)]
    for path, face in reversed(found):
        known = head if head is not None and head.chain == face.chain else None
        chosen = Chosen(path, face, survey(path, face, keepers, known, deep, told, trusted))
        begun = not any(path.glob("*.link")) or (chosen.verdict.whole and not chosen.verdict.points)
        if chain or not begun:
            return chosen
    raise Absent(kind="backup", id=chain or home.name)


def planned(chosen: Chosen, after: int | None = None, at: int | None = None, last_good: bool = False) -> Plan:
    """The way to a state. Raises Damaged, naming the first fault, where the chain is not whole; BadInput.

    Raises Forged where something there is not the region's own.

    `last_good`: what is whole of it is enough, up to its last point.
    """
    verdict = chosen.verdict
    if verdict.whole and verdict.titles:
        return plan(verdict.titles, after, at)
    if not last_good or not verdict.points:
        raise _wrong(verdict)
    return plan(verdict.upto(verdict.points[-1]).titles, after, at)


def _wrong(verdict: Verdict) -> Damaged:
    """Of the first fault; what was forged goes before what was damaged."""
    fault = min(verdict.faults, key=lambda each: each.what != "tampered")
    place = f"link {fault.number}" if fault.number is not None else "link"
    what = f"{place} {fault.name} ({fault.what})".replace("  ", " ")
    return Forged(what=what) if verdict.tampered else Damaged(what=what)


def restore(
    chosen: Chosen,
    keepers: Sequence[Keeper],
    into: Path,
    way: Plan,
    told: Told = lambda _done, _of: None,
) -> None:
    """Bring a state back into an empty folder. Raises NotEmpty, Damaged, StorageFull, Unavailable."""
    bring_back(chosen.path, chosen.face, keepers, chosen.verdict, way, into, told)


# ---- of a running region -------------------------------------------------------------------------------------------


class Near:
    """Backups where the writer is in this process. `fold`: what the journal holds comes into the records first."""

    def __init__(self, shipper: Shipper, fold: Callable[[], Awaitable[None]] | None) -> None:
        self._shipper = shipper
        self._fold = fold

    async def __call__(self, tables: bool) -> None:
        if self._fold is not None:
            await self._fold()
        await asyncio.to_thread(self._shipper.run, tables)


class Far:
    """Implements `custody.backups.Backing`, with whatever reaches the writer."""

    def __init__(
        self,
        folder: Folder,
        settings: Settings,
        increment: Callable[[bool], Awaitable[None]],
        private: tuple[bytes, ...] = (),
    ) -> None:
        self._folder, self._settings, self._increment, self._private = folder, settings, increment, private
        self.folder = str(home_of(folder, settings))

    async def run(self, tables: bool = False) -> Head:
        await self._increment(tables)
        head = noted(self._folder)
        if head is None:
            raise Damaged(what="backup")
        return head

    async def head(self) -> Head | None:
        return noted(self._folder)

    async def drill(self, head: Head) -> Drilled:
        for left in self._folder.run.glob("drill-*"):  # of a process that was killed
            await asyncio.to_thread(shutil.rmtree, left, True)
        place = Path(tempfile.mkdtemp(prefix="drill-", dir=self._folder.run))
        try:
            return await self._drilled(head, place / "region")
        finally:
            await asyncio.to_thread(shutil.rmtree, place, True)

    def _chosen(self, keepers: Sequence[Keeper], head: Head) -> Chosen:
        return choose(Path(self.folder), keepers, head.chain, head, trusted=whose(self._folder.keys))

    async def _drilled(self, head: Head, into: Path) -> Drilled:
        from casemate.wiring.drill import compared

        began = time.monotonic()
        keepers = (own_keeper(self._folder.keys),)
        chosen = await asyncio.to_thread(self._chosen, keepers, head)
        point = _compared_at(chosen.verdict)
        way = planned(chosen, after=point.commit)
        await asyncio.to_thread(restore, chosen, keepers, into, way)
        found = await compared(Folder(into), way, point, self._private)
        return msgspec.structs.replace(found, seconds=round(time.monotonic() - began, 3), at=SystemClock().now())


def _compared_at(verdict: Verdict) -> Point:
    """The last point at which the region said what its records held."""
    points = [title.point for title in verdict.titles if title.point is not None]
    for point in reversed(points):
        if point.tables or point.note:
            return point
    raise BadInput(what="This chain has no point to compare with.") if verdict.whole else _wrong(verdict)
