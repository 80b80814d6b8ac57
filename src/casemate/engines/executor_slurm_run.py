"""Slurm's own programs, each run as one user of the cluster: no shell, a clean environment, bounded in time and bytes.

What they print goes to nobody as it is: a failure is told in sentences of ours, with what to do.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from casemate.engines.executor_slurm_text import failure
from casemate.errors import EngineFailed

__all__ = ["MOST", "Commands", "User", "Worked"]

MOST = 32 << 20  # bytes that a program may print: a line of squeue for each of some 300,000 jobs
_SAID = 4 << 10  # bytes of its complaints that are looked at
_SETPRIV = "/usr/bin/setpriv"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks: a user of the machine, by number. Jobs run as whoever submits them."""

    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> User:
        """The user of that name, or of this process where there is none. KeyError where the machine knows none."""
        if not name:
            return cls(os.geteuid(), os.getegid())
        found = pwd.getpwnam(name)
        return cls(found.pw_uid, found.pw_gid)


@dataclass(frozen=True, slots=True)
class Worked:
    """How a program ended, and what it printed."""

    code: int
    out: str
    said: str


class Commands:
    """`await Commands(...)(user, "squeue", "-h")`. `folder`: where they lie. `conf`: SLURM_CONF, "" for theirs."""

    __slots__ = ("_env", "_folder", "_name", "_seconds")

    def __init__(self, name: str, folder: str, conf: str, seconds: float) -> None:
        self._name, self._folder, self._seconds = name, Path(folder), seconds
        self._env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if conf:
            self._env["SLURM_CONF"] = conf

    async def __call__(self, user: User, program: str, *arguments: str, given: str = "") -> Worked:
        """Whatever its exit code is. Raises EngineFailed where it is not there, too slow or too long."""
        argv = [str(self._folder / program), *arguments]
        if user.uid != os.geteuid():
            if os.geteuid() != 0:
                why = "a region that does not run as root submits for one user alone: name no other in `user`"
                raise EngineFailed(cause="denied", engine=self._name, why=why)
            # uvloop starts programs as nobody but itself
            argv = [_SETPRIV, f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--inh-caps=-all", *argv]
        try:
            process = _begun(argv, given, self._env)
        except OSError:
            why = f"{program} is not in {self._folder}: install Slurm's client, or name its folder in `programs`"
            raise EngineFailed(cause="down", engine=self._name, why=why) from None
        try:
            async with asyncio.timeout(self._seconds):
                return await self._talked(process, program)
        except TimeoutError:
            why = f"{program} took longer than {self._seconds:g} seconds: see whether slurmctld answers (scontrol ping)"
            raise EngineFailed(cause="slow", engine=self._name, why=why) from None
        finally:
            if process.returncode is None:
                process.kill()
                await _ended(process)

    async def told(self, user: User, program: str, *arguments: str, given: str = "") -> str:
        """What it printed. Raises EngineFailed where it ended with anything but 0."""
        worked = await self(user, program, *arguments, given=given)
        if worked.code:
            raise failure(self._name, program, worked.code, worked.said)
        return worked.out

    async def _talked(self, process: subprocess.Popen[bytes], program: str) -> Worked:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as group:
            out = group.create_task(_read(process.stdout, MOST))
            said = group.create_task(_read(process.stderr, _SAID))
        code = await _ended(process)
        printed, complained = out.result(), said.result()
        if printed is None:
            why = f"{program} printed more than {MOST >> 20} MiB: lower MaxJobCount or MinJobAge in slurm.conf"
            raise EngineFailed(cause="broken", engine=self._name, why=why)
        return Worked(code, printed.decode("utf-8", "replace"), (complained or b"").decode("utf-8", "replace"))


def _begun(argv: list[str], given: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """A program of its own session. It is started without a copy of this process (vfork), which the loop's own way of
    starting one makes: a region is large, and such a copy costs more than what the program does. Raises OSError."""
    told = os.memfd_create("given", os.MFD_CLOEXEC) if given else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if given:
            os.write(told, given.encode())
            os.lseek(told, 0, os.SEEK_SET)
        return subprocess.Popen(  # noqa: S603 - Slurm's own programs
            argv, stdin=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env=env, start_new_session=True
        )
    finally:
        os.close(told)


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code, once it has ended."""
    loop, done, held = asyncio.get_running_loop(), asyncio.Event(), os.pidfd_open(process.pid)
    loop.add_reader(held, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(held)
        os.close(held)
    return process.wait()


async def _read(pipe: IO[bytes], most: int) -> bytes | None:
    """Everything to the end; None where that is more. What is beyond is read and dropped, so that nobody waits."""
    stream = asyncio.StreamReader()
    line, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), pipe)
    kept: list[bytes] = []
    size = 0
    try:
        while piece := await stream.read(64 << 10):
            size += len(piece)
            if size <= most:
                kept.append(piece)
    finally:
        line.close()
    return b"".join(kept) if size <= most else None
