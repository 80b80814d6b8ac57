"""Volumes become the file again, one medium after another, whenever they come. The file appears whole or not at all.

Beside the file lies the folder NAME.joining with what was read until now:

    head         of the set: the one that came first, or was asked for
    draft        what the data volumes hold, in its place; what is missing is a hole
    parity-NNN   what a parity volume holds, kept only while data is missing
    table-NNN    the digests of a volume's frames
    have-NNN     a bit for each of its frames that is there; written after what it tells of is durable

A process that is killed reads again what it had read since its last `have`. Before the file gets its name every byte of
it is held against the roots of the set: what a medium, this disk or a forged volume changed is repaired or refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from casemate.engines.files_publish import publish, sync_folder
from casemate.engines.volume_files import Fault, VolumeFile, alone, found, full, write_at, written
from casemate.errors import BadInput, CasemateError, Conflict
from casemate.transfer.volumes.gaps import SHORT, Gap, bits, gap_of
from casemate.transfer.volumes.volume import DIGEST, SIZE, Head, exact_size, parse_head

__all__ = ["FOLDER", "Join", "Taken"]

FOLDER = ".joining"
SAVE = 64 << 20
"""So many bytes are read, at most, between two notes of what is there."""
Told = Callable[[int, int], None]
Bits = NDArray[np.uint8]


@dataclass(slots=True)
class Taken:
    """What a run found: what is wrong, and how many frames of each volume it took."""

    faults: list[Fault] = field(default_factory=list)
    frames: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept of a head while others are looked at. `data`: it is no parity."""

    path: Path
    digest: bytes
    set: str
    number: int
    data: bool
    public: bytes


class Join:
    """What is known of a set that becomes `output`; a context manager. Raises Occupied, and Conflict where it is there.

    `head` is None until a volume came.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output.with_name(output.name + FOLDER)
        self.head: Head | None = None
        self.have: dict[int, Bits] = {}

    def __enter__(self) -> Self:
        if os.path.lexists(self.output):
            raise Conflict(what=str(self.output))
        with full():
            self.folder.mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            alone(self._lock, self.folder)
            self._resume()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.head is None:
            with suppress(OSError):
                self.folder.rmdir()
        os.close(self._lock)

    def _resume(self) -> None:
        """What an earlier run had, as far as it is whole; a note that is not is as good as none."""
        try:
            self.head = parse_head((self.folder / "head").read_bytes())
        except FileNotFoundError:
            _emptied(self.folder)
            return
        if (self.folder / "size").exists():  # the draft was cut to its size, and did not get its name
            self._padded(int.from_bytes((self.folder / "size").read_bytes(), "little"))
        size = -(-self.head.layout.frames // 8)
        for number in range(1, self.head.layout.n + 1):
            note = self.folder / f"have-{number:03}"
            if note.exists() and note.stat().st_size == size:
                self.have[number] = np.frombuffer(note.read_bytes(), np.uint8).copy()

    def _padded(self, size: int) -> None:
        """The draft as it was before it was cut: what was behind it is zeros and the size."""
        assert self.head is not None
        total = self.head.layout.total
        body, _ = self._body(1)
        try:
            os.ftruncate(body, min(size, total))
            os.ftruncate(body, total)
            write_at(body, exact_size(size), total - SIZE)
        finally:
            os.close(body)

    # ---- taking ----------------------------------------------------------------------------------------------------

    def take(self, places: Sequence[Path], wanted: str = "", told: Told | None = None, believed: bytes = b"") -> Taken:
        """Read the volumes that lie there, data before parity, and of those what is not there yet.

        `wanted`: how the set's name begins, where several lie there. `believed`: the public key that must have signed
        the set. Raises BadInput where no one set is chosen so, and StorageFull, which keeps what was read.
        """
        files, faults = found(places)
        taken = Taken(faults)
        seen = _looked_at(files, taken)
        self._choose([each for each in seen if not believed or each.public == believed], wanted)
        if believed and self.head is not None and self.head.public != believed:
            raise BadInput(what=f"The set {self.head.set_name} is not signed by that key.")
        ours = [each for each in seen if self.head is not None and each.digest == self.head.digest]
        taken.faults += [Fault(each.path.name, "set", each.number) for each in seen if each not in ours]
        for place, each in enumerate(sorted(ours, key=lambda each: each.number)):
            if each.data or not self.complete():
                with full():
                    self._read(each.path, taken)
            if told is not None:
                told(place + 1, len(ours))
        return taken

    def _choose(self, seen: list[_Seen], wanted: str) -> None:
        """The set is that which was begun with; else the one that was asked for, or the only one."""
        if self.head is not None:
            return
        sets = {each.digest: each for each in seen if each.set.startswith(wanted)}
        if len(sets) > 1:
            names = ", ".join(sorted(each.set for each in sets.values())[:10])
            raise BadInput(what=f"Volumes of several sets lie there: {names}.")
        for each in sets.values():
            with VolumeFile(each.path) as volume, full():
                if volume.head.digest != each.digest:
                    raise Conflict(what=each.path.name)
                publish(self.folder / "head", [volume.head.packed()])
                self.head = volume.head

    def complete(self) -> bool:
        """Whether all data is there, so that no parity is needed."""
        assert self.head is not None
        layout = self.head.layout
        return all(bits(self.have, j, layout.frames).all() for j in range(1, layout.k + 1))

    def _read(self, path: Path, taken: Taken) -> None:
        assert self.head is not None
        layout = self.head.layout
        with VolumeFile(path) as volume:
            number = volume.head.number
            if volume.head.digest != self.head.digest:  # another medium lies there now
                taken.faults.append(Fault(path.name, "set", number))
                return
            there = bits(self.have, number, layout.frames)
            if there.all():
                return
            body, base = self._body(number)
            table = os.open(self.folder / f"table-{number:03}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fresh = 0
            try:
                for frame, data, digest in volume.frames(lambda frame: not there[frame]):
                    write_at(body, data, base + frame * layout.frame)
                    write_at(table, digest, frame * DIGEST)
                    there[frame] = 1
                    fresh += 1
                    taken.frames[number] = taken.frames.get(number, 0) + 1
                    if fresh * layout.frame >= SAVE:
                        self._note(number, there, body, table)
                        fresh = 0
            finally:
                taken.faults += volume.faults
                try:  # also where the drive is gone: what it gave until then counts
                    self._note(number, there, body, table)
                finally:
                    os.close(body)
                    os.close(table)

    def _body(self, number: int) -> tuple[int, int]:
        """Where the frames of a volume are kept: open, and from where on."""
        assert self.head is not None
        layout = self.head.layout
        data = number <= layout.k
        name = "draft" if data else f"parity-{number:03}"
        body = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        return body, (number - 1) * layout.own if data else 0

    def _note(self, number: int, there: Bits, *files: int) -> None:
        """First what was read is durable, then that it was."""
        for file in files:
            written(file)
        self.have[number] = np.packbits(there)
        publish(self.folder / f"have-{number:03}", [self.have[number].tobytes()])

    # ---- what is missing, and the end -------------------------------------------------------------------------------

    def missing(self) -> tuple[int, ...]:
        """The numbers of volumes that would make up for what is missing; none where the file can be made."""
        if self.head is None:
            raise BadInput(what="No volume has come yet.")
        return gap_of(self.head.layout, self.have)

    def gap(self) -> Gap:
        """The same, as it is told."""
        wanted = self.missing()
        assert self.head is not None
        return Gap(self.head.set_id[:SHORT], self.head.layout.k, self.head.layout.n, wanted)

    def finish(self, told: Told | None = None) -> int:
        """Make the file of what is there, once nothing is missing; its size in bytes, or -1 where something is.

        Raises Damaged where volumes do not agree with their set, and StorageFull; both keep what was read.
        """
        from casemate.engines.volume_mend import mend

        while not self.missing():
            assert self.head is not None
            with full():
                lost, size = mend(self.folder, self.head, self.have, told)
                if not lost:
                    self._appear(size)
                    return size
                for number, frames in lost.items():  # this disk gave back other bytes than it was given
                    there = bits(self.have, number, self.head.layout.frames)
                    there[frames] = 0
                    self.have[number] = np.packbits(there)
                    publish(self.folder / f"have-{number:03}", [self.have[number].tobytes()])
        return -1

    def _appear(self, size: int) -> None:
        draft = self.folder / "draft"
        publish(self.folder / "size", [exact_size(size)])
        body = os.open(draft, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.ftruncate(body, size)
            written(body)
        finally:
            os.close(body)
        if os.path.lexists(self.output):
            raise Conflict(what=str(self.output))
        draft.replace(self.output)
        sync_folder(self.output.parent)
        (self.folder / "head").unlink()  # without it the rest is nothing
        _emptied(self.folder)
        self.head = None


def _looked_at(files: list[Path], taken: Taken) -> list[_Seen]:
    """Their heads, one after the other; those without any are faults."""
    seen: list[_Seen] = []
    for path in files:
        try:
            with VolumeFile(path) as volume:
                head = volume.head
        except CasemateError:
            taken.faults.append(Fault(path.name, "head"))
            continue
        seen.append(_Seen(path, head.digest, head.set_name, head.number, head.number <= head.layout.k, head.public))
    return seen


def _emptied(folder: Path) -> None:
    for each in folder.iterdir():
        each.unlink()
