"""Volumes as files: found in a folder or on a medium, opened without following a link, read and judged frame by frame.

What is wrong is named: the file, its part, the volume and the frame. Nothing is believed that its digest does not
prove, and nothing is held but a page of digests and a frame.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeAlias

from casemate.errors import BadInput, CasemateError, Damaged, Occupied, StorageFull, TooLarge
from casemate.transfer.volumes.volume import (
    DIGEST,
    HEAD,
    MAGIC,
    PAGE,
    Head,
    content_digest,
    head_size,
    parse_head,
    tail,
)

__all__ = ["SUFFIX", "Fault", "VolumeFile", "alone", "found", "full", "read_at", "write_at", "written"]

SUFFIX = ".cmv"
MOST_FILES = 1000
Part: TypeAlias = Literal["head", "table", "frame", "copy", "size", "link", "set"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong where. `volume`: its number, 0 where it is not known. `frame`: counted from 0; -1 for none."""

    file: str
    part: Part
    volume: int = 0
    frame: int = -1


def found(places: Sequence[Path]) -> tuple[list[Path], list[Fault]]:
    """The volumes that these name: files, and what lies in folders under a name of ours; links are refused, and told.

    Raises BadInput for what is not there, TooLarge for too many.
    """
    files: list[Path] = []
    faults: list[Fault] = []
    for place in places:
        inner = sorted(place.iterdir()) if place.is_dir() else [place]
        for each in inner:
            if each is not place and each.suffix != SUFFIX:
                continue
            told = os.lstat(each)
            if stat.S_ISREG(told.st_mode):
                files.append(each)
            else:
                faults.append(Fault(each.name, "link"))
            if len(files) > MOST_FILES:
                raise TooLarge(what=str(place), limit=MOST_FILES)
    return files, faults


def read_at(descriptor: int, size: int, at: int) -> bytes:
    """That many bytes from there; fewer at the end of the file, none where the medium cannot be read there."""
    pieces: list[bytes] = []
    while size:
        try:
            piece = os.pread(descriptor, size, at)
        except OSError as error:
            if error.errno not in (errno.EIO, errno.ENODATA, errno.EUCLEAN):
                raise
            break
        if not piece:
            break
        pieces.append(piece)
        size, at = size - len(piece), at + len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def write_at(descriptor: int, data: bytes | bytearray | memoryview, at: int) -> None:
    """All of it, there."""
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done


def written(descriptor: int) -> None:
    """On the disk, not only in its cache."""
    os.fsync(descriptor)


@contextmanager
def full() -> Iterator[None]:
    """A full disk or quota is StorageFull, whatever was being done; any other error stays what it is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull from None
        raise


def alone(descriptor: int, folder: Path) -> None:
    """No other process works in that folder while this one holds it open. Raises Occupied."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Occupied(what=str(folder)) from None


class VolumeFile:
    """One volume, open for reading; close it. Raises BadInput where it is no regular file, Damaged without any head.

    `faults`: what was found wrong with it until now.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.faults: list[Fault] = []
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise BadInput(what=f"{path.name} is a link.") from None
            raise
        try:
            told = os.fstat(self._file)
            if not stat.S_ISREG(told.st_mode):
                raise BadInput(what=f"{path.name} is no file.")
            self.head = self._head(told.st_size)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def frames(self, wanted: Callable[[int], bool] | None = None) -> Iterator[tuple[int, bytes, bytes]]:
        """Each wanted frame that is whole: its number, its bytes and its digest. The others are among the faults."""
        layout = self.head.layout
        for page in range(layout.pages):
            first = page * PAGE
            count = min(PAGE, layout.frames - first)
            asked = [frame for frame in range(first, first + count) if wanted is None or wanted(frame)]
            if not asked:
                continue
            table = read_at(self._file, count * DIGEST, self.head.table + first * DIGEST)
            told = self.head.pages[page * DIGEST : (page + 1) * DIGEST]
            if content_digest(table) != told:
                self.faults.append(self._fault("table", first))
                continue
            for frame in asked:
                data = read_at(self._file, layout.frame, self.head.body + frame * layout.frame)
                digest = table[(frame - first) * DIGEST : (frame - first + 1) * DIGEST]
                if content_digest(data) == digest:
                    yield frame, data, digest
                else:
                    self.faults.append(self._fault("frame", frame))

    def _fault(self, part: Part, frame: int = -1) -> Fault:
        return Fault(self.name, part, self.head.number, frame)

    def _head(self, size: int) -> Head:
        """The head from the front, else from its copy at the end; what is wrong with either is a fault."""
        fore, front = self._parsed(0)
        rear, copy = self._parsed(self._copy_at(size))
        head = fore or rear
        if head is None:
            raise Damaged(what=self.name)
        if fore is None or (rear is not None and fore != rear):
            self.faults.append(Fault(self.name, "head", head.number))
        end = read_at(self._file, len(tail(0)), head.file_size - len(tail(0)))
        if size != head.file_size:
            self.faults.append(Fault(self.name, "size", head.number))
        elif end != tail(head.size) or (fore is not None and front != copy):
            self.faults.append(Fault(self.name, "copy", head.number))
        return head

    def _copy_at(self, size: int) -> int:
        end = read_at(self._file, len(tail(0)), max(size - len(tail(0)), 0))
        if not end.endswith(MAGIC):
            return -1
        return size - len(end) - int.from_bytes(end[:4], "little")

    def _parsed(self, at: int) -> tuple[Head | None, bytes]:
        if at < 0:
            return None, b""
        data = b""
        try:
            data = read_at(self._file, head_size(read_at(self._file, HEAD, at)[:12]), at)
            return parse_head(data), data
        except CasemateError:
            return None, data
