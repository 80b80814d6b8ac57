"""Attempts for the tests of the shim, the scratch and the process engine: a folder, an order, and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from casemate.engines.job_order import shim
from casemate.engines.job_scratch import JobScratch
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources

DOMAIN = "dom"
LEVELS = ["L1", pytest.param("L2", marks=pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap"))]


class Attempt:
    """One attempt below a scratch folder. `change` is given the order as it was written."""

    def __init__(self, root: Path, command, level="L1", env=None, mounts=(), change=None, fill=(), **more) -> None:
        self.scratch = JobScratch(root)
        self.token = more.pop("token", secrets.token_hex(16))
        grace = more.pop("grace_s", 5.0)
        service = more.pop("service", False)
        resources = Resources(**{"memory_mb": 256, "wall_s": 600, **more})
        folder = asyncio.run(self.scratch.make(DOMAIN, self.token))
        self.path = Path(folder.path)
        words = ("/bin/sh", "-c", command) if isinstance(command, str) else tuple(command)
        self.order = Order(
            self.token, 1, DOMAIN, folder.path, words, env or {}, resources, level, tuple(mounts), "", grace, service
        )
        for name, data in fill:
            asyncio.run(self.scratch.fill(folder, name, data))
        asyncio.run(self.scratch.order(folder, self.order))
        if change is not None:
            order = json.loads((self.path / "order.json").read_bytes())
            change(order)
            (self.path / "order.json").write_text(json.dumps(order))
        self.process = None

    def start(self, **more):
        self.process = subprocess.Popen(
            [*shim(), str(self.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **more,
        )
        return self

    def run(self):
        """The shim's exit code, once it has ended."""
        return self.start().process.wait(120)

    def record(self):
        return json.loads((self.path / "exit.json").read_bytes())

    def collected(self):
        return asyncio.run(self.scratch.collected(DOMAIN, self.token))

    def log(self, name="out"):
        return (self.path / "log" / name).read_bytes()

    def out(self, name):
        return self.path / "out" / name

    def claim(self):
        return json.loads((self.path / "claim").read_bytes())


def until(true, seconds=60):
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def marked(mark: str) -> list[int]:
    """The processes of this machine whose command line holds the mark."""
    found = []
    for name in (path.name for path in Path("/proc").iterdir()):
        if name.isdigit() and int(name) != os.getpid():
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                state = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()[0]
            except OSError:
                continue
            if mark.encode() in words and state not in (b"Z", b"X"):
                found.append(int(name))
    return found
