"""The high side of a diode link at work: what arrives becomes objects, and what is missing gets a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec

from casemate.clock import SECOND, SystemClock
from casemate.engines.diode_drop import DropFolder
from casemate.engines.diode_memory import keep_freed_memory
from casemate.engines.diode_spool import FolderSpool
from casemate.engines.diode_udp import UdpEar
from casemate.engines.files_publish import publish
from casemate.errors import Absent, BadInput, Damaged, Unavailable
from casemate.transfer.diode import BLOCK, HEAD, Arriving, Bounds, Receiver, Status, read_head, status_of
from casemate.wiring.diode import DiodeFolder, DiodeSettings
from casemate.wiring.diode_low import LowStatus, Steady, Tell

__all__ = ["receive", "told"]

WAIT = 0.2
_SUFFIX = ".cmo"
Ready = Callable[[int], None]


def receive(folder: DiodeFolder, tell: Tell, stop: Event, *, ready: Ready | None = None, once: bool = False) -> Status:
    """Receive until `stop`; `ready` is told the port once it listens. Raises Misconfigured, Occupied, StorageFull.

    `once` (a drop directory alone): end when everything that is whole there was taken.
    """
    settings = folder.settings("high")
    keep_freed_memory()
    spool = FolderSpool(folder.path)
    try:
        if settings.engine == "drop":
            return _emptying(folder, settings, spool, tell, stop, once)
        ear = UdpEar(settings.address, settings.buffer_mib << 20, settings.offload)
        try:
            if ear.reason:
                tell("one-by-one", ear.reason)
            if ear.buffer < settings.buffer_mib << 20:
                tell("buffer", f"{ear.buffer >> 10} KiB")
            if ready is not None:
                ready(ear.port)
            return _hearing(folder, settings, spool, ear, tell, stop)
        finally:
            ear.close()
    finally:
        spool.close()


def told(folder: DiodeFolder) -> Status | LowStatus:
    """What the last process of this folder wrote of itself. Raises Absent, Damaged."""
    kind: type[Status | LowStatus] = Status if folder.settings().side == "high" else LowStatus
    try:
        return msgspec.json.decode((folder.path / "status.json").read_bytes(), type=kind)
    except FileNotFoundError:
        raise Absent(kind="status of the link", id=str(folder.path)) from None
    except msgspec.DecodeError:
        raise Damaged(what="status.json") from None


def _hearing(
    folder: DiodeFolder, settings: DiodeSettings, spool: FolderSpool, ear: UdpEar, tell: Tell, stop: Event
) -> Status:
    clock, link = Steady(), folder.link()
    bounds = Bounds(size=settings.largest_gib << 30)
    receiver = Receiver(link, folder.public(), settings.symbol, spool, clock.now(), bounds)
    due, more, alarms = 0, False, 0
    while not stop.is_set():
        now = clock.now()
        for datagram in ear.hear(0 if more else WAIT):
            receiver.take(datagram, now)
        now = clock.now()
        more = receiver.tick(now)
        alarms = _alarmed(receiver, tell, alarms)
        if now >= due:
            due = now + SECOND
            _written(folder, status_of(receiver, link, now, ear.lost, ear.buffer))
    status = status_of(receiver, link, clock.now(), ear.lost, ear.buffer)
    _written(folder, status)
    return status


def _alarmed(receiver: Receiver, tell: Tell, before: int) -> int:
    """Tell the alarms that are new; how many there were in all."""
    new = receiver.alarmed - before
    for alarm in list(receiver.alarms)[-new:] if new else ():
        tell(alarm.what, str(alarm.sequence) if alarm.sequence else "")
    return receiver.alarmed


def _written(folder: DiodeFolder, status: Status) -> None:
    """A status that finds no room is not written: the next one may, and how old the last one is shows."""
    try:
        publish(folder.path / "status.json", [msgspec.json.encode(status)], durable=False)
    except OSError:
        return


def _emptying(
    folder: DiodeFolder, settings: DiodeSettings, spool: FolderSpool, tell: Tell, stop: Event, once: bool
) -> Status:
    """Whatever the other diode has laid there: what is whole is verified and published, and taken away."""
    drop, link = DropFolder(Path(settings.drop)), folder.link()
    clock = SystemClock()
    receiver = Receiver(link, b"", settings.symbol, spool, clock.now())
    receiver.pulse.at = clock.now()
    refused: dict[str, int] = {}
    alarms = 0
    while not stop.is_set():
        moved = 0
        for name in drop.names():
            if not name.endswith(_SUFFIX) or refused.get(name) == drop.size(name):
                continue
            try:
                moved += _emptied(drop, name, link, receiver, spool, settings.largest_gib << 30)
            except BadInput:
                refused[name] = drop.size(name)
                tell("refused", name)
            except Unavailable as error:
                tell(error.slug, name)
        alarms = _alarmed(receiver, tell, alarms)
        if once and not moved:
            break
        if not moved:
            stop.wait(WAIT)
    status = status_of(receiver, link, clock.now())
    _written(folder, status)
    return status


def _emptied(drop: DropFolder, name: str, link: bytes, receiver: Receiver, spool: FolderSpool, largest: int) -> bool:
    """Whether that file was whole and is done with. Raises BadInput, StorageFull, Unavailable."""
    head = read_head(link, next(drop.pieces(name), b"")[:HEAD])
    if head is None:
        return False
    sender, manifest, at = head
    if manifest.size > largest or drop.size(name) > at + manifest.size:
        raise BadInput(what="file of the link")
    if drop.size(name) < at + manifest.size:
        return False
    if not receiver.done(manifest.id):
        wrong: list[str] = []
        arriving = Arriving(manifest, sender, spool, lambda what, _: wrong.append(what))
        arriving.begin(0)
        for index, piece in enumerate(drop.pieces(name, at)):
            arriving.write(index, piece, 0)
        while arriving.verify(8, 0):
            pass
        if not arriving.published:
            if "mismatch" in wrong:
                raise BadInput(what="file of the link")
            raise Unavailable(what="diode spool")
        receiver.arrived(arriving)
    drop.remove(name)
    return True


assert HEAD < BLOCK
