"""The files of each log's tree: data/ledger/LOG/tile/..., and the signed note data/ledger/LOG/checkpoint.

A file appears whole or not at all, and the note after the tiles that it names. All of it is derived from the records
and can be made again; it is synced nevertheless, since a file that a power cut left half-written could not be told from
one that somebody has changed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from casemate.errors import BadInput, StorageFull, Unavailable

__all__ = ["TileFiles"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_LOG = re.compile(r"[a-z0-9_-]{1,64}")
_PATH = re.compile(r"checkpoint|tile/(?:[0-9]{1,2}|entries)/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[0-9]{1,3})?")
_LONGEST = 256 * (2 + 0xFFFF)


class TileFiles:
    """The Tiles port over a folder. One writer (control), any number of readers. `durable=False` is for laws alone."""

    def __init__(self, folder: Path, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable

    def read(self, log: str, path: str) -> bytes | None:
        """A file's bytes, whatever they are; None where there is none. Raises Unavailable."""
        try:
            descriptor = os.open(self._place(log, path), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                return file.read(_LONGEST + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(what="tiles") from error

    def write(self, log: str, files: Mapping[str, bytes]) -> None:
        """Each whole, in their order, and on the disk before this returns. Raises StorageFull, Unavailable."""
        touched: dict[Path, None] = {}
        try:
            for path, data in files.items():
                place = self._place(log, path)
                self._made(place.parent)
                self._one(place, data)
                touched[place.parent] = None
            for folder in touched:
                self._sync(folder)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from None
            raise Unavailable(what="tiles") from error

    def remove(self, log: str, paths: Iterable[str]) -> None:
        """What is absent is no error."""
        for path in paths:
            place = self._place(log, path)
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)
                if place.parent.suffix == ".p":
                    place.parent.rmdir()  # only where nothing is left in it

    def held(self, log: str) -> frozenset[str]:
        """The paths of every file of that log."""
        folder = self._place(log, "checkpoint").parent
        found = (each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())
        return frozenset(path for path in found if _PATH.fullmatch(path))

    def _place(self, log: str, path: str) -> Path:
        if not _LOG.fullmatch(log) or not _PATH.fullmatch(path):
            raise BadInput(what="tile path")
        return self._folder / log / path

    def _made(self, folder: Path) -> None:
        """The folders on the way, each synced into the one above it."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            self._sync(each.parent)

    def _one(self, place: Path, data: bytes) -> None:
        draft = place.with_name(f".{place.name}.draft")
        with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if self._durable:
                os.fdatasync(file.fileno())
        draft.replace(place)

    def _sync(self, folder: Path) -> None:
        if not self._durable:
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
