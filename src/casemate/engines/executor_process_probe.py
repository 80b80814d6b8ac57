"""Which levels of isolation this machine reaches: tried out by running a job at each, and never assumed.

A level counts where the shim ran a program at it, and the program tried every way out of `cells/shim/probe.py` that
can be tried without a load on the machine, and none led out. The tests try the others too, and show for each wall what
leads out where it is missing. What was found holds until this process ends: a machine's kernel does not change.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from casemate.engines.job_order import shim
from casemate.engines.job_scratch import JobScratch
from casemate.engines.sandbox.places import PACKAGE
from casemate.jobs.executor import Collected, Mount, Order
from casemate.jobs.job import Resources

__all__ = ["Reached", "interpreter", "reached", "reached_here"]

_PATIENCE = 60.0
_LEVELS: tuple[Literal["L1", "L2"], ...] = ("L1", "L2")
_PYTHON = "/usr/bin/python3"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # that of a job
_DOMAIN = "probe"
_NEIGHBOUR = ("/bin/sh", "-c", "read wait", "casemate-probe-neighbour")


@dataclass(frozen=True, slots=True)
class Reached:
    """`levels` in order. `facts`: why a level is not reached; `bubblewrap`: its path, "" where it is not there.

    `ways`: how many ways out were tried; 0 where there is no Python that a job can see, and only running was tried.
    """

    levels: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    ways: int = 0


@cache
def reached_here() -> Reached:
    """Of this machine and this installation. The first call takes as long as starting some programs."""
    return reached(shim())


def reached(command: Sequence[str]) -> Reached:
    """`command`: the shim's."""
    facts = {"bubblewrap": shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin") or ""}
    levels, ways = [], 0
    with tempfile.TemporaryDirectory(prefix="casemate-levels-", ignore_cleanup_errors=True) as folder:
        for level in _LEVELS:
            why, tried = _tried(Path(folder), level, command)
            ways = max(ways, tried)
            if why:
                facts[level] = why
            else:
                levels.append(level)
    return Reached(tuple(levels), facts, ways)


def interpreter() -> str:
    """What `python3` is to a job of this machine: version, machine and glibc; "" where none answers."""
    asks = "import os, platform as p; print(p.python_version().rpartition('.')[0], p.machine(), p.libc_ver()[1])"
    try:
        worked = subprocess.run(  # noqa: S603 - our own words
            ["python3", "-I", "-S", "-c", asks],  # noqa: S607 - it is looked for where a job looks for it
            env={"PATH": _PATH},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return worked.stdout.decode("ascii", "replace").strip() if worked.returncode == 0 else ""


def _tried(folder: Path, level: Literal["L1", "L2"], command: Sequence[str]) -> tuple[str, int]:
    """Why the level is not reached, "" where it is; how many ways out were tried."""
    secret = folder / "secret"
    secret.write_text("secret")
    neighbour = subprocess.Popen(_NEIGHBOUR, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        facts = {"secret": secret, "secrets": folder, "elsewhere": folder, "neighbour": neighbour.pid, "system": "/usr"}
        given = [f"{name}={value}" for name, value in facts.items()]
        with ThreadPoolExecutor(1) as beside:  # whoever asks may be running a loop already
            told, said = beside.submit(lambda: asyncio.run(_ran(folder, level, command, given))).result()
    finally:
        neighbour.communicate()
    if not told.recorded:
        return "no record was written", 0
    if told.exit != 0:
        return f"{told.reason or 'exit'} {told.exit}", 0
    if said == b"held\n":
        return "", 0
    try:
        found = msgspec.json.decode(said, type=dict[str, bool])
    except msgspec.DecodeError:
        return "the probe said nothing that can be read", 0
    return ", ".join(way for way, out in found.items() if out), len(found)


async def _ran(
    folder: Path, level: Literal["L1", "L2"], command: Sequence[str], facts: list[str]
) -> tuple[Collected, bytes]:
    scratch = JobScratch(folder / "jobs")
    token = secrets.token_hex(16)
    made = await scratch.make(_DOMAIN, token)
    given = "/in" if level == "L2" else made.inputs
    words: tuple[str, ...] = ("/bin/sh", "-c", "echo held")
    if os.access(_PYTHON, os.X_OK):
        words = (_PYTHON, "-I", "-S", "-E", f"{given}/casemate/cells/shim/__main__.py", "--probe", *facts)
    size = Resources(wall_s=int(_PATIENCE), memory_mb=1024, disk_mb=16)
    package = Mount(str(PACKAGE), "/in/casemate")
    await scratch.order(made, Order(token, 1, _DOMAIN, made.path, words, {}, size, level, (package,), grace_s=0.0))
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
    return await scratch.collected(_DOMAIN, token), await scratch.read(_DOMAIN, token, "log", "out", 0, 1 << 16)
