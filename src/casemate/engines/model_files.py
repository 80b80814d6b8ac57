"""Files of models on this machine: read in place, digested, moved in. Implements `models.weights.Tree`.

No link is followed anywhere below the folder: each path is opened component by component from the folder's own handle
with O_NOFOLLOW, so that nothing outside can be read by a name inside, whoever changes names meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from casemate.errors import BadInput
from casemate.words import say

__all__ = ["FileTree", "keep_key"]

_CHUNK = 4 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _File:
    """A plain file by its path below the folder; it is open only while it is read."""

    tree: FileTree
    path: str
    size: int

    def at(self, offset: int, count: int) -> bytes:
        handle = self.tree.opened(self.path)
        try:
            return os.pread(handle, count, offset)
        finally:
            os.close(handle)


class FileTree:
    """A folder. `most`: how many files it may have; `language`: of what is said when it is refused."""

    def __init__(self, folder: Path, most: int, language: str = "en") -> None:
        self._folder = folder
        self._most = most
        self._language = language

    def files(self) -> list[tuple[str, _File]]:
        """Every file below, by path. Raises BadInput for a link, a device, or too many."""
        found: list[tuple[str, _File]] = []
        folders = [""]
        while folders:
            inside = folders.pop()
            for name in sorted(self._names(inside)):
                path = f"{inside}/{name}" if inside else name
                mode, size = self._looked(path)
                if stat.S_ISDIR(mode):
                    folders.append(path)
                elif stat.S_ISREG(mode):
                    found.append((path, _File(self, path, size)))
                else:
                    raise self._link(path)
                if len(found) + len(folders) > self._most:
                    raise BadInput(what=say("catalogue.many", self._language, files=self._most, size=4096))
        return sorted(found, key=lambda each: each[0])

    def digests(self, path: str) -> tuple[str, str]:
        """SHA-256 and SHA-384 of a file, in hexadecimal. Raises BadInput where it cannot be read."""
        first, second = hashlib.sha256(), hashlib.sha384()
        handle = self.opened(path)
        try:
            while piece := os.read(handle, _CHUNK):
                first.update(piece)
                second.update(piece)
        finally:
            os.close(handle)
        return first.hexdigest(), second.hexdigest()

    def opened(self, path: str) -> int:
        """A handle on a plain file. Raises BadInput for anything else."""
        *folders, name = path.split("/")
        at = self._walked(folders, path)
        try:
            handle = os.open(name, _PLAIN, dir_fd=at)
        except OSError:
            raise self._link(path) from None
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise self._link(path)
        return handle

    def _names(self, inside: str) -> list[str]:
        at = self._walked(inside.split("/") if inside else [], inside)
        try:
            return os.listdir(at)  # noqa: PTH208 - a handle, not a path
        finally:
            os.close(at)

    def _looked(self, path: str) -> tuple[int, int]:
        *folders, name = path.split("/")
        at = self._walked(folders, path)
        try:
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
            name.encode()
        except (OSError, UnicodeEncodeError):
            raise self._link(path) from None
        finally:
            os.close(at)
        return found.st_mode, found.st_size

    def _walked(self, folders: list[str], path: str) -> int:
        try:
            at = os.open(self._folder, _FOLDER)
        except OSError:
            raise BadInput(what=say("catalogue.incoming", self._language)) from None
        for each in folders:
            try:
                inner = os.open(each, _FOLDER, dir_fd=at)
            except OSError:
                os.close(at)
                raise self._link(path) from None
            os.close(at)
            at = inner
        return at

    def _link(self, path: str) -> BadInput:
        shown = path.encode("utf-8", "replace").decode()[:200]
        return BadInput(what=say("catalogue.link", self._language, path=shown))


def keep_key(file: Path, secret: str) -> None:
    """Write a key that its owner alone may read, whole or not at all, in the place of another of its name."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, f"{secret}\n".encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.replace(file)
