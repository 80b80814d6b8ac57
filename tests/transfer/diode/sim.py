"""The link in virtual time: the product's own sender and receiver, and between them a channel with faults to order.

Everything follows from a seed: the same seed gives the same datagrams, the same faults at the same places, and the same
end. The channel stands where the network stands; neither half knows which of the two it is.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from casemate.clock import SECOND
from casemate.crypto import KeySigner, generate, public_of
from casemate.errors import StorageFull
from casemate.transfer import diode
from casemate.transfer.diode import Manifest, Pace, Receiver, Sender

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
HEART = generate("ed25519", bytes(range(64)))
PUBLIC = public_of(HEART)
START = 1_790_000_000 * SECOND
MTU = 8192


class RateExceeded(AssertionError):
    """More came at once than the cap and one burst allow."""


@dataclass
class Faults:
    """Probabilities for each datagram, windows in datagrams, blackouts as (after so many bytes, for so many bytes)."""

    loss: float = 0.0
    burst: float = 0.0
    burst_length: int = 0
    duplicate: int = 1
    reorder: int = 0
    flip: float = 0.0
    truncate: float = 0.0
    foreign: float = 0.0
    blackouts: tuple[tuple[int, int], ...] = ()
    cap: int = 0
    burst_bytes: int = 0


class Channel:
    """What stands between the halves; `carry` gives what arrives of what was sent."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.bytes = self.lost = 0
        self._silent = 0
        self._held: list[bytes] = []
        self._level, self._at = 0.0, START

    def carry(self, datagrams: Iterable[bytes], now: int) -> list[bytes]:
        found: list[bytes] = []
        for datagram in datagrams:
            self._paced(len(datagram), now)
            before, self.bytes = self.bytes, self.bytes + len(datagram)
            if self._dropped(before):
                self.lost += 1
                continue
            found += [self._spoilt(datagram)] * self.faults.duplicate
            if self.random.random() < self.faults.foreign:
                found.append(self.random.randbytes(self.random.choice((0, 3, 44, len(datagram), 9000))))
        return self._shuffled(found)

    def rest(self) -> list[bytes]:
        """What was held back to be overtaken."""
        found, self._held = self._held, []
        self.random.shuffle(found)
        return found

    def _dropped(self, before: int) -> bool:
        if any(start <= before < start + length for start, length in self.faults.blackouts):
            return True
        if self._silent:
            self._silent -= 1
            return True
        if self.random.random() < self.faults.burst:
            self._silent = self.faults.burst_length - 1
            return True
        return self.random.random() < self.faults.loss

    def _spoilt(self, datagram: bytes) -> bytes:
        if self.random.random() < self.faults.flip:
            at = self.random.randrange(len(datagram))
            return datagram[:at] + bytes([datagram[at] ^ 1 << self.random.randrange(8)]) + datagram[at + 1 :]
        if self.random.random() < self.faults.truncate:
            return datagram[: self.random.randrange(len(datagram))]
        return datagram

    def _shuffled(self, found: list[bytes]) -> list[bytes]:
        if not self.faults.reorder:
            return found
        self._held += found
        return self.rest() if len(self._held) >= self.faults.reorder else []

    def _paced(self, size: int, now: int) -> None:
        if self.faults.cap:
            self._level = max(0.0, self._level - (now - self._at) * self.faults.cap / SECOND) + size
            self._at = now
            if self._level > self.faults.burst_bytes:
                raise RateExceeded(f"{self._level:.0f} bytes at once")


class Memory:
    """A spool in memory, which a restarted receiver finds again; `room` bytes, then the disk is full."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.room = room
        self.data: dict[bytes, dict[int, bytes]] = {}
        self.published: dict[bytes, bytes] = {}
        self.done: list[tuple[bytes, bytes, int]] = []
        self.runs: tuple[bytes, ...] = ()

    def begin(self, manifest: Manifest) -> bytearray:
        have = self.data.setdefault(manifest.id, {})
        return bytearray(index in have for index in range(manifest.blocks))

    def write(self, manifest: Manifest, index: int, data: bytes) -> None:
        if self.room < len(data):
            raise StorageFull
        self.room -= len(data)
        assert index not in self.data[manifest.id], "written twice"
        self.data[manifest.id][index] = data

    def read(self, manifest: Manifest, index: int) -> bytes:
        return self.data[manifest.id][index]

    def forget(self, manifest: Manifest) -> None:
        self.data.pop(manifest.id)

    def publish(self, manifest: Manifest, sender: bytes, length: int) -> None:
        blocks = self.data.pop(manifest.id)
        whole = b"".join(blocks[index] for index in range(manifest.blocks))
        assert hashlib.sha512(whole).digest() == manifest.sha512, "published what is not the object"
        assert manifest.id not in self.published, "published twice"
        self.published[manifest.id] = whole[:length]
        self.done.append((manifest.id, sender, manifest.sequence))

    def known(self) -> Iterable[tuple[bytes, bytes, int]]:
        return list(self.done)

    def remember(self, sessions: Iterable[bytes]) -> None:
        self.runs = tuple(sessions)

    def sessions(self) -> Iterable[bytes]:
        return self.runs


@dataclass(frozen=True)
class Bytes:
    """An object that is held in memory."""

    data: bytes

    @property
    def length(self) -> int:
        return len(self.data)

    def read(self, at: int, size: int) -> bytes:
        return self.data[at : at + size]


@dataclass(frozen=True)
class Endless:
    """An object of any length that takes no room."""

    length: int

    def read(self, at: int, size: int) -> bytes:
        return bytes(size)


def manifest_of(whole: Bytes | Endless, sequence: int, urgent: bool = False) -> Manifest:
    """As a low side makes it; of an endless one nobody will compare the digest."""
    size = diode.padded(whole.length)
    digest = hashlib.sha512()
    if isinstance(whole, Bytes):
        for index in range(-(-size // diode.BLOCK)):
            digest.update(diode.block_of(whole.read, whole.length, index, diode.BLOCK))
    id = hashlib.sha512(str(sequence).encode() + digest.digest()).digest()[:16]
    return Manifest(id, sequence, 0, size, digest.digest(), urgent, "EXERCISE")


def pace(symbol: int = MTU, loss: float = 0.02, cap: int = 40_000_000, turns: int = 1) -> Pace:
    return Pace(symbol, loss, cap, max(1, min(64, 65507 // (symbol + diode.OVERHEAD))), turns)


@dataclass
class Link:
    """Both halves in virtual time. `spool` outlives the receiver, `objects` the sender."""

    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=pace)
    key: bytes = KEY
    name: bytes = b"low1"
    spool: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.now = START
        self.generation = 0
        self.channel = Channel(self.seed, self.faults)
        self.objects: list[tuple[Manifest, Bytes | Endless]] = []
        self.start_sender()
        self.start_receiver()

    def start_sender(self) -> None:
        """Again: a new session, and everything is offered anew."""
        self.generation += 1
        draw = random.Random(f"{self.seed} {self.generation} {self.name!r}").randbytes(8)
        session = diode.new_session(self.name, self.generation, draw)
        self.sender = Sender(self.key, KeySigner(HEART), session, self.pace, self.now)
        for manifest, whole in self.objects:
            self.sender.offer(manifest, whole)

    def start_receiver(self) -> None:
        """Again: what was in memory is gone, the spool is not."""
        self.receiver = Receiver(KEY, PUBLIC, self.pace.symbol, self.spool, self.now)

    def offer(self, data: bytes | Endless, urgent: bool = False) -> Manifest:
        whole = data if isinstance(data, Endless) else Bytes(data)
        manifest = manifest_of(whole, len(self.objects) + 1, urgent)
        self.objects.append((manifest, whole))
        return self.sender.offer(manifest, whole).manifest

    def sent(self) -> list[bytes]:
        """The next datagrams, with the time that they take."""
        while not (found := self.sender.step(self.now)):
            self.now += max(1, self.sender.wait(self.now))
        return found

    def heard(self, datagrams: Iterable[bytes]) -> None:
        for datagram in datagrams:
            self.receiver.take(datagram, self.now)
        self.receiver.tick(self.now)

    def run(self, until: Callable[[], bool] | None = None, seconds: float = 60.0) -> bool:
        """On until that holds, or nothing but heartbeats is sent, or the time is over; whether it held."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            if until is not None and until():
                return True
            if until is None and self.sender.idle:
                break
            self.heard(self.channel.carry(self.sent(), self.now))
        self.heard(self.channel.rest())
        while self.receiver.tick(self.now):
            pass
        return until is None or until()

    @property
    def arrived(self) -> dict[int, bytes]:
        """What was published, by sequence."""
        ids = {manifest.id: manifest.sequence for manifest, _ in self.objects}
        return {ids[id]: data for id, data in self.spool.published.items()}

    @property
    def whole(self) -> bool:
        """Whether everything arrived as it was sent."""
        return self.arrived == {m.sequence: w.data for m, w in self.objects if isinstance(w, Bytes)}

    def status(self) -> diode.Status:
        return diode.status_of(self.receiver, KEY, self.now)
