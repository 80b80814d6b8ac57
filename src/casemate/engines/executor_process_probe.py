"""Which levels of isolation this machine reaches: tried out by running a job at each, and never assumed.

A level counts where the shim ran a program at it and the program, trying to get out, did not. What is tried is in
`cells/shim/probe.py`; the tests try more, and show for each wall what gets through where it is missing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from casemate.engines.job_scratch import JobScratch
from casemate.jobs.executor import Collected, Order
from casemate.jobs.job import Resources

__all__ = ["Reached", "reached"]

_PATIENCE = 60.0
_LEVELS: tuple[Literal["L1", "L2"], ...] = ("L1", "L2")


@dataclass(frozen=True, slots=True)
class Reached:
    """`levels` in order. `facts`: why a level is not reached; `bubblewrap`: its path, "" where it is not there."""

    levels: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


async def reached(command: Sequence[str]) -> Reached:
    """`command`: the shim's. Takes as long as starting two programs."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="casemate-levels-"))
    facts = {"bubblewrap": shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin") or ""}
    levels = []
    try:
        scratch = JobScratch(folder / "jobs")
        for level in _LEVELS:
            why = await _tried(scratch, level, command)
            if why:
                facts[level] = why
            else:
                levels.append(level)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return Reached(tuple(levels), facts)


async def _tried(scratch: JobScratch, level: Literal["L1", "L2"], command: Sequence[str]) -> str:
    """Why the level is not reached; "" where it is."""
    token = secrets.token_hex(16)
    made = await scratch.make("probe", token)
    order = Order(
        token,
        1,
        "probe",
        made.path,
        ("/bin/sh", "-c", "echo held"),
        {},
        Resources(wall_s=30, memory_mb=1024, disk_mb=16),
        level,
        grace_s=0.0,
    )
    await scratch.order(made, order)
    process = await asyncio.create_subprocess_exec(
        *command,
        made.path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return "nothing came back in time"
    told = await scratch.collected("probe", token)
    said = await scratch.read("probe", token, "log", "out", 0, 64)
    return _why(told, said)


def _why(told: Collected, said: bytes) -> str:
    if not told.recorded:
        return "no record was written"
    if told.exit == 0 and said == b"held\n":
        return ""
    return f"{told.reason or 'exit'} {told.exit}"
