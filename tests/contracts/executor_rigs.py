"""Engines that run attempts, each opened in the same way with its scratch, and attempts to try them with."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import casemate
from casemate.access import Ceiling
from casemate.engines.executor_process import ProcessExecutor
from casemate.engines.executor_ray import RayExecutor
from casemate.engines.executor_slurm import Lane, SlurmExecutor
from casemate.engines.job_order import shim
from casemate.engines.job_scratch import JobScratch
from casemate.engines.job_scratch_owned import OwnedScratch
from casemate.engines.remote import Upstream
from casemate.jobs.executor import Collected, Executor, Order
from casemate.jobs.job import Resources
from casemate.labels import Label
from tests.engines import ray_server, slurm_server

LOW, HIGH = "class_low", "class_high"


def ceiling() -> Ceiling:
    """What may be lent: no engine asks."""
    return Ceiling("tests", Label.__new__(Label))


@dataclass
class Rig:
    """An engine that can be made again and again: a region that was started again has a new object of it.

    `fills`: processors of attempts that leave no room for another one of the low domain; none where nothing waits.
    """

    name: str
    scratch: JobScratch
    make: Callable[[], Executor]
    fills: tuple[int, ...] = ()
    shim: tuple[str, ...] = ()
    made: list[Executor] = field(default_factory=list)

    def engine(self) -> Executor:
        found = self.make()
        self.made.append(found)
        return found

    async def close(self) -> None:
        for one in self.made:
            await one.close()
        self.made.clear()

    async def order(self, command: str, domain: str = LOW, token: str = "", **more: Any) -> Order:
        """An attempt whose folder is there: a line of sh, which writes to `../out`."""
        token = token or secrets.token_hex(16)
        more = {"resources": Resources(memory_mb=64, wall_s=600), "level": "L1", "grace_s": 2.0, **more}
        folder = await self.scratch.make(domain, token)
        found = Order(token, 1, domain, folder.path, ("/bin/sh", "-c", command), {}, **more)
        await self.scratch.order(folder, found)
        return found

    def out(self, order: Order, name: str = "effect") -> str:
        """What it has written there so far."""
        found = Path(order.folder, "out", name)
        return found.read_text() if found.exists() else ""

    def log(self, order: Order) -> tuple[str, str]:
        """Standard output and standard error."""
        at = Path(order.folder, "log")
        # a file of the log is made with its first byte
        out, err = ((at / name).read_text() if (at / name).exists() else "" for name in ("out", "err"))
        return out, err

    async def told(self, order: Order) -> Collected:
        return await self.scratch.collected(order.domain, order.token)

    async def recorded(self, order: Order) -> Collected:
        """What it tells once it has ended."""

        async def so() -> bool:
            return (await self.told(order)).recorded

        await until(so)
        return await self.told(order)

    def release(self, order: Order) -> None:
        """Let what waits for it go on."""
        Path(order.folder, "out", "go").touch()


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 90) -> None:
    """Engines tell nothing by themselves: ask until it is so."""
    async with asyncio.timeout(seconds):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


def everybodys(folder: Path) -> tuple[str, ...]:
    """The shim's command, where every user of the machine may run it."""
    own, to = Path(casemate.__file__).parent, folder / "casemate"
    shutil.copytree(own / "cells" / "shim", to / "cells" / "shim")
    for name in ("__init__.py", "cells/__init__.py"):
        shutil.copy(own / name, to / name)
    python = Path(sys.executable).resolve()
    if not all(at.stat().st_mode & 1 for at in (python, *python.parents)):
        python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("no Python that other users may run: apt-get install python3")
    return shim(str(python), str(to))


def slurm_rig(folder: Path) -> Rig:
    cluster = slurm_server.shared()
    lanes = {LOW: Lane(slurm_server.LOW, "batch"), HIGH: Lane(slurm_server.HIGH)}
    scratch = OwnedScratch(folder / "jobs", {domain: lane.user for domain, lane in lanes.items()})
    command = everybodys(folder)
    full = (slurm_server.CORES,) * len(slurm_server.NODES)
    return Rig(
        "slurm", scratch, lambda: SlurmExecutor("hpc", ceiling(), lanes, command, conf=cluster.conf), full, command
    )


def ray_rig(folder: Path) -> Rig:
    low, high = ray_server.shared()
    clusters = {
        LOW: Upstream(low.url, "ray", key_file=low.key_file),
        HIGH: Upstream(high.url, "ray", key_file=high.key_file),
    }
    scratch = JobScratch(folder / "jobs")
    return Rig("ray", scratch, lambda: RayExecutor("rays", ceiling(), clusters, shim()), (ray_server.CPUS,))


def process_rig(folder: Path, warm: bool = True) -> Rig:
    root = folder / "jobs"
    return Rig("process", JobScratch(root), lambda: ProcessExecutor("here", ceiling(), root, warm=warm))


RIGS = {"process": process_rig, "process-cold": partial(process_rig, warm=False), "slurm": slurm_rig, "ray": ray_rig}


@contextmanager
def opened(name: str) -> Iterator[Rig]:
    """A folder that the users of label domains may walk through, and the engine on it."""
    folder = Path(tempfile.mkdtemp(prefix="casemate-jobs-"))
    folder.chmod(0o755)
    try:
        yield RIGS[name](folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
