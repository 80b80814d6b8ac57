"""The high side of a way that goes both ways: it takes all of a channel by a timetable, whatever it needs.

    the drop of the low side  --one read in each slot-->  .fetch/NAME.part  --whole-->  the inbox of the region

What goes wrong on this side (a full disk, a file that came before) changes nothing of what is read there, and when. It
must never look at the drop but in `Looking`: whoever is asked sees each call.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from casemate.engines.bundle_files import drafted
from casemate.engines.files_publish import publish
from casemate.errors import Damaged, Unavailable
from casemate.transfer.timetable import Round, Timetable

__all__ = ["DropFiles", "Fetcher", "Looking", "push"]

MOST_FILES = 100_000
_SUFFIX = ".cmb"


class Looking(Protocol):
    """What the low side is asked, call by call."""

    def listed(self) -> list[tuple[str, int]]:
        """Names and sizes. Raises OSError."""
        ...

    def read(self, name: str, at: int, size: int) -> bytes:
        """At most so many bytes. Raises OSError."""
        ...


class DropFiles:
    """A folder that the low side fills, on whatever file system the way gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listed(self) -> list[tuple[str, int]]:
        """Plain files of bundles, at most `MOST_FILES`, in the order of their names."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found.append((entry.name, status.st_size))
        return sorted(found)[:MOST_FILES]

    def read(self, name: str, at: int, size: int) -> bytes:
        """One call."""
        descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return os.pread(descriptor, size, at)
        finally:
            os.close(descriptor)


class _Kept(msgspec.Struct):
    """`last`: the slot that was taken last; `had`: digests of files that were handed over, by name."""

    round: Round | None = None
    last: int = -1
    had: dict[str, str] = {}


class Fetcher:
    """`folder`: where it remembers; `inbox`: where whole files appear. `told` is what happened in the last slot."""

    def __init__(self, drop: Looking, timetable: Timetable, folder: Path, inbox: Path) -> None:
        self._drop = drop
        self._timetable = timetable
        self._folder = folder
        self._inbox = inbox
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._kept = self._remembered()
        self.told = ""

    def step(self, now: int) -> bool:
        """What the slot of this moment asks for, once; whether anything was asked of the other side."""
        slot, timely = self._timetable.slot(now)
        if slot <= self._kept.last or not timely:
            return False
        self._kept.last = slot
        self.told = ""
        step = self._kept.round.step(self._timetable) if self._kept.round is not None else None
        try:
            if step is None or self._kept.round is None:
                self._kept.round = Round.of(self._drop.listed())
                data = None
            else:
                data = self._drop.read(step.name, step.at, step.size)
                self._kept.round = self._kept.round.after(step)
        except OSError:
            self.told = "away"
            self._kept.round = None
            data = None
        try:
            if step is not None and data is not None:
                self._taken(step.name, step.at, data, len(data) == step.size)
            publish(self._folder / "fetch.json", [msgspec.json.encode(self._kept)])
        except (OSError, Unavailable):
            self.told = "disk"
        return True

    def _taken(self, name: str, at: int, data: bytes, full: bool) -> None:
        """Keep what came; hand a whole file over, unless the very same was handed over before."""
        part = self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.part"
        if at == 0:
            part.unlink(missing_ok=True)
        if not full or (part.stat().st_size if part.exists() else 0) != at:
            part.unlink(missing_ok=True)  # it changed while it was taken, or a piece of it was lost here: next round
            return
        with part.open("ab") as file:
            file.write(data)
        left = self._kept.round
        if left is not None and left.at == 0:
            self._whole(name, part)

    def _whole(self, name: str, part: Path) -> None:
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha512").hexdigest()
            os.fsync(file.fileno())
        if self._kept.had.get(name) == digest:
            part.unlink()
            return
        part.replace(self._inbox / f"{digest[:32]}{_SUFFIX}")
        self._kept.had = {**self._kept.had, name: digest}
        self.told = "whole"

    def _remembered(self) -> _Kept:
        """What an earlier run has left. Raises Damaged."""
        try:
            return msgspec.json.decode((self._folder / "fetch.json").read_bytes(), type=_Kept)
        except FileNotFoundError:
            return _Kept()
        except msgspec.DecodeError:
            raise Damaged(what="fetch.json") from None


def push(drop: Path, name: str, give: Callable[[Callable[[bytes], None]], object]) -> bool:
    """A file for the other side to fetch, whole or not at all; False where it lies there already.

    `give` is given what takes a piece.
    """
    if (drop / name).exists():
        return False

    def take(piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]

    with drafted(drop / name) as descriptor:
        give(take)
    return True
