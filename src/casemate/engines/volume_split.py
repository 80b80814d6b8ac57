"""A file becomes volumes in one pass: read, digested, parity made, written. A volume appears whole or not at all.

    stripe: K frames read -> M of parity -> N digests -> N drafts -> heads -> synced -> renamed -> the folder synced

Which bytes a set has follows from the file and the layout alone (but for a signature), so a volume that was lost is
made again from the same file, and the set's id says whether it is the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from casemate.crypto import Signer
from casemate.engines.files_publish import sync_folder
from casemate.engines.volume_files import alone, full, write_at, written
from casemate.errors import BadInput, Conflict
from casemate.transfer.volumes.parity import add_up, parity_rows
from casemate.transfer.volumes.volume import (
    DIGEST,
    PAGE,
    Carried,
    Head,
    Layout,
    content_digest,
    exact_size,
    root_of,
    tail,
)

__all__ = ["DRAFTS", "Cut", "size_of", "split"]

DRAFTS = ".casemate-split"
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """What was written: the files, in the order of their numbers, and the head of the first volume of the set."""

    files: tuple[Path, ...]
    head: Head


def size_of(source: Path) -> int:
    """The size of a regular file. Raises BadInput."""
    told = source.stat()
    if not stat.S_ISREG(told.st_mode):
        raise BadInput(what=f"{source.name} is no file.")
    return told.st_size


def split(
    source: Path,
    folder: Path,
    layout: Layout,
    carried: Carried,
    signer: Signer | None = None,
    only: Collection[int] = (),
    expect: bytes = b"",
    told: Told | None = None,
) -> Cut:
    """Write the volumes of a file into a folder; `only`: those of these numbers.

    `expect`: what the set's id must begin with, else nothing appears. Raises BadInput where it does not, Conflict where
    the file changes meanwhile, StorageFull, and Occupied where another run writes there.
    """
    with full(), ExitStack() as stack:
        held = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, held)
        before = os.fstat(held)
        drafts = stack.enter_context(drafting(folder))
        public = signer.public if signer is not None else b""
        writers = [
            stack.enter_context(_writer(drafts, number, Head(layout, carried, number, (), b"", public), only))
            for number in range(1, layout.n + 1)
        ]
        pour(held, before.st_size, layout, writers, told)
        after = os.fstat(held)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Conflict(what=source.name)
        roots = tuple(root_of(bytes(each.pages)) for each in writers)
        head = Head(layout, carried, 1, roots, bytes(writers[0].pages))
        if not head.set_id.startswith(expect):
            raise BadInput(what="That is not the file, the banner or the bundle of which this set was made.")
        head = head.signed(signer) if signer is not None else head
        chosen = [each for each in writers if each.file >= 0]
        for each in chosen:
            each.finish(head)
        files = [each.path.replace(folder / each.head.name) for each in chosen]
        sync_folder(folder)
    return Cut(tuple(files), head)


@contextmanager
def drafting(folder: Path) -> Iterator[Path]:
    """A folder for drafts, for this run alone; what an earlier one left there is taken away, and so is the folder."""
    drafts = folder / DRAFTS
    drafts.mkdir(mode=0o700, exist_ok=True)
    held = os.open(drafts, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        alone(held, drafts)
        _emptied(drafts)
        try:
            yield drafts
        finally:
            _emptied(drafts)
            drafts.rmdir()
    finally:
        os.close(held)


def _emptied(folder: Path) -> None:
    for each in folder.iterdir():
        each.unlink()


class _Writer:
    """One volume while it is written: its draft (-1 where none is wanted), and the digests that it has until now."""

    def __init__(self, path: Path, file: int, head: Head) -> None:
        self.path, self.file, self.head = path, file, head
        self.pages = bytearray()
        self._page = bytearray()
        self._frame, self._table, self._body = 0, head.table, head.body

    def add(self, data: memoryview) -> None:
        """The next frame."""
        self._page += content_digest(data)
        if self.file >= 0:
            write_at(self.file, data, self._body + self._frame * self.head.layout.frame)
        self._frame += 1
        if self._frame % PAGE == 0 or self._frame == self.head.layout.frames:
            if self.file >= 0:
                write_at(self.file, self._page, self._table + len(self.pages) // DIGEST * PAGE * DIGEST)
            self.pages += content_digest(self._page)
            self._page = bytearray()

    def finish(self, first: Head) -> None:
        """Head and end are written, then all of it is made durable."""
        head = self.head = replace(first, number=self.head.number, pages=bytes(self.pages))
        packed = head.packed()
        write_at(self.file, packed, 0)
        write_at(self.file, packed + tail(len(packed)), head.body + head.layout.own)
        written(self.file)


@contextmanager
def _writer(drafts: Path, number: int, head: Head, only: Collection[int]) -> Iterator[_Writer]:
    path = drafts / str(number)
    if only and number not in only:
        yield _Writer(path, -1, head)
        return
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield _Writer(path, file, head)
    finally:
        os.close(file)


def pour(source: int, size: int, layout: Layout, writers: list[_Writer], told: Told | None) -> None:
    """Stripe by stripe: data volume j holds the j-th part of the file, parity volume i the sums of row i."""
    k, m = layout.k, layout.n - layout.k
    rows = parity_rows(k, m)
    stripe = np.empty((layout.n, layout.frame), np.uint8)
    views = [each.data for each in stripe]
    end = exact_size(size)
    for frame in range(layout.frames):
        for j in range(k):
            _fill(source, views[j], j * layout.own + frame * layout.frame, size)
        if frame == layout.frames - 1:
            views[k - 1][-len(end) :] = end
        if m:
            add_up(rows, list(stripe[:k]), list(stripe[k:]))
        for writer, view in zip(writers, views, strict=True):
            writer.add(view)
        if told is not None:
            told(frame + 1, layout.frames)


def _fill(source: int, into: memoryview, at: int, size: int) -> None:
    """The file's bytes from there, zeros beyond its end. A file that ends earlier than it did is found afterwards."""
    wide = max(0, min(len(into), size - at))
    done = 0
    while done < wide:
        read = os.preadv(source, [into[done:wide]], at + done)
        if not read:
            break
        done += read
    into[done:] = bytes(len(into) - done)
