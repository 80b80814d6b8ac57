"""The high side: datagrams in, whole and verified objects out, and a name for everything that is missing.

    datagram -> proven (datagram.py) -> restored (repair.py) -> written (arriving.py) -> verified -> published
                                             |
                                             +-> messages: manifests, heartbeats (message.py)

It asks nothing of anybody and raises nothing for any datagram. What is open at once is bounded: blocks, objects, their
declared sizes, messages. What falls out of a bound is counted, and the next turn of the carousel brings it again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from casemate.errors import BadInput, Unavailable
from casemate.transfer.diode.arriving import Arriving
from casemate.transfer.diode.datagram import MESSAGES, Piece, Reader
from casemate.transfer.diode.heartbeat import Pulse
from casemate.transfer.diode.link import Spool
from casemate.transfer.diode.message import Heartbeat, Manifest, read_message
from casemate.transfer.diode.repair import Restoring
from casemate.transfer.diode.session import Sessions, sender_of

__all__ = ["Alarm", "Bounds", "Receiver"]

_ALARMS = 200
_FINISHED = 512
_OBJECTS = 4096
"""Objects of a session whose blocks have a place; older ones get it again with their next manifest."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is open at once, and how large an object may be said to be (bytes)."""

    blocks: int = 40
    messages: int = 32
    orphans: int = 16
    objects: int = 64
    size: int = 1 << 41


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that somebody has to know: a slug, since when, and the object's sequence or 0."""

    what: str
    at: int
    sequence: int = 0


@dataclass(slots=True)
class _Run:
    """What is known of one session: which of its blocks belong to which object, and how many datagrams came."""

    firsts: list[int] = field(default_factory=list)
    objects: list[Arriving] = field(default_factory=list)
    messages: deque[int] = field(default_factory=lambda: deque(maxlen=_FINISHED))
    heard: int = 0
    highest: int = -1
    lowest: int = -1

    def place(self, block: int) -> tuple[Arriving, int] | None:
        """The object that the block is of, and its index there; None where no manifest has told."""
        at = bisect_right(self.firsts, block) - 1
        if at < 0 or block - self.firsts[at] >= self.objects[at].manifest.blocks:
            return None
        return self.objects[at], block - self.firsts[at]


class Receiver:
    """`spool` keeps blocks and publishes; `public` is the key of the sender's heartbeats."""

    def __init__(
        self, link: bytes, public: bytes, symbol: int, spool: Spool, now: int, bounds: Bounds | None = None
    ) -> None:
        self.bounds = bounds or Bounds()
        self.reader = Reader(link, symbol, Sessions(spool.sessions()))
        self.pulse = Pulse(now)
        self.objects: dict[bytes, Arriving] = {}
        self.known: dict[bytes, set[int]] = {}
        self.announced: dict[bytes, int] = {}
        self.alarms: deque[Alarm] = deque(maxlen=_ALARMS)
        self.counts = dict.fromkeys(("datagrams", "idle", "evicted", "broken", "refused", "restored", "published"), 0)
        self.alarmed = 0
        self._public = public
        self._symbol = symbol
        self._spool = spool
        self._now = now
        self._runs: dict[bytes, _Run] = {}
        self._blocks: dict[tuple[bytes, int], Restoring] = {}
        self._messages: dict[tuple[bytes, int], Restoring] = {}
        self._orphans: dict[tuple[bytes, int], bytes] = {}
        self._done: dict[bytes, tuple[bytes, int]] = {}
        self._dead = False
        for id, sender, sequence in spool.known():
            self._done[id] = (sender, sequence)
            self.known.setdefault(sender, set()).add(sequence)

    # ---- what arrives --------------------------------------------------------------------------------------------

    def take(self, datagram: bytes | memoryview, now: int) -> None:
        """One datagram, whatever it is."""
        self._now = now
        self.counts["datagrams"] += 1
        piece = self.reader.read(datagram)
        if piece is None:
            return
        run = self._runs.get(piece.session) or self._run(piece.session)
        run.heard += 1
        if piece.number > run.highest:
            run.highest = piece.number
            if run.lowest < 0:
                run.lowest = piece.number
        found = self._blocks if piece.block < MESSAGES else self._messages
        restoring = found.get((piece.session, piece.block)) or self._open(run, piece, found)
        if restoring is None or restoring.size != piece.size:
            self.counts["idle"] += 1
            return
        try:
            data = restoring.take(piece.packet)
        except ArithmeticError:
            del found[piece.session, piece.block]
            self.counts["broken"] += 1
            return
        if data is not None:
            del found[piece.session, piece.block]
            self._restored(run, piece, data)

    def tick(self, now: int) -> bool:
        """What time brings: verification in small steps, and whether the link lives. Whether there is more to do."""
        self._now = now
        more = False
        for arriving in list(self.objects.values()):
            more = arriving.verify(2, now) or more
            self._published(arriving)
        if self.pulse.dead(now) != self._dead:
            self._dead = not self._dead
            self.alarm("dead" if self._dead else "alive")
        return more

    def done(self, id: bytes) -> bool:
        """Whether that object was published, now or before a restart."""
        return id in self._done

    def alarm(self, what: str, sequence: int = 0) -> None:
        self.alarmed += 1
        self.alarms.append(Alarm(what, self._now, sequence))

    def lost(self) -> int:
        """Datagrams of a thousand that did not arrive, of the runs that are remembered."""
        sent = sum(run.highest - run.lowest + 1 for run in self._runs.values() if run.lowest >= 0)
        heard = sum(run.heard for run in self._runs.values())
        return max(0, sent - heard) * 1000 // sent if sent else 0

    # ---- blocks --------------------------------------------------------------------------------------------------

    def _open(self, run: _Run, piece: Piece, found: dict[tuple[bytes, int], Restoring]) -> Restoring | None:
        """Begin a block, if it is wanted."""
        if piece.block >= MESSAGES:
            if piece.block in run.messages:
                return None
        else:
            place = run.place(piece.block)
            wanted = place[0].wants(place[1]) if place else (piece.session, piece.block) not in self._orphans
            if not wanted:
                return None
        most = self.bounds.messages if piece.block >= MESSAGES else self.bounds.blocks
        while len(found) >= most:
            del found[next(iter(found))]
            self.counts["evicted"] += 1
        restoring = found[piece.session, piece.block] = Restoring(piece.size, self._symbol)
        return restoring

    def _restored(self, run: _Run, piece: Piece, data: bytes) -> None:
        self.counts["restored"] += 1
        if piece.block >= MESSAGES:
            run.messages.append(piece.block)
            self._message(run, piece.session, data)
            return
        place = run.place(piece.block)
        if place is not None:
            self._write(place[0], place[1], data)
            return
        while len(self._orphans) >= self.bounds.orphans:
            del self._orphans[next(iter(self._orphans))]
            self.counts["evicted"] += 1
        self._orphans[piece.session, piece.block] = data

    def _write(self, arriving: Arriving, index: int, data: bytes) -> None:
        arriving.write(index, data, self._now)
        arriving.verify(2, self._now)
        self._published(arriving)

    def _published(self, arriving: Arriving) -> None:
        if arriving.published and self.objects.pop(arriving.manifest.id, None) is not None:
            self.arrived(arriving)

    def arrived(self, arriving: Arriving) -> None:
        """It was published."""
        self.counts["published"] += 1
        self._done[arriving.manifest.id] = (arriving.sender, arriving.manifest.sequence)
        self.known.setdefault(arriving.sender, set()).add(arriving.manifest.sequence)
        self.alarm("published", arriving.manifest.sequence)

    # ---- messages ------------------------------------------------------------------------------------------------

    def _run(self, session: bytes) -> _Run:
        """A session's first proven datagram."""
        latest = self.reader.sessions.known()
        self._runs = {each: run for each, run in self._runs.items() if each in latest}
        self._messages = {key: each for key, each in self._messages.items() if key[0] in latest}
        run = self._runs[session] = _Run()
        try:
            self._spool.remember(latest)
        except Unavailable as error:
            self.alarm(error.slug)
        return run

    def _message(self, run: _Run, session: bytes, data: bytes) -> None:
        try:
            message = read_message(data, self._public)
        except BadInput:
            self.counts["refused"] += 1
            self.alarm("message")
            return
        if isinstance(message, Heartbeat):
            latest = message.session == session and self.reader.sessions.latest(session)
            if self.pulse.heard(message, self._now, latest):
                self._told(session, message.sequence)
                self.tick(self._now)
            return
        self._manifest(run, session, message)

    def _manifest(self, run: _Run, session: bytes, manifest: Manifest) -> None:
        self._told(session, manifest.sequence)
        done = self._done.get(manifest.id)
        arriving = self.objects.get(manifest.id)
        if arriving is not None and not arriving.manifest.same(manifest):
            self.counts["refused"] += 1
            self.alarm("conflict", manifest.sequence)
            return
        if arriving is None:
            if done is not None:
                self.known.setdefault(sender_of(session), set()).add(manifest.sequence)
            elif manifest.size > self.bounds.size or len(self.objects) >= self.bounds.objects:
                self.counts["refused"] += 1
                self.alarm("bounds", manifest.sequence)
                return
            arriving = Arriving(manifest, sender_of(session), self._spool, self.alarm)
            if done is not None:
                arriving.published = True
            else:
                self.objects[manifest.id] = arriving
                arriving.begin(self._now)
        arriving.again(self._now)
        self._placed(run, session, manifest, arriving)

    def _placed(self, run: _Run, session: bytes, manifest: Manifest, arriving: Arriving) -> None:
        """The session's blocks from `first` on are of this object; what came before its manifest has its place now."""
        at = bisect_right(run.firsts, manifest.first)
        if at and run.firsts[at - 1] == manifest.first:
            return
        run.firsts.insert(at, manifest.first)
        run.objects.insert(at, arriving)
        del run.firsts[:-_OBJECTS], run.objects[:-_OBJECTS]
        for key in [key for key in self._orphans if key[0] == session]:
            place = run.place(key[1])
            if place is not None:
                self._write(place[0], place[1], self._orphans.pop(key))

    def _told(self, session: bytes, sequence: int) -> None:
        sender = sender_of(session)
        self.announced[sender] = max(self.announced.get(sender, 0), sequence)
