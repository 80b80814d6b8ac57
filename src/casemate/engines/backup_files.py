"""The files of a region's folder as a backup takes them: everything but what is made anew, and the records themselves.

What is left out is named; so nothing that somebody adds to a region is forgotten. Links are not followed and not kept.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from casemate.custody.backup import LINK_BYTES, Member, Stamp

__all__ = ["LEFT_OUT", "body_of", "present", "sized"]

LEFT_OUT = (
    "run",
    "door",
    "data/records.db",
    "data/records.db-wal",
    "data/records.db-shm",
    "data/records.db.lock",
    "data/ballast",
    "data/blobs.ballast",
    "data/backup",
    "data/segments",
    "data/snapshot",
    "data/snapshot.previous",
    "data/ledger",
)
"""Sockets; the records, which go by their log; what is folded into them first, and what is made of them anew."""


def present(region: Path, besides: Sequence[Path] = ()) -> dict[str, Stamp]:
    """Every file that is kept, by its path beneath the region. `besides`: folders that are left out too."""
    out = {region / each for each in LEFT_OUT} | set(besides)
    found: dict[str, Stamp] = {}
    for folder, inner, names in os.walk(region):
        here = Path(folder)
        inner[:] = sorted(name for name in inner if here / name not in out)
        for name in names:
            path = here / name
            if path in out or name.endswith((".part", ".new")):
                continue
            with contextlib.suppress(FileNotFoundError):
                told = path.lstat()
                if stat.S_ISREG(told.st_mode):
                    found[str(path.relative_to(region))] = Stamp(told.st_size, told.st_mtime_ns, told.st_ino)
    return found


def sized(region: Path, paths: Sequence[str]) -> list[Member]:
    """These files with their sizes; what is gone meanwhile is passed over."""
    found: list[Member] = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            told = (region / path).lstat()
            found.append(Member(path, told.st_size, stat.S_IMODE(told.st_mode)))
    return found


def body_of(region: Path, pack: Sequence[Member]) -> tuple[tuple[Member, ...], Iterator[bytes]]:
    """The members as they are now and their bytes, one after the other; one that is gone is left out.

    A pack is held in memory; a file that is larger than a pack is alone in it, and read as it is written: where it
    does not have its size any more, OSError is raised.
    """
    if len(pack) == 1 and pack[0].size > LINK_BYTES:
        return tuple(pack), _stream(region / pack[0].path, pack[0].size)
    members: list[Member] = []
    held: list[bytes] = []
    for member in pack:
        with contextlib.suppress(FileNotFoundError):
            raw = (region / member.path).read_bytes()
            members.append(Member(member.path, len(raw), member.mode))
            held.append(raw)
    return tuple(members), iter(held)


def _stream(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left and (piece := file.read(min(1 << 20, left))):
            left -= len(piece)
            yield piece
        if left or file.read(1):
            raise OSError(None, "changed while it was read", str(path))
