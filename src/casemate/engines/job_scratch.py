"""The folders of attempts, as the region makes, reads and removes them: docs/bytes/job-folder.md.

    make -> fill -> order -> (engine, shim) -> collected -> outputs, read -> remove

What lies in `out` and `work` was made by a job: names are bytes, links lead nowhere, and everything is reached step by
step from the scratch folder's own descriptor, so that nothing that is swapped meanwhile leads out of it. What a job
made unreadable is named as such, and what it made endless is refused.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from casemate.access import Threads
from casemate.engines.job_carry import carried
from casemate.engines.job_folder import (
    collected,
    fenced,
    folder_at,
    opened,
    synced,
    walked,
    written,
)
from casemate.engines.job_ground import removed, spread
from casemate.engines.job_line import SocketLine, connected
from casemate.engines.job_order import encoded
from casemate.engines.together import Together
from casemate.errors import Absent, BadInput, StorageFull
from casemate.jobs.executor import Collected, Folder, Order

__all__ = ["JobScratch"]

T = TypeVar("T")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_CLASS = re.compile(r"[A-Za-z0-9_-]{1,128}")
_GONE = ".gone"
_ROOMS = ("in", "work", "out", "log")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CARRIED = 50_000  # files and folders of a checkpoint


class JobScratch:
    """Implements `jobs.executor.Scratch` below `root`, which is made with mode 0700 where it is not there.

    `here`: whatever runs an attempt loses power together with the region. Then nobody reads what was made ready before,
    and an attempt that nobody has claimed is made ready anew: it is not synced.
    """

    def __init__(self, root: Path, threads: Threads | None = None, *, here: bool = False) -> None:
        self._root = root.absolute()
        self._threads = threads or Threads()
        self._here = here
        self._orders, self._removals = Together(self._threads), Together(self._threads)

    async def make(self, domain: str, token: str) -> Folder:
        return await self._do(domain, self._make, domain, token)

    def at(self, domain: str, token: str) -> Folder:
        path = self._path(domain, token)
        return Folder(path, f"{path}/in", f"{path}/out", f"{path}/work", f"{path}/log")

    async def order(self, folder: Folder, order: Order) -> None:
        if folder.path != self._path(order.domain, order.token):
            raise BadInput(what="folder")
        await self._do(order.domain, self._order, order, turns=self._orders)

    async def fill(self, folder: Folder, name: str, data: bytes) -> str:
        domain, token = folder.path.rsplit("/", 2)[1:]
        await self._do(domain, self._fill, domain, token, name, data)
        return f"{folder.inputs}/{name}"

    async def collected(self, domain: str, token: str) -> Collected:
        return await self._do(domain, self._collected, domain, token)

    async def stop(self, domain: str, token: str, reason: str, grace_s: float = 10.0) -> None:
        await self._do(domain, self._stop, domain, token, reason, grace_s)

    async def outputs(self, domain: str, token: str, path: str, most: int) -> Sequence[tuple[str, int]]:
        return await self._do(domain, self._outputs, domain, token, path, most)

    async def read(self, domain: str, token: str, under: str, name: str, at: int, most: int) -> bytes:
        return await self._do(domain, self._read, domain, token, under, name, at, most)

    async def line(self, domain: str, token: str, name: str) -> SocketLine:
        found = await self._do(domain, self._line, domain, token, name)
        return SocketLine(*await asyncio.open_unix_connection(sock=found))

    async def carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        return await self._do(domain, self._carry, domain, former, token, path, most)

    async def fence(self, domain: str, token: str) -> None:
        await self._do(domain, self._fence, domain, token)

    async def remove(self, domain: str, token: str) -> None:
        await self._do(domain, self._remove, domain, token, turns=self._removals)

    async def known(self, domain: str) -> Sequence[str]:
        return await self._do(domain, self._known, domain)

    async def _do(self, domain: str, work: Callable[..., T], *arguments: object, turns: Together | None = None) -> T:
        """In a thread of the domain; whatever is begun is finished, so that no folder is left half made. `turns`: where
        others are done with it."""
        if _CLASS.fullmatch(domain) is None:
            raise BadInput(what="domain")
        try:
            if turns is not None:
                return await turns.run(domain, work, *arguments)
            return await asyncio.shield(self._threads.run(domain, work, *arguments))
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from None
            raise

    def _path(self, domain: str, token: str) -> str:
        if _TOKEN.fullmatch(token) is None:
            raise BadInput(what="token")
        return f"{self._root}/{domain}/{token}"

    def _held(self, held: ExitStack, domain: str, token: str) -> int:
        """The attempt's folder. Raises Absent where there is none."""
        self._path(domain, token)
        try:
            top = held.enter_context(opened(os.fspath(self._root)))
            return held.enter_context(folder_at(top, f"{domain}/{token}"))
        except (FileNotFoundError, NotADirectoryError):
            raise Absent(kind="folder", id=token) from None

    def _make(self, domain: str, token: str) -> Folder:
        told = self.at(domain, token)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(os.fspath(self._root)) as top:
            new = _made(domain, top, 0o700)
            with folder_at(top, domain) as kind:
                if new:
                    spread(kind)
                _made(token, kind, 0o700)
                with folder_at(kind, token) as inner:
                    for name in _ROOMS:
                        _made(name, inner, 0o755)
                    if not self._here:
                        os.fsync(inner)
                if not self._here:
                    os.fsync(kind)
            if not self._here:
                os.fsync(top)
        return told

    def _order(self, order: Order) -> None:
        with ExitStack() as held:
            inner = self._stood(held, order.domain, order.token)
            if not self._here:
                synced(inner, "in")
            body = encoded(order, here=self._here)
            written(inner, "order.json", body, not self._here, self._owner(order.domain))

    def _stood(self, held: ExitStack, domain: str, token: str) -> int:
        """The attempt's folder, made where it is not there; what is in it the shim makes, where it is here."""
        if self._here:
            with suppress(FileNotFoundError), opened(f"{self._root}/{domain}") as kind:
                _made(token, kind, 0o700)
                return held.enter_context(folder_at(kind, token))
        try:
            return self._held(held, domain, token)
        except Absent:
            self._make(domain, token)
            return self._held(held, domain, token)

    def _fill(self, domain: str, token: str, name: str, data: bytes) -> None:
        *folders, last = _parts(name)
        with ExitStack() as held:
            at = held.enter_context(folder_at(self._held(held, domain, token), "in"))
            for part in folders:
                _made(part, at, 0o755)
                at = held.enter_context(folder_at(at, part))
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(last, flags, 0o644, dir_fd=at)
            told = os.fstat(file)
            if not stat.S_ISREG(told.st_mode) or told.st_nlink != 1:
                os.close(file)  # a second name of another file, which is not to be written or shown
                raise BadInput(what=name[:200])
            os.fchmod(file, 0o644)  # the job's own user reads it; the folder above lets nobody else through
            with os.fdopen(file, "ab", buffering=0) as sink:
                rest = memoryview(data)
                while rest:
                    rest = rest[sink.write(rest) or 0 :]

    def _collected(self, domain: str, token: str) -> Collected:
        with ExitStack() as held:
            try:
                inner = self._held(held, domain, token)
            except Absent:
                return Collected()
            return collected(inner, token)

    def _stop(self, domain: str, token: str, reason: str, grace_s: float) -> None:
        with ExitStack() as held:
            body = msgspec.json.encode({"reason": reason, "grace_s": grace_s})
            written(self._held(held, domain, token), "stop", body, owner=self._owner(domain))

    def _outputs(self, domain: str, token: str, path: str, most: int) -> list[tuple[str, int]]:
        with ExitStack() as held:
            inner = self._held(held, domain, token)
            return walked(inner, "out", _parts(path) if path.strip("/") else [], most)

    def _read(self, domain: str, token: str, under: str, name: str, at: int, most: int) -> bytes:
        if under not in ("out", "log"):
            raise BadInput(what=under)
        *folders, last = _parts(name)
        with ExitStack() as held:
            inner = self._held(held, domain, token)
            try:
                where = held.enter_context(folder_at(inner, under))
                if folders:
                    where = held.enter_context(folder_at(where, "/".join(folders)))
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                file = os.open(os.fsencode(last), flags, dir_fd=where)
            except FileNotFoundError:
                if under == "log":
                    return b""  # nothing has been printed yet
                raise Absent(kind="file", id=name[:200]) from None
            except OSError as error:
                raise BadInput(what=f"{name[:200]}: {os.strerror(error.errno or 0)}") from None
            held.callback(os.close, file)
            try:
                return os.pread(file, max(most, 0), max(at, 0))
            except OSError as error:
                raise BadInput(what=f"{name[:200]}: {os.strerror(error.errno or 0)}") from None

    def _line(self, domain: str, token: str, name: str) -> socket.socket:
        with ExitStack() as held:
            return connected(self._held(held, domain, token), name)

    def _carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        with ExitStack() as held:
            try:
                source = self._held(held, domain, former)
            except Absent:
                return False
            target = self._held(held, domain, token)
            try:
                found = carried(source, target, path, _CARRIED, most)
            except OSError as error:
                if error.errno in _FULL:
                    raise
                raise BadInput(what=f"{path[:200]}: {os.strerror(error.errno or 0)}") from None
            synced(target, "out")
            return found

    def _fence(self, domain: str, token: str) -> None:
        self._make(domain, token)
        with ExitStack() as held:
            fenced(self._held(held, domain, token))

    def _remove(self, domain: str, token: str) -> None:
        self._path(domain, token)
        with ExitStack() as held:
            try:
                top = held.enter_context(opened(os.fspath(self._root)))
                kind = held.enter_context(folder_at(top, domain))
            except FileNotFoundError:
                return
            # first out of everybody's sight: half of a folder is never taken for a whole one
            with suppress(FileNotFoundError):
                os.rename(token, token + _GONE, src_dir_fd=kind, dst_dir_fd=kind)
            with suppress(FileNotFoundError):
                removed(kind, token + _GONE)
            # no sync: what a loss of power brings back is swept at the next start

    def _owner(self, domain: str) -> tuple[int, int] | None:
        """Whose the folders are, by number; None: this process's own."""
        del domain
        return None

    def _known(self, domain: str) -> list[str]:
        with ExitStack() as held:
            try:
                top = held.enter_context(opened(os.fspath(self._root)))
                kind = held.enter_context(folder_at(top, domain))
            except FileNotFoundError:
                return []
            names = {name.removesuffix(_GONE) for name in os.listdir(kind)}  # noqa: PTH208 - by its descriptor
        return sorted(name for name in names if _TOKEN.fullmatch(name))


def _made(name: str, at: int, mode: int) -> bool:
    """A folder of exactly this mode, whatever the umask; one that is there stays as it is. Whether it is new."""
    try:
        os.mkdir(name, mode, dir_fd=at)
    except FileExistsError:
        return False
    with folder_at(at, name) as made:  # by its descriptor: the folder may be another's, who lays a link in its place
        if os.fstat(made).st_mode & 0o7777 != mode:
            os.fchmod(made, mode)
    return True


def _parts(name: str) -> list[str]:
    """The steps of a relative path. Raises BadInput for one that leads anywhere else."""
    parts = name.split("/")
    if (
        any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > 255 for part in parts)
        or len(parts) > 64
    ):
        raise BadInput(what=name[:200])
    return parts
