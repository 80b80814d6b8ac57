"""Attempts as processes of this machine: the engine that every region has.

    submit   fork a shim from the domain's warm server, or start one; it leads a session of its own
    poll     the folder's claim, and the process that wrote it: no table that could be lost
    cancel   the folder's stop, SIGTERM to the shim, and SIGKILL to what still stands after the grace

A native id is the token. Nothing here is the parent of a job that must survive: the region may end and come back, and
finds what runs by its claim. What must never happen: a signal to a process that is not the claim's (ids are given
again, so the time at which it began and the machine's start are compared), or two shims of one folder running a job.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from casemate.access import Ceiling, Threads
from casemate.engines.executor_process_pool import Pools
from casemate.engines.executor_process_probe import interpreter, reached, reached_here
from casemate.engines.job_folder import Claim, claimed, collected, folder_at, lives, opened, started, written
from casemate.engines.job_order import shim
from casemate.errors import EngineFailed
from casemate.jobs.executor import Capabilities, Order, Polled

__all__ = ["ProcessExecutor"]

_LATE = 5.0  # seconds beyond its grace before a shim itself is killed
_STEP = 0.1  # seconds between two looks at a process that is to end


class ProcessExecutor:
    """Implements `jobs.executor.Executor`. `root`: the scratch folder, as `JobScratch` has it.

    `slots`: attempts at once for each domain, 0 for the machine's processors. `warm`: whether shims are forked from a
    warm server, which is faster, or each started by itself.
    """

    def __init__(
        self,
        name: str,
        ceiling: Ceiling,
        root: Path,
        *,
        threads: Threads | None = None,
        slots: int = 0,
        warm: bool = True,
        command: Sequence[str] | None = None,
    ) -> None:
        self._name, self._ceiling, self._root = name, ceiling, root.absolute()
        self._threads = threads or Threads()
        self._slots = slots or len(os.sched_getaffinity(0))
        self._command = tuple(command or shim())
        self._pools = Pools((*self._command, "--pool"), name) if warm else None
        self._begun: dict[tuple[str, str], tuple[int, int]] = {}  # shims that have not claimed yet, as far as we know
        self._ours: list[subprocess.Popen[bytes]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._levels: tuple[str, ...] | None = None
        self._facts: dict[str, str] = {}
        self._python: str | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def ceiling(self) -> Ceiling:
        return self._ceiling

    async def capabilities(self) -> Capabilities:
        """The levels are tried out once, by running something at each."""
        if self._levels is None:
            ours = self._command == shim()
            found = await asyncio.to_thread(reached_here if ours else partial(reached, self._command))
            self._levels, self._facts = found.levels, dict(found.facts)
        return Capabilities(
            nodes=1, slots=self._slots, levels=self._levels, mpi=True, services=True, facts=dict(self._facts)
        )

    async def python(self) -> str:
        """Which one a job finds, as `jobs.wheels` reads it; "" where there is none. Looked for once."""
        if self._python is None:
            self._python = await asyncio.to_thread(interpreter)
        return self._python

    async def submit(self, order: Order) -> str:
        key = (order.domain, order.token)
        if order.level not in ("L1", "L2"):
            raise EngineFailed("rejected", engine=self._name, why=f"it does not reach {order.level}")
        if not self._coming(*key):  # where a shim has claimed it already, the one that is forked now ends with 75
            if self._pools is not None:
                self._begun[key] = await self._pools.fork(order.domain, order.folder)
            else:
                self._begun[key] = self._start(order.folder)
        return order.token

    def _start(self, folder: str) -> tuple[int, int]:
        self._ours = [one for one in self._ours if one.poll() is None]  # those that ended are buried
        try:
            child = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command, folder],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError:
            raise EngineFailed("down", engine=self._name, why="no process can be started") from None
        self._ours.append(child)
        return child.pid, started(child.pid)

    def _coming(self, domain: str, token: str) -> bool:
        """Whether a shim that we have started for this attempt still lives."""
        pid, start = self._begun.get((domain, token), (0, 0))
        if pid and start and started(pid) == start:
            return True
        self._begun.pop((domain, token), None)
        return False

    def _claim(self, domain: str, token: str) -> Claim | None:
        with ExitStack() as held:
            try:
                top = held.enter_context(opened(os.fspath(self._root)))
                return claimed(held.enter_context(folder_at(top, f"{domain}/{token}")))
            except (FileNotFoundError, NotADirectoryError):
                return None

    async def find(self, domain: str, token: str) -> Sequence[str]:
        claim = await self._threads.run(domain, self._claim, domain, token)
        if claim is not None and claim.fenced:
            return ()
        return (token,) if claim is not None or self._coming(domain, token) else ()

    async def poll(self, domain: str, natives: Sequence[str]) -> Mapping[str, Polled]:
        return await self._threads.run(domain, self._polled, domain, tuple(natives))

    def _polled(self, domain: str, natives: Sequence[str]) -> dict[str, Polled]:
        found: dict[str, Polled] = {}
        node = os.uname().nodename
        with ExitStack() as held:
            try:
                kind = held.enter_context(opened(f"{self._root}/{domain}"))
            except FileNotFoundError:
                return found
            for native in natives:
                try:
                    with folder_at(kind, native) as folder:
                        claim, told = claimed(folder), collected(folder, native)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                if told.recorded:
                    self._begun.pop((domain, native), None)
                    found[native] = Polled("ended", told.node, told.reason, native, told)
                elif claim is not None and not claim.fenced:
                    found[native] = Polled("running" if told.alive else "ended", node, "", native, told)
                elif claim is None and self._coming(domain, native):
                    found[native] = Polled("waiting", node, "", native)
        return found

    async def cancel(self, domain: str, native: str, grace_s: float) -> None:
        """Returns once it has been asked; what does not end by itself is ended while others go on."""
        if await self._threads.run(domain, self._asked, domain, native, grace_s):
            task = asyncio.create_task(self._ended(domain, native, grace_s))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _asked(self, domain: str, token: str, grace_s: float) -> bool:
        """The stop is in the folder, and the shim wakes up to it. False where nothing runs."""
        with ExitStack() as held:
            try:
                top = held.enter_context(opened(os.fspath(self._root)))
                folder = held.enter_context(folder_at(top, f"{domain}/{token}"))
            except (FileNotFoundError, NotADirectoryError):
                return False
            if collected(folder, token).recorded:
                return False
            try:
                written(folder, "stop", b'{"reason": "cancel", "grace_s": %f}' % max(grace_s, 0.0))
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise  # on a full disk the signal alone has to do
        return self._signal(domain, token, signal.SIGTERM) or self._coming(domain, token)

    def _signal(self, domain: str, token: str, number: signal.Signals) -> bool:
        """To the shim that claimed it, held by a descriptor so that it is no other; False where it is gone."""
        claim = self._claim(domain, token)
        if claim is None or claim.node != os.uname().nodename or not lives(claim):
            return False
        try:
            held = os.pidfd_open(claim.pid)
        except OSError:
            return False
        try:
            if not lives(claim):
                return False
            signal.pidfd_send_signal(held, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(held)
        return True

    async def _ended(self, domain: str, token: str, grace_s: float) -> None:
        """The shim ends its job after the grace; one that does not (it was stopped) is ended, and the job with it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + max(grace_s, 0.0) + _LATE
        while loop.time() < until:
            told = await self.poll(domain, (token,))
            if token not in told or told[token].state not in ("waiting", "running"):
                return
            await asyncio.sleep(_STEP)
        await self._threads.run(domain, self._signal, domain, token, signal.SIGKILL)

    async def close(self) -> None:
        for task in tuple(self._ending):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._pools is not None:
            self._pools.close()
