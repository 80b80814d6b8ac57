"""A region of its own folder, and jobs asked of it over HTTP with a key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.parts.running import answers, cpu_seconds, free_port, resident_mb, started, until

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
CASEMATE = str(Path(sys.executable).parent / "casemate")
BATCH = 1000
PAUSE = 0.1
ENDS = 90
"""Seconds for one round; what has not ended by then is told as such."""


@dataclass
class Region:
    """`server`: the process that serves and has the loop."""

    port: int
    key: str
    server: int

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The data of an answer; HTTPError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return json.loads(answer.read())["data"]

    def submit(self, spec: dict[str, Any], count: int) -> tuple[float, str]:
        """In batches, each acknowledged once it is durable: wall seconds, and the id of the last."""
        began, last = time.perf_counter(), ""
        for at in range(0, count, BATCH):
            told = self.ask("POST", "/api/jobs", {"jobs": [{"spec": spec}] * min(BATCH, count - at)})
            last = told["jobs"][-1]["id"]
        return time.perf_counter() - began, last

    def run(self, spec: dict[str, Any], count: int) -> dict[str, float]:
        """All of them to their end; SystemExit where one has not succeeded. Per wall second; CPU of the server."""
        cpu, began = cpu_seconds([self.server]), time.perf_counter()
        spent, last = self.submit(spec, count)
        ends = time.monotonic() + ENDS
        # the last one alone is asked for until it has ended: to count all that wait reads all of them
        while self.ask("GET", f"/api/jobs/{last}")["state"] not in ENDED or self.ask("GET", "/api/jobs/top")["states"]:
            if time.monotonic() > ends:
                raise SystemExit(f"not ended within {ENDS} s: {self.ask('GET', '/api/jobs/top')['states']} of {count}")
            time.sleep(PAUSE)
        wall = time.perf_counter() - began
        self._good(count)
        cpu_ms = (cpu_seconds([self.server]) - cpu) / count * 1e3
        return {"submits_per_s": count / spent, "jobs_per_s": count / wall, "server_cpu_ms": cpu_ms}

    def _good(self, count: int) -> None:
        found, after = 0, ""
        while True:
            page = self.ask("GET", f"/api/jobs?limit=1000&state=SUCCEEDED&after={after}")
            found, after = found + len(page["jobs"]), page["after"]
            if not after:
                break
        if found < count:
            raise SystemExit(f"{count - found} jobs have not succeeded")

    def page_ms(self) -> float:
        """The best of some pages of a hundred, each from where the last one ended."""
        after, spent = "", list[float]()
        for _ in range(20):
            began = time.perf_counter()
            after = self.ask("GET", f"/api/jobs?limit=100&after={after}")["after"]
            spent.append((time.perf_counter() - began) * 1e3)
        return sorted(spent)[len(spent) // 2]

    def waited_s(self) -> float:
        """CPU seconds of the programs that the server has started and that have ended."""
        fields = Path(f"/proc/{self.server}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of the server."""
        return resident_mb(self.server)


@contextmanager
def region(settings: str) -> Iterator[Region]:
    """A region with these settings besides those of `casemate init`; it and its folder are gone with the block."""
    with tempfile.TemporaryDirectory(prefix="casemate-jobs-") as place:
        env = {**os.environ, "CASEMATE_FOLDER": f"{place}/casemate", "HOME": place}
        port = free_port()

        def casemate(*words: str) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run([CASEMATE, *words], check=False, env=env, cwd=place, capture_output=True)

        casemate("init", "--port", str(port)).check_returncode()
        told = Path(place, "casemate", "casemate.toml")
        told.write_text(f"{told.read_text()}\n{settings}\n")
        with started([CASEMATE, "up"], env, Path(place, "up.log")) as up:
            until(lambda: answers(port), 90, "the region")
            until(lambda: casemate("key", "issue", "--json").returncode == 0, 90, "the region's socket")
            key = json.loads(casemate("key", "issue", "--json").stdout)["data"]["secret"]
            yield Region(port, key, _child(up.pid))


def _child(parent: int) -> int:
    """The one process that a region which is not split has besides its supervisor."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                role = b"\0all\0" in (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if above == parent and role:
                return int(entry.name)
    raise SystemExit("the region's process is not there")
