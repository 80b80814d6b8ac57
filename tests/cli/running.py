"""A region as a stranger runs it: real commands in real processes, with a home folder that nothing may write to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASEMATE = (sys.executable, "-m", "casemate.cli")
SETTINGS = '\n[knowledge]\nembedder = "none"\n'
PATIENCE = 60.0


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        [line] = self.out.splitlines()
        return json.loads(line)

    @property
    def data(self) -> Any:
        assert self.code == 0, self
        return self.json["data"]


@dataclass
class Place:
    """A folder for a region, and the environment of whoever uses it."""

    path: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def region(self) -> Path:
        return self.path / "casemate"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("COV_", "COVERAGE_"))}
        found = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "en_GB.UTF-8", "TMPDIR": str(self.path)}
        return {**found, **kept, **self.env}

    def run(self, *words: str | Path, stdin: str = "", **env: str) -> Ran:
        """One command, to its end."""
        done = subprocess.run(
            [*CASEMATE, *map(str, words)],
            cwd=self.path,
            env={**self.environment, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def init(self, *words: str, processes: str = "all") -> Place:
        """A region on any free port, without an embedder."""
        assert self.run("init", "--port", "0", *words).code == 0
        self.set("port = 0", f'port = 0\nprocesses = "{processes}"')
        settings = self.region / "casemate.toml"
        settings.write_text(settings.read_text() + SETTINGS)
        return self

    def set(self, old: str, new: str) -> None:
        settings = self.region / "casemate.toml"
        text = settings.read_text()
        assert old in text
        settings.write_text(text.replace(old, new))


@dataclass
class Up:
    """A region that runs: its supervisor, and what it printed when it was ready."""

    place: Place
    process: subprocess.Popen[str]
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def console(self) -> str:
        return str(self.told["console"])

    @property
    def wires(self) -> str:
        return str(self.told["wires"])

    def run(self, *words: str | Path, **more: str) -> Ran:
        return self.place.run(*words, **more)

    def children(self) -> dict[str, int]:
        """Role -> process id, as the kernel lists the supervisor's children."""
        found: dict[str, int] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except (OSError, IndexError):
                continue
            if int(parent) == self.process.pid and b"casemate.wiring.process" in words:
                found[words[words.index(b"casemate.wiring.process") + 2].decode()] = int(folder.name)
        return found

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it as somebody at the keyboard would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def start(place: Place, **env: str) -> Up:
    """`casemate up --json`, and the first line that it prints."""
    process = subprocess.Popen(
        [*CASEMATE, "up", "--json"],
        cwd=place.path,
        env={**place.environment, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    up = Up(place, process)
    if line:
        up.told = json.loads(line)["data"]
    else:
        process.wait(PATIENCE)
    return up


@contextmanager
def running(place: Place, **env: str) -> Iterator[Up]:
    """A region, for the length of a block."""
    up = start(place, **env)
    try:
        assert up.told, up.process.stderr.read() if up.process.stderr else ""
        yield up
    finally:
        up.stop()
        for stream in (up.process.stdout, up.process.stderr):
            if stream is not None:
                stream.close()


def gone(pid: int) -> bool:
    """Whether nothing runs under that number any more; a zombie does not run."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(true: Any, seconds: float = PATIENCE) -> None:
    """Wait for something that will come about by itself."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)
