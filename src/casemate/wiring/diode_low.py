"""The low side of a diode link at work: what lies in the outbox leaves, over the network or into a drop directory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import msgspec

from casemate.clock import SECOND, SystemClock
from casemate.engines.diode_drop import DropFolder
from casemate.engines.diode_memory import keep_freed_memory
from casemate.engines.diode_outbox import Lying, Outbox
from casemate.engines.diode_udp import UdpMouth
from casemate.engines.files_publish import publish
from casemate.errors import Absent, BadInput, CasemateError, Conflict, Unavailable
from casemate.transfer.diode import OVERHEAD, Gaps, Offer, Sender, dropped, new_session, read_gaps
from casemate.wiring.diode import DiodeFolder, DiodeSettings

__all__ = ["LowStatus", "Steady", "Tell", "gaps_told", "send"]

Tell = Callable[[str, str], None]
"""Told of what happens: a slug, and the object or code that it is about."""
LOOK = SECOND // 4
_SUFFIX = ".cmo"


class Steady:
    """A clock that starts with the machine's and never goes back or jumps."""

    def __init__(self) -> None:
        self._start = SystemClock().now() - time.monotonic_ns() // 1000

    def now(self) -> int:
        return self._start + time.monotonic_ns() // 1000


class LowStatus(msgspec.Struct, frozen=True):
    """What the low side tells of itself: when, its last number, datagrams sent, calls refused, what is on its way."""

    at: int
    sequence: int
    sent: int
    away: int
    reason: str
    waiting: tuple[str, ...]


@dataclass
class _Box:
    """The outbox with what is being measured: a digest over a large file takes a while, and heartbeats go on."""

    outbox: Outbox
    banner: str
    tell: Tell
    known: dict[Lying, int] = field(default_factory=dict)
    bad: set[Lying] = field(default_factory=set)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "diode-digest"))
    measuring: tuple[Lying, Future[bytes | None]] | None = None
    ended: Event = field(default_factory=Event)

    def next(self) -> tuple[Lying, bytes] | None:
        """A file whose digest is known now."""
        if self.measuring is None:
            new = next((each for each in self.outbox.lying() if each not in self.known and each not in self.bad), None)
            if new is None:
                return None
            self.measuring = new, self.pool.submit(self.outbox.measured, new, self.ended.is_set)
        lying, future = self.measuring
        if not future.done():
            return None
        self.measuring = None
        try:
            digest = future.result()
        except Conflict:
            return None  # it is still being written: the next look finds it as it is then
        return (lying, digest) if digest is not None else None

    @property
    def busy(self) -> bool:
        return self.measuring is not None or any(
            each not in self.known and each not in self.bad for each in self.outbox.lying()
        )

    def close(self) -> None:
        self.ended.set()
        self.pool.shutdown()


def send(folder: DiodeFolder, tell: Tell, stop: Event, *, once: bool = False) -> LowStatus:
    """Send until `stop`, or `once` until everything that lies there was sent. Raises Misconfigured, Unavailable."""
    settings = folder.settings("low")
    keep_freed_memory()
    outbox = Outbox(folder.path)
    box = _Box(outbox, settings.banner, tell)
    try:
        if settings.engine == "drop":
            return _dropping(folder, settings, box, stop, once)
        mouth = UdpMouth(settings.address, settings.symbol + OVERHEAD, settings.offload)
        try:
            return _sending(folder, settings, box, mouth, stop, once)
        finally:
            mouth.close()
    finally:
        box.close()


def gaps_told(folder: DiodeFolder, code: str) -> Gaps:
    """A gap code that somebody was told: it is checked, and laid where the sender finds it. Raises BadInput."""
    folder.settings("low")
    outbox = Outbox(folder.path)
    gaps = read_gaps(folder.link(), outbox.sender, code)
    outbox.hear(code)
    return gaps


def _sending(
    folder: DiodeFolder, settings: DiodeSettings, box: _Box, mouth: UdpMouth, stop: Event, once: bool
) -> LowStatus:
    clock, link, outbox = Steady(), folder.link(), box.outbox
    session = new_session(outbox.sender, outbox.started(), os.urandom(8))
    sender = Sender(link, folder.signer(), session, settings.pace, clock.now(), outbox.last)
    if mouth.reason:
        box.tell("one-by-one", mouth.reason)
    look = told = 0
    beats = 0
    while not stop.is_set():
        now = clock.now()
        if now >= look:
            look = now + LOOK
            _looked(box, sender, link)
            if now >= told:
                told = now + SECOND
                beats += 1
                _written(folder, _status(sender, mouth, box, now))
            if once and sender.idle and not box.busy and beats > 1:
                break
        batch = sender.step(now)
        if batch:
            mouth.send(batch)
        else:
            stop.wait(min(sender.wait(now), look - now) / SECOND)
    status = _status(sender, mouth, box, clock.now())
    _written(folder, status)
    return status


def _looked(box: _Box, sender: Sender, link: bytes) -> None:
    """What is new in the outbox, what was sent, what was told over the telephone."""
    by_sequence = {sequence: lying for lying, sequence in box.known.items()}
    for offer in sender.finished():
        lying = by_sequence.get(offer.manifest.sequence)
        if lying is not None:
            box.outbox.finished(lying, offer.manifest.sequence)
            box.tell("sent", lying.path.name)
    for offer, _ in sender.failed():
        lying = by_sequence.get(offer.manifest.sequence)
        if lying is not None:
            box.known.pop(lying)
            box.bad.add(lying)
            box.tell("changed", lying.path.name)
    found = box.next()
    if found is not None:
        lying, digest = found
        manifest = box.outbox.manifest(lying, digest, box.banner)
        sender.withdraw(manifest.sequence)
        sender.offer(manifest, box.outbox.file(lying))
        box.known[lying] = manifest.sequence
    for code in box.outbox.codes():
        box.tell("filling" if _filled(box, sender, link, code) else "refused", code[:80])


def _filled(box: _Box, sender: Sender, link: bytes, code: str) -> bool:
    """Whether what a gap code names is sent: of this run the blocks, of an earlier one the whole object again."""
    try:
        gaps = read_gaps(link, box.outbox.sender, code)
    except BadInput:
        return False
    try:
        sender.fill(gaps)
    except Absent:
        return box.outbox.again(gaps.sequence)
    except BadInput:
        return False
    return True


def _status(sender: Sender, mouth: UdpMouth, box: _Box, now: int) -> LowStatus:
    waiting = tuple(lying.path.name for lying in box.known if lying.path.exists())
    return LowStatus(now, sender.sequence, sender.sent, mouth.away, mouth.reason, waiting)


def _written(folder: DiodeFolder, status: LowStatus) -> None:
    publish(folder.path / "status.json", [msgspec.json.encode(status)], durable=False)


def _dropping(folder: DiodeFolder, settings: DiodeSettings, box: _Box, stop: Event, once: bool) -> LowStatus:
    """Each object is laid into the folder once; what is behind it carries files in its own way."""
    drop, link, outbox, sent = DropFolder(Path(settings.drop)), folder.link(), box.outbox, 0
    sequence = 0
    while not stop.is_set():
        found = box.next()
        if found is None:
            if once and not box.busy:
                break
            stop.wait(LOOK / SECOND / 5)
            continue
        lying, digest = found
        manifest = outbox.manifest(lying, digest, settings.banner)
        try:
            name = f"{manifest.id.hex()}{_SUFFIX}"
            drop.put(name, dropped(link, outbox.sender, Offer(manifest, outbox.file(lying))))
        except Unavailable as error:
            if once:
                raise
            box.tell(error.slug, lying.path.name)
            stop.wait(LOOK / SECOND)
            continue
        except CasemateError:
            box.bad.add(lying)
            box.tell("changed", lying.path.name)
            continue
        outbox.finished(lying, manifest.sequence)
        box.tell("sent", lying.path.name)
        sent, sequence = sent + 1, manifest.sequence
        _written(folder, LowStatus(SystemClock().now(), sequence, sent, 0, "", ()))
    return LowStatus(SystemClock().now(), sequence, sent, 0, "", ())
