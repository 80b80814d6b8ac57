"""How a file appears under its name: whole, or not at all, and never before a power cut could not take it away again.

    draft written -> synced -> [fence] renamed -> its folder synced -> [end of the fence]

Where the folder's sync fails the name goes again before anybody else has the folder to himself: after a failed sync the
next one may be told a success, and whoever writes the same later must not find there what was never promised.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from casemate.engines.blob_fence import fenced

__all__ = ["Folders", "make_folder", "poured", "publish", "sync_folder"]

EARLY = 4 << 20
"""So many bytes are sent on their way to the disk while what follows them is still being made."""


def publish(path: Path, pieces: Iterable[bytes | memoryview], durable: bool = True, fence: Path | None = None) -> None:
    """A file of these bytes under its name, whole or not at all; where `durable`, on the disk before it returns.

    Each piece is used before the next is asked for. `fence`: the folder on which others wait meanwhile.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            poured(descriptor, pieces, durable)
        finally:
            os.close(descriptor)
        with nullcontext() if fence is None else fenced(fence):
            draft.replace(path)
            if durable:
                _named(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def poured(descriptor: int, pieces: Iterable[bytes | memoryview], durable: bool = True) -> None:
    """Write all of it; where `durable`, it is on the disk before this returns."""
    begun = at = 0
    with open(descriptor, "wb", closefd=False) as file:
        for piece in pieces:
            at += file.write(piece)
            if durable and at - begun >= EARLY:
                file.flush()
                os.posix_fadvise(descriptor, begun, at - begun, os.POSIX_FADV_DONTNEED)  # the kernel begins to write
                begun = at
        file.flush()
        if durable:
            os.fsync(descriptor)


def _named(path: Path) -> None:
    """The name survives a power cut, or is taken away again."""
    try:
        sync_folder(path.parent)
    except OSError:
        path.unlink(missing_ok=True)
        raise


class Folders:
    """Folders below one, made durable once by each process: one that is there may be there in memory only."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._sure: set[Path] = set()

    def make(self, folder: Path) -> None:
        """Create the folder and those above it, each synced in the one that holds it."""
        if folder == self._top or (folder in self._sure and folder.exists()):
            return
        self.make(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        sync_folder(folder.parent)
        self._sure.add(folder)


def make_folder(folder: Path, top: Path) -> None:
    """The same, once."""
    if not folder.exists():
        Folders(top).make(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
