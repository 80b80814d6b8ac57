"""The connector of a watched folder: regular files below it, and nothing that a link leads to.

Each step into the folder is taken from the descriptor of the one before, and no link is followed on the way, so that
what is swapped while it is being read leads nowhere else. Hidden names are left out. It reads and never writes.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from casemate.access import Threads
from casemate.errors import BadInput, Unavailable
from casemate.knowledge import Listed, Place

__all__ = ["FolderConnector", "folder_connector"]

FILES = 10_000
DEPTH = 16
SIZE = 64 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ELSEWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM)  # swapped, or not for us
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderConnector:
    """`root` is what the settings allow; `under` a folder in it, "" for itself. Raises BadInput where it leads out."""

    name = "folder"

    def __init__(self, root: Path, under: str, domain: str, threads: Threads | None = None) -> None:
        self._root = root
        self._under = _steps(under)
        self._domain = domain
        self._threads = threads or Threads()

    async def list(self) -> Sequence[Listed]:
        return await self._threads.run(self._domain, self._list)

    async def fetch(self, key: str) -> bytes:
        return await self._threads.run(self._domain, self._fetch, key)

    def _list(self) -> Sequence[Listed]:
        with self._opened(self._under) as top:
            return [each for each, _ in zip(_walk(top, "", DEPTH), range(FILES), strict=False)]

    def _fetch(self, key: str) -> bytes:
        *folders, name = _steps(key) or ("",)
        with self._opened((*self._under, *folders)) as parent:
            try:
                file = os.open(name, _FILE, dir_fd=parent)
            except OSError:
                raise Unavailable(what="file") from None
            with os.fdopen(file, "rb") as opened:
                before = os.fstat(file)
                if not stat.S_ISREG(before.st_mode) or before.st_size > SIZE:
                    raise BadInput(what="not a file of at most 64 MiB")
                data = opened.read(SIZE + 1)
                after = os.fstat(file)
        if len(data) != after.st_size or _version(before) != _version(after):
            raise Unavailable(what="file")  # it is being written: another time
        return data

    @contextmanager
    def _opened(self, steps: tuple[str, ...]) -> Iterator[int]:
        """The descriptor of a folder below the root, reached step by step."""
        try:
            held = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise Unavailable(what="folder") from None
        try:
            for step in steps:
                inner = os.open(step, _FOLDER, dir_fd=held)
                os.close(held)
                held = inner
            yield held
        except OSError:
            raise Unavailable(what="folder") from None
        finally:
            os.close(held)


def folder_connector(place: Place, under: str, domain: str) -> FolderConnector:
    """The connector of a place whose option `path` the settings give."""
    return FolderConnector(Path(place.options["path"]), under, domain)


def _walk(folder: int, before: str, depth: int) -> Iterator[Listed]:
    """The files of an open folder and of those in it, by name."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith(".") or not entry.name.isprintable():
            continue
        if entry.is_dir(follow_symlinks=False) and depth:
            try:
                inner = os.open(entry.name, _FOLDER, dir_fd=folder)
            except OSError as error:
                if error.errno not in _ELSEWHERE:  # a list without what is there would tell that it has vanished
                    raise
                continue
            try:
                yield from _walk(inner, f"{before}{entry.name}/", depth - 1)
            finally:
                os.close(inner)
        elif entry.is_file(follow_symlinks=False):
            told = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
            yield Listed(before + entry.name, _version(told), told.st_size)


def _version(told: os.stat_result) -> str:
    return f"{told.st_mtime_ns}-{told.st_size}-{told.st_ino}"


def _steps(path: str) -> tuple[str, ...]:
    """The names of a path beneath a folder. Raises BadInput for one that would lead out of it, or into what is
    hidden."""
    if not path:
        return ()
    steps = tuple(path.split("/"))
    if any(not step or step.startswith(".") or "\x00" in step for step in steps):
        raise BadInput(what="A folder is named by its steps from the place, without hidden ones: press/2026.")
    return steps
