"""Bundles as files: written once in order, read once in order, each whole or not there at all.

    sources -> a buffer of 1 MiB -> sealed into another -> written, and digested in a thread of its own
    file -> a buffer -> opened into another -> read; blobs are digested in a thread          with a key
    file -> a buffer -> digested in a thread                                                 without one

A draft has a name that nobody asks for until it is synced; whoever is killed leaves a draft, never half a bundle.
Buffers are used again: memory does not grow with a bundle.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from casemate.crypto import Keeper
from casemate.engines.files_publish import sync_folder
from casemate.errors import BadInput, Conflict, Damaged
from casemate.transfer.bundle import (
    AREA,
    FRAME,
    MAGIC,
    SEALED,
    Content,
    Frames,
    Outside,
    Piece,
    Reading,
    Taken,
    file_size,
    read_area,
    unwrapped,
)
from casemate.transfer.verify import Facts

__all__ = ["BEHIND", "Opened", "Source", "area_of", "digested", "drafted", "look", "resigned", "seal"]

BEHIND = 4
"""How many frames are in hand at once, each in buffers of its own."""

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was digested: where it lies, its digest and size, and by what it is seen that it is another since."""

    path: Path
    digest: str
    size: int
    stamp: Stamp


@contextmanager
def drafted(path: Path) -> Iterator[int]:
    """A file that appears under its name when the block ends, synced, or not at all. Gives its descriptor."""
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(path)
        sync_folder(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def seal(
    path: Path, content: Content, frames: Frames, sources: Mapping[str, Source], face: Callable[[bytes], Outside]
) -> None:
    """A new bundle. `face` is given SHA-512 over the frames, and gives the signed area.

    Raises Conflict where a source is not the file that was digested, OSError.
    """
    with drafted(path) as descriptor, ThreadPoolExecutor(1) as pool, _Filling(content, sources) as filling:
        os.lseek(descriptor, AREA, os.SEEK_SET)
        running = hashlib.sha512()
        plain = memoryview(bytearray(FRAME))
        sealed = [memoryview(bytearray(SEALED)) for _ in range(BEHIND)]
        waits: list[Future[None] | None] = [None] * BEHIND
        for number in range(frames.count):
            width = frames.width(number)
            filling.fill(plain[:width])
            slot = number % BEHIND
            _wait(waits[slot])
            out = sealed[slot][: width + SEALED - FRAME]
            frames.seal_into(number, plain[:width], out)
            waits[slot] = pool.submit(running.update, out)
            _write(descriptor, out)
        for wait in waits:
            _wait(wait)
        filling.end()
        os.lseek(descriptor, 0, os.SEEK_SET)
        _write(descriptor, memoryview(face(running.digest()).written()))


def digested(path: Path, known: str = "") -> Source:
    """A file as a source; `known`: its digest, where the caller has it. Raises BadInput for what is no plain file."""
    with path.open("rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(what=str(path))
        digest = known or f"sha512:{hashlib.file_digest(file, 'sha512').hexdigest()}"
        return Source(path, digest, found.st_size, _stamp(found))


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns


def says_bundle(path: Path) -> bool:
    """Whether a file begins as a bundle does, whatever it is called."""
    with path.open("rb", buffering=0) as file:
        return file.read(len(MAGIC)) == MAGIC


def area_of(path: Path) -> tuple[Outside, int]:
    """What stands outside, and the size of the file. Raises Damaged."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        outside = read_area(_exactly(file.fileno(), AREA))
        if size != file_size(outside.face):
            raise Damaged(what="bundle")
        return outside, size


def resigned(path: Path, outside: Outside) -> None:
    """The bundle with other signatures. Its frames stay as they are: a copy takes its place, whole."""
    with path.open("rb", buffering=0) as file, drafted(path) as descriptor:
        size = os.fstat(file.fileno()).st_size
        _write(descriptor, memoryview(outside.written()))
        at = AREA
        while at < size:
            done = os.copy_file_range(file.fileno(), descriptor, size - at, at, at)
            if not done:
                raise Damaged(what="bundle")
            at += done


@dataclass(frozen=True, slots=True)
class Opened:
    """What one pass over a file found: the facts to be judged, and what is wrong with the inside."""

    facts: Facts
    outside: Outside | None
    why: str = ""


def look(path: Path, keepers: Sequence[Keeper] = (), write: Callable[[Piece], None] | None = None) -> Opened:
    """One pass over all of it. `keepers`: who may be a recipient. `write` is given each piece of a blob, in order.

    Never raises for what is in the file: all that is wrong with it is in the facts. Raises OSError.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        area = os.pread(file.fileno(), AREA, 0)
        try:
            outside = read_area(area)
            sound = size == file_size(outside.face)
        except Damaged:
            return Opened(Facts(size, area, b""), None)
        if not sound:
            return Opened(Facts(size, area, b""), outside)
        os.lseek(file.fileno(), AREA, os.SEEK_SET)
        frames, why = _frames(outside, keepers)
        with _Pass(file.fileno(), frames, write, why) as found:
            digest = found.run(size - AREA, outside.face.frames)
            try:
                inside = found.inside()
            except Damaged as error:
                found.why = str(error.facts.get("what", "inside"))
                inside = None
        return Opened(Facts(size, area, digest, inside, bool(found.why)), outside, found.why)


def _frames(outside: Outside, keepers: Sequence[Keeper]) -> tuple[Frames | None, str]:
    face = outside.face
    for keeper in keepers:
        wrapped = face.wrapped_for(keeper.recipient)
        if wrapped is not None:
            try:
                return Frames(unwrapped(keeper, wrapped, face.id), face.id, face.size), ""
            except Damaged as error:
                return None, str(error.facts["what"])
    return None, ""


class _Pass:
    """The reading of one file: frames are opened, what is in them read, blobs digested; with no key the frames are."""

    def __init__(self, descriptor: int, frames: Frames | None, write: Callable[[Piece], None] | None, why: str) -> None:
        self._descriptor = descriptor
        self._frames = frames
        self._write = write
        self.why = why
        self._pool = ThreadPoolExecutor(1)
        self._broken = False
        self._reading = Reading()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()

    def run(self, left: int, told: bytes) -> bytes:
        """SHA-512 over the frames; with a key what is `told` of it where each of them opens, else b""."""
        running = hashlib.sha512()
        sealed = [memoryview(bytearray(SEALED)) for _ in range(BEHIND)]
        plain = [memoryview(bytearray(FRAME)) for _ in range(BEHIND)]
        waits: list[list[Future[None]]] = [[] for _ in range(BEHIND)]
        number = 0
        while left:
            slot = number % BEHIND
            for wait in waits[slot]:
                wait.result()
            some = sealed[slot][: min(SEALED, left)]
            _read(self._descriptor, some)
            if self._frames is None:
                waits[slot] = [self._pool.submit(running.update, some)]
            else:
                waits[slot] = self._opened(number, some, plain[slot])
            left -= len(some)
            number += 1
        for each in waits:
            for wait in each:
                wait.result()
        if self._frames is None:
            return running.digest()
        return b"" if self._broken else told

    def inside(self) -> Any:
        """What was read; None where no key was there or something was wrong. Raises Damaged."""
        return None if self._frames is None or self.why else self._reading.finish()

    def _opened(self, number: int, sealed: memoryview, plain: memoryview) -> list[Future[None]]:
        assert self._frames is not None
        content = plain[: len(sealed) - (SEALED - FRAME)]
        try:
            self._frames.open_into(number, sealed, content)
        except Damaged as error:
            self._broken, self.why = True, self.why or str(error.facts["what"])
            return []
        if self.why:
            return []  # what is in it cannot be read: only whether each frame opens is asked
        try:
            pieces = self._reading.feed(content)
        except Damaged as error:
            self.why = str(error.facts["what"])
            return []
        if self._write is not None:
            for piece in pieces:
                self._write(piece)
        return [self._pool.submit(_digested, pieces)] if pieces else []


def _digested(pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        piece.running.update(piece.data)


class _Filling:
    """The content of a new bundle, poured into one buffer after another."""

    def __init__(self, content: Content, sources: Mapping[str, Source]) -> None:
        self._pieces = content.pieces()
        self._sources = sources
        self._raw = memoryview(b"")
        self._file = -1
        self._left = 0
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def fill(self, buffer: memoryview) -> None:
        """All of the buffer. Raises Conflict."""
        while buffer:
            if self._left:
                done = os.readv(self._file, [buffer[: min(len(buffer), self._left)]])
                if not done:
                    raise Conflict(what=self._name)
                self._left -= done
                buffer = buffer[done:]
                if not self._left:
                    self._close()
            elif self._raw:
                part = self._raw[: len(buffer)]
                buffer[: len(part)] = part
                self._raw, buffer = self._raw[len(part) :], buffer[len(part) :]
            else:
                self._next()

    def end(self) -> None:
        """Nothing may be left. Raises Conflict."""
        if self._left or self._raw or any(each for each in self._pieces):
            raise Conflict(what=self._name)

    def _next(self) -> None:
        piece = next(self._pieces)
        if not isinstance(piece, Taken):
            self._raw = memoryview(piece)
            return
        source = self._sources[piece.digest]
        self._name, self._left = source.path.name, piece.size
        self._file = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
        if _stamp(os.fstat(self._file)) != source.stamp or source.size != piece.size:
            raise Conflict(what=self._name)
        if not self._left:
            self._close()

    def _close(self) -> None:
        os.close(self._file)
        self._file = -1


def _wait(future: Future[None] | None) -> None:
    if future is not None:
        future.result()


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, view: memoryview) -> None:
    while view:
        done = os.readv(descriptor, [view])
        if not done:
            raise Damaged(what="bundle")
        view = view[done:]


def _exactly(descriptor: int, size: int) -> bytes:
    raw = os.pread(descriptor, size, 0)
    if len(raw) != size:
        raise Damaged(what="bundle")
    return raw
