"""What an attempt's shim costs that is started by itself, and what planning a hundred thousand jobs takes."""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from casemate.engines.job_order import shim
from casemate.engines.job_scratch import JobScratch
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources
from casemate.jobs.plan import Node, Waiting, plan

DOMAIN = "bench"


def shim_cpu_ms(rounds: int = 30) -> dict[str, float]:
    """CPU of a shim from its start as a program to its end with a trivial job at L1, less that of the job itself."""
    whole, bare = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as place:
        for folder in asyncio.run(_staged(Path(place), rounds)):
            whole.append(_spent([*shim(), folder]))
            bare.append(_spent(["/bin/true"]))
    return {"shim_cpu_ms": statistics.median(whole) - statistics.median(bare)}


async def _staged(place: Path, count: int) -> list[str]:
    scratch, found = JobScratch(place / "jobs", here=True), list[str]()
    for _ in range(count):
        token = secrets.token_hex(16)
        folder = await scratch.make(DOMAIN, token)
        asked = Resources(wall_s=60, memory_mb=512, disk_mb=16)
        await scratch.order(folder, Order(token, 1, DOMAIN, folder.path, ("/bin/true",), {}, asked, "L1", ()))
        found.append(folder.path)
    return found


def _spent(command: list[str]) -> float:
    """CPU milliseconds of a process and of what it waited for."""
    child = subprocess.Popen(
        command, cwd="/", env={"PATH": os.defpath}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise SystemExit(f"the shim ended with {status}")
    return (used.ru_utime + used.ru_stime) * 1e3


def plan_100k_ms(rounds: int = 5) -> float:
    """A hundred thousand waiting jobs of fifty owners and five sizes, over a hundred nodes; the best of some rounds."""
    nodes = [Node(f"n{at:03}", DOMAIN, 32, 128_000, 0, "") for at in range(100)]
    sizes = (1, 2, 4, 16, 32)
    waiting = [
        Waiting(f"j{at:06}", f"o{at * 7919 % 50}", at, at % 3, cpus=sizes[at % 5], memory_mb=512 * (1 + at % 4))
        for at in range(100_000)
    ]
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        plan(DOMAIN, waiting, [], nodes)
        spent.append((time.process_time() - began) * 1e3)
    return min(spent)


if __name__ == "__main__":
    print(shim_cpu_ms(), plan_100k_ms(), file=sys.stderr)
