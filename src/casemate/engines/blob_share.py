"""Shares of the disk, one for each label domain: reserved in advance, and never lent to another.

    FOLDER/CLASS            how many bytes the class has used (8 bytes, little-endian)
    FOLDER/CLASS.reserve    as many bytes as it has left, held on the disk

What a class may still write depends on what lies in it, and on nothing else: the disk is set aside when the class is
first written to. Every byte that is charged is a file in its folder, or a draft on its way there that its writer holds;
so the sum can always be made again, and is before anybody is refused. What a killed writer leaves is let go of then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from casemate.engines.blob_fence import fenced
from casemate.errors import ShareFull, StorageFull

__all__ = ["Draft", "Share"]

_SIZE = 8
_MARK = "."


class Draft(NamedTuple):
    """A file on its way: its path, and what holds it for its writer."""

    path: Path
    held: int


class Share:
    """The share of one class: `most` bytes of the files below `place`."""

    def __init__(self, folder: Path, place: Path, most: int, durable: Callable[[Path], None]) -> None:
        self.most = most
        self._durable = durable
        self._place = place
        self._used = folder / place.name
        self._reserve = folder / f"{place.name}.reserve"
        self._counted = False
        for each in (folder, place):
            if not each.exists():
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
                durable(each.parent)

    @contextmanager
    def charged(self, size: int) -> Iterator[Draft]:
        """A draft that is charged with `size` bytes until it has landed, or is let go of.

        Raises ShareFull; StorageFull where the share itself could not be set aside.
        """
        draft = self._begun(size)
        try:
            yield draft
        except BaseException:
            with fenced(self._place):
                draft.path.unlink(missing_ok=True)
                self.gave(size)
            raise
        finally:
            os.close(draft.held)

    def land(self, draft: Draft, size: int, path: Path) -> None:
        """The draft takes its place; from now on it is charged with what it really takes.

        Where its name does not get to the disk, it is not there.
        """
        with fenced(self._place):
            replaced = path.stat().st_size if path.exists() else 0
            really = draft.path.stat().st_size
            draft.path.replace(path)
            try:
                self._durable(path.parent)
            except OSError:
                path.unlink(missing_ok=True)
                self._tell(max(self._told() - replaced, 0))
                raise
            self._tell(max(self._told() + really - size - replaced, 0))

    def gave(self, size: int) -> None:
        """So many bytes were removed by whoever has the folder to himself."""
        self._tell(max(self._told() - size, 0))

    def used(self) -> int:
        """What lies there, made sure of."""
        with fenced(self._place):
            self._count()
            return self._told()

    def _begun(self, size: int) -> Draft:
        with fenced(self._place):
            if not self._counted or self._told() + size > self.most:
                self._count()
            used = self._told()
            if used + size > self.most:
                raise ShareFull(share=self.most)
            path = self._place / f"{_MARK}{secrets.token_hex(8)}-{size}"
            held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                self._tell(used + size)
            except BaseException:
                os.close(held)
                path.unlink()
                raise
            return Draft(path, held)

    def _told(self) -> int:
        try:
            return int.from_bytes(self._used.read_bytes()[:_SIZE], "little")
        except FileNotFoundError:
            return 0

    def _tell(self, used: int) -> None:
        """Keep the number, and hold on the disk what is left of the share."""
        descriptor = os.open(self._used, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, used.to_bytes(_SIZE, "little"), 0)
        finally:
            os.close(descriptor)
        descriptor = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            left, has = max(self.most - used, 0), os.fstat(descriptor).st_size
            if left > has:
                os.posix_fallocate(descriptor, has, left - has)
            elif left < has:
                os.ftruncate(descriptor, left)
        except OSError:
            raise StorageFull from None
        finally:
            os.close(descriptor)

    def _count(self) -> None:
        """The sum of what lies there. A draft that nobody holds is let go of."""
        total = 0
        for path in list(self._place.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                if path.name.startswith(_MARK):
                    total += _draft(path)
                elif path.is_file():
                    total += path.stat().st_size
        self._counted = True
        self._tell(total)


def _draft(path: Path) -> int:
    """What a draft is charged with, while its writer lives; else it goes, and is charged with nothing."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        _, _, charge = path.name.rpartition("-")
        return int(charge) if charge.isascii() and charge.isdigit() else 0
    else:
        path.unlink(missing_ok=True)
        return 0
    finally:
        os.close(descriptor)
