"""Trees where they lie: walked, looked at, digested and read, step by step from the root's descriptor.

No link is followed on the way, not even to the root: its path is made real once, when the settings are read, so what is
swapped later leads nowhere else. A file is held by its descriptor
from the first look to the last: another one of the same name is not read by mistake. It reads and never writes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import contextmanager

from casemate.access import Threads
from casemate.datasets import Item, Walked, shown
from casemate.datasets.tree import Why, differs
from casemate.errors import Absent, BadInput, TooLarge

__all__ = ["DatasetTrees", "real"]

DEPTH = 64
PIECE = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def real(path: str) -> str:
    """The path without a link in it, as far as there is anything."""
    return os.path.realpath(path)


class DatasetTrees:
    """Implements `datasets.Trees`."""

    def __init__(self, threads: Threads | None = None) -> None:
        self._threads = threads or Threads()

    async def walk(self, root: str, under: str, most: int, domain: str) -> Walked:
        return await self._threads.run(domain, _walked, root, under, most)

    async def looked_at(self, root: str, under: str, items: Sequence[Item], domain: str) -> list[tuple[Item, Why]]:
        return await self._threads.run(domain, _looked_at, root, under, items)

    async def digest(self, root: str, under: str, item: Item, domain: str) -> bytes | Why:
        return await self._threads.run(domain, _digest, root, under, item)

    async def read(self, root: str, under: str, item: Item, domain: str) -> AsyncIterator[bytes | Why]:
        pieces = _pieces(root, under, item)
        try:
            while (piece := await self._threads.run(domain, next, pieces, None)) is not None:
                yield piece
        finally:
            pieces.close()


def _walked(root: str, under: str, most: int) -> Walked:
    """Every regular file beneath a folder."""
    items: list[Item] = []
    links = 0
    try:
        with _folder(root, os.fsencode(under)) as top:
            for item in _inner(top, b"", DEPTH):
                if item is None:
                    links += 1
                    continue
                items.append(item)
                if len(items) > most:
                    raise TooLarge(what="dataset", limit=most)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise Absent(kind="folder", id=under[:200] or "/") from None
        raise BadInput(what=f"{shown(os.fsencode(under))}: {os.strerror(error.errno or 0)}") from None
    return Walked(tuple(sorted(items, key=lambda item: item.path)), links)


def _inner(folder: int, at: bytes, depth: int) -> Iterator[Item | None]:
    """The files of a folder and those below it; None for a link that is left out."""
    if not depth:
        raise BadInput(what=f"{shown(at)}: folders stand more than {DEPTH} deep in one another.")
    for name in sorted(map(os.fsencode, os.listdir(folder))):
        path = at + b"/" + name if at else name
        told = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(told.st_mode):
            yield None
        elif stat.S_ISREG(told.st_mode):
            yield Item(path, told.st_size, told.st_mtime_ns, told.st_ino)
        elif stat.S_ISDIR(told.st_mode):
            inner = os.open(name, _FOLDER, dir_fd=folder)
            try:
                yield from _inner(inner, path, depth - 1)
            finally:
                os.close(inner)
        else:
            raise BadInput(what=f"{shown(path)} is neither a file nor a folder.")


def _looked_at(root: str, under: str, items: Sequence[Item]) -> list[tuple[Item, Why]]:
    """Those that are others now; a folder is held for as long as files in it follow one another."""
    wrong: list[tuple[Item, Why]] = []
    by_folder: dict[bytes, list[Item]] = {}
    for item in items:
        by_folder.setdefault(item.path.rpartition(b"/")[0], []).append(item)
    for folder, several in by_folder.items():
        try:
            with _folder(root, os.fsencode(under), folder) as held:
                wrong += [(item, why) for item in several if (why := _look(held, item)) is not None]
        except OSError:
            wrong += [(item, "gone") for item in several]
    return wrong


def _look(folder: int, item: Item) -> Why | None:
    try:
        told = os.stat(item.path.rpartition(b"/")[2], dir_fd=folder, follow_symlinks=False)
    except OSError:
        return "gone"
    return _other(item, told)


def _other(item: Item, told: os.stat_result) -> Why | None:
    if not stat.S_ISREG(told.st_mode):
        return "kind"
    return differs(item, told.st_size, told.st_mtime_ns, told.st_ino)


def _digest(root: str, under: str, item: Item) -> bytes | Why:
    running = hashlib.sha384()
    for piece in _pieces(root, under, item, compare=False):
        if isinstance(piece, str):
            return piece
        running.update(piece)
    return running.digest()


def _pieces(root: str, under: str, item: Item, compare: bool = True) -> Generator[bytes | Why, None, None]:
    """A file's bytes; `compare`: with its digest, where one is known. The last piece waits for the last look."""
    folder, _, name = item.path.rpartition(b"/")
    try:
        with _folder(root, os.fsencode(under), folder) as held:
            descriptor = os.open(name, _FILE, dir_fd=held)
    except OSError as error:
        yield "kind" if error.errno in (errno.ELOOP, errno.ENXIO) else "gone"
        return
    try:
        why = _other(item, os.fstat(descriptor))
        if why is not None:
            yield why
            return
        yield from _read(descriptor, item, compare)
    finally:
        os.close(descriptor)


def _read(descriptor: int, item: Item, compare: bool) -> Iterator[bytes | Why]:
    running, waiting, size = hashlib.sha384(), b"", 0
    try:
        while piece := os.read(descriptor, PIECE):
            if waiting:
                yield waiting
            running.update(piece)
            waiting, size = piece, size + len(piece)
    except OSError:
        yield "gone"
        return
    if size != item.size or _other(item, os.fstat(descriptor)) is not None:
        yield "moving"
    elif compare and item.digest and running.digest() != item.digest:
        yield "content"
    elif waiting:
        yield waiting


@contextmanager
def _folder(root: str, *unders: bytes) -> Iterator[int]:
    """The descriptor of a folder beneath the root, reached step by step from "/", without a link on the way."""
    above = [step for step in os.fsencode(root).split(b"/") if step]
    below = [step for under in unders for step in under.split(b"/") if step]
    held = os.open("/", _PASS if above else _FOLDER)
    try:
        for place, step in enumerate((*above, *below), 1):  # what lies above the root need not be readable
            inner = os.open(step, _PASS if place < len(above) else _FOLDER, dir_fd=held)
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)
