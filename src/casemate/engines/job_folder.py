"""One attempt's folder, by its descriptor: what it tells, and what a job left in it.

Nothing here follows a link, waits at a pipe, or believes a record further than its shape. A claim and a record are
what a program on another node wrote, perhaps cut off in the middle: what cannot be read counts as not there.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from casemate.engines.job_order import LEASE_S
from casemate.errors import Absent, BadInput, TooLarge
from casemate.jobs.executor import Collected
from casemate.jobs.job import Usage

__all__ = [
    "Claim",
    "boot",
    "claimed",
    "collected",
    "fenced",
    "folder_at",
    "lives",
    "opened",
    "shaped",
    "small",
    "started",
    "synced",
    "walked",
    "written",
]

T = TypeVar("T")
DEEP = 64
_MOST = 1 << 20  # bytes of a record; a whole one has some hundred
_BYTES, _WORD = 1 << 62, 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Claim(msgspec.Struct, frozen=True):
    """Who holds a folder. `fenced`: the region does, for this reason, and nobody begins any more."""

    pid: int = 0
    start: int = 0
    boot: str = ""
    node: str = ""
    nonce: str = ""
    fenced: str = ""


class _Beat(msgspec.Struct, frozen=True):
    boot: str = ""
    at: int = 0


class _Used(msgspec.Struct, frozen=True):
    cpu_us: int = 0
    wall_us: int = 0
    rss_kb: int = 0


class _Record(msgspec.Struct, frozen=True):
    token: str
    exit: int | None
    signal: int = 0
    reason: str = ""
    started: int = 0
    ended: int = 0
    node: str = ""
    level: str = ""
    usage: _Used = _Used()


class _Served(msgspec.Struct, frozen=True):
    healthy: bool = False
    open: int = 0
    port: int = 0


@contextmanager
def opened(path: str) -> Iterator[int]:
    """A folder that the region itself names."""
    folder = os.open(path, _FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def folder_at(at: int, path: str) -> Iterator[int]:
    """A folder below another, step by step; a link on the way is no folder."""
    held = os.dup(at)
    try:
        for part in path.split("/"):
            inner = os.open(os.fsencode(part), _FOLDER, dir_fd=held)
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)


def written(folder: int, name: str, data: bytes, sync: bool = True, owner: tuple[int, int] | None = None) -> None:
    """The whole file or the one before it, whatever happens: written beside it, synced, renamed, synced.

    Without `sync` only as long as the machine has power. `owner`: whose it is before it has its name, since what then
    bears the name may be another file.
    """
    fresh = f".{name}.{secrets.token_hex(8)}"
    made = os.open(fresh, _NEW, 0o600, dir_fd=folder)
    try:
        with os.fdopen(made, "wb") as file:
            file.write(data)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            if sync:
                os.fsync(file.fileno())
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise
    if sync:
        os.fsync(folder)


def synced(at: int, name: str, deep: int = 3 * DEEP) -> None:
    """All files beneath a folder are on the disk when this returns. Raises TooLarge where it is deeper than `deep`."""
    if not deep:
        raise TooLarge(what="folders", limit=3 * DEEP)
    with folder_at(at, name) as inner:
        for one in os.listdir(inner):  # noqa: PTH208 - by its descriptor
            told = os.stat(one, dir_fd=inner, follow_symlinks=False)
            if stat.S_ISDIR(told.st_mode):
                synced(inner, one, deep - 1)
            elif stat.S_ISREG(told.st_mode):
                file = os.open(one, _FILE, dir_fd=inner)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)
        os.fsync(inner)


def shaped(data: bytes, kind: type[T]) -> T | None:
    """None for what is not of that shape, or lies deeper in itself than anything that was written for us."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def small(folder: int, name: str) -> tuple[bytes, float] | None:
    """A small regular file and when it was written; None where there is no such thing."""
    try:
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return None
    try:
        told = os.fstat(file)
        if not stat.S_ISREG(told.st_mode) or told.st_size > _MOST:
            return None
        return os.pread(file, _MOST, 0), told.st_mtime
    finally:
        os.close(file)


def claimed(folder: int) -> Claim | None:
    """Who holds it; a claim that is still being written is one of nobody in particular; None where there is none."""
    found = small(folder, "claim")
    return (shaped(found[0], Claim) or Claim()) if found is not None else None


def collected(folder: int, token: str) -> Collected:
    """What the folder tells now. A record that is not the whole of one, or another attempt's, is none."""
    claim = claimed(folder)
    if claim is None:
        return Collected()
    if claim.fenced:
        return Collected(claimed=True)
    record = _record(folder, token)
    if record is None:
        served = _served(folder)
        return Collected(
            claimed=True,
            alive=_beats(folder, claim),
            node=claim.node[:_WORD],
            healthy=served.healthy,
            connections=served.open,
            port=served.port,
        )
    usage = Usage(*(min(max(value, 0), _BYTES) for value in msgspec.structs.astuple(record.usage)))
    return Collected(
        exit=record.exit,
        signal=record.signal,
        reason=record.reason[:_WORD],
        started=record.started,
        ended=record.ended,
        node=record.node[:_WORD],
        level=record.level[:_WORD],
        usage=usage,
        claimed=True,
        recorded=True,
        printed=tuple(name for name in ("out", "err") if _there(folder, f"log/{name}")),
    )


def _served(folder: int) -> _Served:
    """How a service is, as its shim has said last; one that has said nothing is not well."""
    found = small(folder, "serve")
    told = (shaped(found[0], _Served) if found is not None else None) or _Served()
    return told if 0 <= told.open <= _BYTES and 0 <= told.port < 1 << 16 else _Served()


def _there(folder: int, path: str) -> bool:
    """Whether there is such a name. Only the shim writes in `log`."""
    try:
        os.stat(path, dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass  # whoever reads it is told why it cannot be
    return True


def _record(folder: int, token: str) -> _Record | None:
    found = small(folder, "exit.json")
    record = shaped(found[0], _Record) if found is not None else None
    if record is None:
        return None
    numbers = (record.exit or 0, record.signal, record.started, record.ended)
    return record if record.token == token and all(0 <= number <= _BYTES for number in numbers) else None


def _beats(folder: int, claim: Claim) -> bool:
    """Whether its lease still runs. Here the process itself is looked at too: one that is gone does not beat again."""
    here = claim.boot != "" and claim.boot == boot()
    if here and claim.node == os.uname().nodename and not lives(claim):
        return False
    found = small(folder, "beat") or small(folder, "claim")
    if found is None:
        return False
    beat = shaped(found[0], _Beat) or _Beat()
    if here and beat.boot == claim.boot and beat.at:
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - beat.at / 1e9
    else:
        age = _now(folder) - found[1]
    return age <= LEASE_S


def _now(folder: int) -> float:
    """What time it is to the file system that the folder is on: another machine's clock, perhaps."""
    name = f".now.{secrets.token_hex(8)}"
    os.close(os.open(name, _NEW, 0o600, dir_fd=folder))
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    finally:
        os.unlink(name, dir_fd=folder)


def lives(claim: Claim) -> bool:
    """Whether the process that claimed it is there on this machine, and is that one."""
    return claim.pid > 0 and claim.boot == boot() and started(claim.pid) == claim.start != 0


def started(pid: int) -> int:
    """When the process began, in clock ticks since the machine did; 0 where there is none, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def boot() -> str:
    """The kernel's id of this start of the machine; "" where it tells none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def fenced(folder: int) -> None:
    """The claim is the region's from here on: taken where nobody had it, else taken away; who runs is to stop."""
    body = msgspec.json.encode({"fenced": "lease"})
    try:
        made = os.open("claim", _NEW, 0o600, dir_fd=folder)
    except FileExistsError:
        written(folder, "claim", body)
        written(folder, "stop", b'{"reason": "fenced", "grace_s": 0}')
        return
    with os.fdopen(made, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    os.fsync(folder)


def walked(folder: int, room: str, parts: list[str], most: int) -> list[tuple[str, int]]:
    """Regular files beneath a path, by name, with their sizes; the path itself may be one, whose name is then empty.

    Links, pipes, sockets and devices are left out. Raises TooLarge beyond `most` files, Absent, BadInput.
    """
    with ExitStack() as held:
        try:
            top = held.enter_context(folder_at(folder, room))
            if not parts:
                return sorted(_files(top, "", DEEP, _Left(most)))
            *above, last = parts
            with folder_at(top, "/".join(above)) if above else folder_at(top, ".") as at:
                told = os.stat(os.fsencode(last), dir_fd=at, follow_symlinks=False)
                if stat.S_ISREG(told.st_mode):
                    return [("", told.st_size)]
                with folder_at(at, last) as inner:
                    return sorted(_files(inner, "", DEEP, _Left(most)))
        except FileNotFoundError:
            raise Absent(kind="file", id="/".join(parts)[:200]) from None
        except OSError as error:
            raise BadInput(what=f"{'/'.join(parts)[:200]}: {os.strerror(error.errno or 0)}") from None


class _Left:
    """How many files may still be found, and how many entries of any kind may still be looked at."""

    def __init__(self, most: int) -> None:
        self.most, self.files, self.entries = most, most, 4 * most + 10_000

    def look(self) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise TooLarge(what="entries", limit=4 * self.most + 10_000)

    def take(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise TooLarge(what="files", limit=self.most)


def _files(folder: int, at: str, deep: int, left: _Left) -> Iterator[tuple[str, int]]:
    if not deep:
        raise TooLarge(what="folders", limit=DEEP)
    with os.scandir(folder) as entries:
        for entry in entries:
            left.look()
            if entry.is_dir(follow_symlinks=False):
                with folder_at(folder, entry.name) as inner:
                    yield from _files(inner, f"{at}{entry.name}/", deep - 1, left)
            elif entry.is_file(follow_symlinks=False):
                left.take()
                yield f"{at}{entry.name}", entry.stat(follow_symlinks=False).st_size
