"""What is to be sent: a folder of files, the numbers that they got, and where they go when they were sent.

    out/           objects, each a file; what begins with a dot is still being written
    out/urgent/    objects that go before all others
    sent/          objects whose turns are over; as long as they lie here, a gap code can still ask for them
    gaps/          gap codes, each a file of one line
    .state/outbox  who this sender is, how often it was started, and the number of each object

A file is the object that it was when it was announced: one that changes meanwhile is withdrawn and told.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from casemate.engines.files_publish import publish
from casemate.errors import BadInput, Conflict, Damaged
from casemate.transfer.diode import BLOCK, Manifest, block_of, padded

__all__ = ["File", "Lying", "Outbox"]

CODE = 1000
Seen = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Lying:
    """A file that lies in the outbox: where, what it was when it was seen, and whether it is urgent."""

    path: Path
    seen: Seen
    urgent: bool


class File:
    """An object in a file, under its name or, once it was sent, in the other folder."""

    __slots__ = ("_places", "_seen", "length")

    def __init__(self, lying: Lying, sent: Path) -> None:
        self._places = (lying.path, sent / lying.path.name)
        self._seen = lying.seen
        self.length = lying.seen[0]

    def read(self, at: int, size: int) -> bytes:
        for place in self._places:
            try:
                descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                if _seen(os.fstat(descriptor)) == self._seen:
                    return os.pread(descriptor, size, at)
            except OSError:
                continue
            finally:
                os.close(descriptor)
        raise Conflict(what=self._places[0].name)


class _State(msgspec.Struct):
    sender: str
    generation: int = 0
    next: int = 1
    sequences: dict[str, int] = {}
    sent: dict[str, int] = {}


class Outbox:
    """The folder of the low side."""

    def __init__(self, folder: Path) -> None:
        self.out, self.sent, self.gaps = folder / "out", folder / "sent", folder / "gaps"
        self._place = folder / ".state" / "outbox"
        for each in (self.out, self.out / "urgent", self.sent, self.gaps, self._place.parent):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._state = self._read()

    @property
    def sender(self) -> bytes:
        return bytes.fromhex(self._state.sender)

    @property
    def last(self) -> int:
        """The last number that was given, in whichever run."""
        return self._state.next - 1

    def started(self) -> int:
        """The number of this run: one more than any before, on the disk before it is used."""
        self._state.generation += 1
        self._keep()
        return self._state.generation

    def lying(self) -> list[Lying]:
        """The files that are there, urgent ones first, then by name."""
        found = []
        for folder, urgent in ((self.out / "urgent", True), (self.out, False)):
            for path in sorted(folder.iterdir()):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and not path.name.startswith("."):
                    found.append(Lying(path, _seen(status), urgent))
        return found

    def measured(self, lying: Lying, ends: Callable[[], bool]) -> bytes | None:
        """SHA-512 of the object as it is sent; None where `ends` says that nobody waits for it. Raises Conflict."""
        file, digest = File(lying, self.sent), hashlib.sha512()
        for index in range(-(-padded(file.length) // BLOCK)):
            if ends():
                return None
            try:
                digest.update(block_of(file.read, file.length, index, BLOCK))
            except BadInput:
                raise Conflict(what=lying.path.name) from None
        return digest.digest()

    def manifest(self, lying: Lying, sha512: bytes, banner: str) -> Manifest:
        """What is announced of a file: its number stays its own as long as its bytes are the same."""
        id = sha512[:16]
        sequence = self._state.sequences.get(id.hex())
        if sequence is None:
            sequence = self._state.sequences[id.hex()] = self._state.next
            self._state.next += 1
            self._keep()
        return Manifest(id, sequence, 0, padded(lying.seen[0]), sha512, lying.urgent, banner)

    def file(self, lying: Lying) -> File:
        return File(lying, self.sent)

    def finished(self, lying: Lying, sequence: int) -> None:
        """Its turns are over."""
        if lying.path.exists():
            self._state.sent[lying.path.name] = sequence
            self._keep()
            lying.path.rename(self.sent / lying.path.name)

    def again(self, sequence: int) -> bool:
        """Lay back what an earlier run has sent under that number; whether it is still there."""
        for name, number in self._state.sent.items():
            if number == sequence and (self.sent / name).is_file() and not (self.out / name).exists():
                (self.sent / name).rename(self.out / name)
                return True
        return False

    def codes(self) -> Iterator[str]:
        """The gap codes that lie there; each is taken away when the next is asked for."""
        for path in sorted(self.gaps.iterdir()):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                with path.open("rb") as file:
                    text = file.read(CODE)
                yield text.decode("ascii", "replace").strip()
                path.unlink()

    def hear(self, code: str) -> None:
        """Lay a gap code into the folder."""
        publish(self.gaps / secrets.token_hex(8), [code.encode()])

    def _read(self) -> _State:
        if not self._place.exists():
            return _State(secrets.token_hex(4))
        try:
            return msgspec.json.decode(self._place.read_bytes(), type=_State)
        except msgspec.DecodeError:
            raise Damaged(what=self._place.name) from None

    def _keep(self) -> None:
        publish(self._place, [msgspec.json.encode(self._state)])


def _seen(status: os.stat_result) -> Seen:
    return status.st_size, status.st_mtime_ns, status.st_ino
