"""A job that tries to get out, beside what it could get at: how it is built, run at a level, and what got through.

The scene is the worst that is allowed: where the region is an ordinary user, the neighbour and the files are that
user's own. `without` leaves one wall out: of the order where it stands there, else in `unguarded`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Self

import msgspec
import pytest

from casemate.engines.job_order import told
from casemate.engines.sandbox import bpf
from casemate.engines.sandbox.machine import MACHINES
from casemate.engines.sandbox.places import PACKAGE
from casemate.jobs.executor import Order
from casemate.jobs.job import Resources

SRC = PACKAGE.parent
PYTHON = "/usr/bin/python3"
USER, JOB = 54321, 1_999_999_999
MIB = 1 << 20
MEMORY, DISK, PROCESSES = 256, 24, 24

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
needs_python = pytest.mark.skipif(not os.access(PYTHON, os.X_OK), reason=f"there is no {PYTHON} for the job to run")
WHO = ["root", "user"] if os.geteuid() == 0 else ["user"]
"""Tests that root runs try both; an ordinary user cannot become root."""


def as_user(words, who):
    """The words, run by an ordinary user where the tests are root's and that is asked for."""
    if who == "user" and os.geteuid() == 0:
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]
    return list(words)


class Scene:
    """A region's folder with a secret, a neighbour, sockets of the machine, and one attempt that tries everything."""

    def __init__(self, folder: Path, who: str) -> None:
        self.who = who
        self.owner = USER if who == "user" and os.geteuid() == 0 else os.geteuid()
        self.region = folder / "region"
        self.attempt = self.region / "run" / "jobs" / "dom" / secrets.token_hex(16)
        self.sibling = self.attempt.with_name(secrets.token_hex(16))
        self.stack = contextlib.ExitStack()
        self.key = secrets.randbelow(1 << 30) + 2
        for path in (self.attempt, self.sibling):
            for room in ("in", "out", "work", "log"):
                (path / room).mkdir(parents=True)
        (self.sibling / "in" / "x").write_text("another's")
        (self.region / "keys").mkdir()
        (self.region / "keys" / "key").write_text("the region's key")
        _shim_below(self.attempt / "in" / "p")
        # A user of the machine may be unable to enter the checkout: what he starts stands where he can.
        self.tools = folder / "tools"
        _shim_below(self.tools)
        shutil.copy(Path(__file__).with_name("unguarded.py"), self.tools)
        for top, folders, files in os.walk(self.region):
            for name in (*folders, *files, "."):
                os.chown(Path(top) / name, self.owner, self.owner)
        self.region.chmod(0o700)

    def __enter__(self) -> Self:
        self.tcp = self._listening(socket.AF_INET, ("127.0.0.1", 0))
        self.abstract = f"casemate-{secrets.token_hex(8)}"
        self._listening(socket.AF_UNIX, "\0" + self.abstract)
        self.path = str(self.region / "sock")
        self._listening(socket.AF_UNIX, self.path)
        os.chown(self.path, self.owner, self.owner)
        self.udp = self._answering()
        self.neighbour = subprocess.Popen(
            as_user([PYTHON, "-c", _NEIGHBOUR, "casemate-probe-neighbour"], self.who),
            stdout=subprocess.PIPE,
            env={"SECRET": "of the neighbour"},
        )
        assert self.neighbour.stdout.readline() == b"ready\n"
        self.stack.callback(self._end_neighbour)
        self._shared()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def _end_neighbour(self) -> None:
        self.neighbour.kill()
        self.neighbour.wait()
        self.neighbour.stdout.close()

    def _listening(self, family: int, address: object) -> socket.socket:
        door = self.stack.enter_context(socket.socket(family))
        door.bind(address)
        door.listen(8)
        return door

    def _answering(self) -> int:
        door = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]

        def answer() -> None:
            while True:
                data, where = door.recvfrom(8)
                if data == b"end":
                    return
                door.sendto(b"!", where)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()

        def end() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", ("127.0.0.1", port))
            thread.join()

        self.stack.callback(end)
        return port

    def _shared(self) -> None:
        """Shared memory, a queue and a lock under one number, which everybody may use."""
        libc = ctypes.CDLL(None, use_errno=True)
        memory = libc.shmget(self.key, 4096, 0o1666)
        queue = libc.msgget(self.key, 0o1666)
        lock = libc.semget(self.key, 1, 0o1666)
        assert min(memory, queue, lock) >= 0
        self.stack.callback(libc.shmctl, memory, 0, None)
        self.stack.callback(libc.msgctl, queue, 0, None)
        self.stack.callback(libc.semctl, lock, 0, 0)

    def facts(self, level: str) -> list[str]:
        """What the probe is told: of folders, where they are for it."""
        given = "/in" if level == "L2" else str(self.attempt / "in")
        facts = {
            "secret": self.region / "keys" / "key",
            "secrets": self.region / "keys",
            "elsewhere": tempfile.gettempdir() if level == "L1" else "/var/tmp",
            "sibling": self.sibling / "in" / "x",
            "order": self.attempt / "order.json",
            "input": given,
            "system": "/usr/local",
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp,
            "abstract": self.abstract,
            "socket": self.path,
            "neighbour": self.neighbour.pid,
            "processes": PROCESSES + 8,
            "memory": 2 * MEMORY * MIB,
            "tmp": (DISK + 8) * MIB,
            "shm": 96 * MIB,
            "length": (DISK + 8) * MIB,
            "files": 5000,
            "key": self.key,
            "variable": "TOPSECRET",
        }
        return [f"{name}={value}" for name, value in facts.items()]

    def run(self, level, guard="", command=(), uid=JOB, change=lambda _: None):
        """What got out, and the record. `command`: another than the probe; `change` is given the order."""
        given = "/in" if level == "L2" and guard != "private files" else str(self.attempt / "in")
        probe = (PYTHON, "-I", "-S", "-E", f"{given}/p/casemate/cells/shim/__main__.py", "--probe", *self.facts(level))
        resources = Resources(processes=PROCESSES, disk_mb=DISK, memory_mb=MEMORY, wall_s=120)
        folder = str(self.attempt)
        order = Order(self.attempt.name, 1, "dom", folder, command or probe, {}, resources, level, grace_s=0)
        path = self.attempt / "order.json"
        ordered = without(told(order, uid if self.who == "root" else None), guard)
        change(ordered)
        path.write_bytes(msgspec.json.encode(ordered))
        os.chown(path, self.owner, self.owner)
        shim = [PYTHON, "-I", "-S", "-E", str(self.tools / "unguarded.py"), str(self.tools), guard]
        done = subprocess.run(
            as_user([*shim, folder], self.who),
            cwd="/",
            env={"PATH": os.defpath, "TOPSECRET": "x"},
            capture_output=True,
            timeout=120,
            check=False,
        )
        record, log = self.attempt / "exit.json", self.attempt / "log" / "out"
        assert record.exists(), (done.returncode, done.stderr)
        said = log.read_bytes() if log.exists() and not command else b""
        return (json.loads(said) if said else {}), json.loads(record.read_bytes())


def _shim_below(folder: Path) -> None:
    """The shim's package, with nothing else of ours."""
    package = folder / "casemate"
    shutil.copytree(SRC / "casemate/cells/shim", package / "cells/shim", ignore=shutil.ignore_patterns("*.pyc"))
    (package / "__init__.py").touch()
    (package / "cells" / "__init__.py").touch()


def without(order, guard):
    """The order with one of its walls left out."""
    if guard in ("filter", "landlock and filter"):
        order["seccomp"] = {
            name: bpf.assemble(machine.audit, 0, [], bpf.ALLOW).hex() for name, machine in MACHINES.items()
        }
    elif guard == "groups and limits":
        order["groups"] = {}
        order["limits"] = {}
    elif guard == "sizes in memory":
        order["disk_mb"] = 512
        order["groups"] = {}
        order["limits"] = {}
    return order


_NEIGHBOUR = """
import signal, sys
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""

if sys.platform != "linux":
    raise ImportError("Linux alone")
