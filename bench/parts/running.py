"""Processes under measurement: started, waited for, their CPU time read from /proc, and ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes have used so far, all their threads included."""
    total = 0.0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
    return total


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as tried:
        tried.settimeout(0.5)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def until(found: Any, seconds: float, what: str) -> None:
    """Wait for something to become true; SystemExit where it does not."""
    ends = time.monotonic() + seconds
    while not found():
        if time.monotonic() > ends:
            raise SystemExit(f"{what} did not come within {seconds:g} s")
        time.sleep(0.02)


@contextmanager
def started(
    command: list[str], env: dict[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended with the block."""
    out = log.open("wb") if log else subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if log:
            out.close()  # type: ignore[union-attr]


@contextmanager
def stub(speed: float = 0.0) -> Iterator[int]:
    """The stub upstream; its port."""
    port = free_port()
    with started([sys.executable, "-m", "bench.parts.stub", str(port), str(speed)]):
        until(lambda: answers(port), 20, "the stub")
        yield port


def load(port: int, path: str, key: str, body: dict[str, Any], requests: int, connections: int) -> dict[str, Any]:
    """Send a load from a process of its own; what it saw. SystemExit where anything but 200 came."""
    asked = {
        "port": port,
        "path": path,
        "headers": {"authorization": f"Bearer {key}"},
        "body": body,
        "requests": requests,
        "connections": connections,
    }
    told = subprocess.run(
        [sys.executable, "-m", "bench.parts.load", json.dumps(asked)], cwd=ROOT, capture_output=True, check=True
    )
    seen: dict[str, Any] = json.loads(told.stdout)
    if seen["wrong"]:
        raise SystemExit(f"{path}: {seen['wrong']}")
    return seen
