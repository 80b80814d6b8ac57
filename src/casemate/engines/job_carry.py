"""What an attempt leaves to the next one: a path below `out`, from the folder of the one into that of the other.

It is copied and never moved: a program that was fenced may still hold open what it wrote. Everything is reached by
descriptors, and links, pipes, sockets and devices stay behind, so that nothing that a job made leads the region to
another file than its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress

from casemate.engines.job_folder import DEEP, folder_at
from casemate.errors import TooLarge

__all__ = ["carried"]

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class _Left:
    """How many entries, and how many bytes, may still be copied."""

    def __init__(self, entries: int, room: int) -> None:
        self.most, self.entries = entries, entries
        self.whole, self.room = room, room

    def take(self, size: int = 0) -> None:
        self.entries -= 1
        self.room -= size
        if self.entries < 0:
            raise TooLarge(what="entries", limit=self.most)
        if self.room < 0:
            raise TooLarge(what="bytes", limit=self.whole)


def carried(source: int, target: int, path: str, entries: int, room: int) -> bool:
    """Files and folders at out/PATH; whether there is such a thing. The target has nothing there yet.

    `source` and `target` are attempts' folders; at most `entries` and `room` bytes. Raises TooLarge, OSError.
    """
    parts, left = [part for part in path.split("/") if part not in ("", ".")], _Left(entries, room)
    with ExitStack() as held:
        below = held.enter_context(folder_at(source, "out"))
        beside = held.enter_context(folder_at(target, "out"))
        if not parts:
            _folder(below, beside, left, DEEP)
            return True
        for part in parts[:-1]:
            if not _kind(below, part, stat.S_ISDIR):
                return False
            below = held.enter_context(folder_at(below, part))
            beside = held.enter_context(_made(beside, part))
        return _one(below, beside, parts[-1], left, DEEP)


def _kind(at: int, name: str, like: Callable[[int], bool]) -> bool:
    try:
        return like(os.stat(os.fsencode(name), dir_fd=at, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _made(at: int, name: str) -> AbstractContextManager[int]:
    with suppress(FileExistsError):
        os.mkdir(os.fsencode(name), 0o755, dir_fd=at)
    return folder_at(at, name)


def _one(below: int, beside: int, name: str, left: _Left, deep: int) -> bool:
    if _kind(below, name, stat.S_ISREG):
        return _file(below, beside, name, left)
    if not _kind(below, name, stat.S_ISDIR):
        return False
    left.take()
    with folder_at(below, name) as source, _made(beside, name) as target:
        _folder(source, target, left, deep - 1)
    return True


def _folder(source: int, target: int, left: _Left, deep: int) -> None:
    if deep < 0:
        raise TooLarge(what="folders", limit=DEEP)
    for name in os.listdir(source):
        _one(source, target, name, left, deep)


def _file(below: int, beside: int, name: str, left: _Left) -> bool:
    source = os.open(os.fsencode(name), _FILE, dir_fd=below)
    try:
        told = os.fstat(source)
        if not stat.S_ISREG(told.st_mode):
            return False  # it was another a moment ago
        left.take(told.st_size)
        target = os.open(os.fsencode(name), _NEW, 0o600, dir_fd=beside)
        try:
            os.fchmod(target, told.st_mode & 0o777)
            at = 0
            while at < told.st_size and (sent := os.sendfile(target, source, at, told.st_size - at)):
                at += sent
        finally:
            os.close(target)
    finally:
        os.close(source)
    return True
