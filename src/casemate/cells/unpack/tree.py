"""A tree under construction: every path is resolved inside it, as the kernel would if the tree were its root.

One process writes it, in a folder of its own, so nothing changes between a look and a write.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable

__all__ = ["Tree", "Unpackable"]

_HOPS = 40  # as the kernel's own bound on links in one path
_LONGEST = 4096


class Unpackable(Exception):
    """What cannot be unpacked, in words of our own: never in those of the archive."""


class Tree:
    """`root` exists and is empty. `most` bytes of files and `entries` names, then it ends."""

    def __init__(self, root: str, most: int = 64 << 30, entries: int = 2_000_000) -> None:
        self.root = os.path.realpath(root)
        self._bytes = most
        self._entries = entries

    def folder(self, name: str, mode: int = 0o755) -> None:
        """A folder that is there already keeps what it holds."""
        parts = _parts(name)
        if parts:
            self._counted()
            os.chmod(self._at([*parts]), _plain(mode) | stat.S_IRWXU)  # noqa: PTH101

    def file(self, name: str, pieces: Iterable[bytes], mode: int = 0o644) -> None:
        """A regular file; what stood there before is gone, a link is not followed."""
        path = self._free(name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            for piece in pieces:
                self._bytes -= len(piece)
                if self._bytes < 0:
                    raise Unpackable("It is larger than it may be.")
                opened.write(piece)
            os.fchmod(descriptor, _plain(mode) | stat.S_IRUSR | stat.S_IWUSR)

    def link(self, name: str, target: str) -> None:
        """A symbolic link; where it leads is looked at when it is followed, inside the tree."""
        if not target or len(target) > _LONGEST or "\0" in target:
            raise Unpackable("A link leads nowhere.")
        os.symlink(target, self._free(name))  # noqa: PTH211

    def hard(self, name: str, existing: str) -> None:
        """Another name of a regular file of this tree."""
        source = self._named(existing)
        try:
            regular = stat.S_ISREG(os.lstat(source).st_mode)
        except FileNotFoundError:
            regular = False
        if not regular:
            raise Unpackable("A hard link names no file that came before it.")
        path = self._named(name)
        if path == source:
            return
        os.link(source, self._free(name), follow_symlinks=False)

    def remove(self, name: str) -> None:
        """What an upper layer says is no more, with everything in it."""
        _gone(self._named(name))

    def clear(self, name: str) -> None:
        """Everything in a folder, but not the folder."""
        path = self._at(_parts(name))
        for entry in os.listdir(path):  # noqa: PTH208
            _gone(os.path.join(path, entry))  # noqa: PTH118

    def _free(self, name: str) -> str:
        self._counted()
        path = self._named(name)
        if path == self.root:
            raise Unpackable("A name is empty.")
        _gone(path)
        return path

    def _named(self, name: str) -> str:
        """The path of a name: its folder resolved, its last part as it is."""
        parts = _parts(name)
        return os.path.join(self._at(parts[:-1]), parts[-1]) if parts else self.root  # noqa: PTH118

    def _at(self, parts: list[str]) -> str:
        """The folder of these parts, made where it is not; links are followed inside the tree."""
        here: list[str] = []
        left, hops = list(reversed(parts)), 0
        while left:
            part = left.pop()
            if part == "..":
                here = here[:-1]
                continue
            path = os.path.join(self.root, *here, part)  # noqa: PTH118
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                self._counted()
                os.mkdir(path, 0o755)  # noqa: PTH102
                mode = stat.S_IFDIR
            if stat.S_ISLNK(mode):
                hops += 1
                target = os.readlink(path)  # noqa: PTH115
                if hops > _HOPS:
                    raise Unpackable("Links lead in a circle.")
                here = [] if target.startswith("/") else here
                left += [one for one in reversed(target.split("/")) if one not in ("", ".")]
            elif stat.S_ISDIR(mode):
                here.append(part)
            else:
                raise Unpackable("A file stands where a folder is named.")
        return os.path.join(self.root, *here)  # noqa: PTH118

    def _counted(self) -> None:
        self._entries -= 1
        if self._entries < 0:
            raise Unpackable("It has more names than it may.")


def _parts(name: str) -> list[str]:
    """Raises Unpackable for a name that steps back, or is none."""
    if len(name) > _LONGEST or "\0" in name:
        raise Unpackable("A name is too long, or holds a NUL.")
    parts = [one for one in name.split("/") if one not in ("", ".")]
    if ".." in parts:
        raise Unpackable("A name steps out of the tree.")
    return parts


def _plain(mode: int) -> int:
    """The bits of a mode that anybody may give: no set-uid, set-gid or sticky bit, and nothing for others to write."""
    return mode & 0o755


def _gone(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)  # noqa: PTH108
