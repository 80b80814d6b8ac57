"""A region of the demonstration: its processes in a network namespace of their own, where the machine allows one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casemate.cli.client import Client, local
from tests.cli.running import CASEMATE, PATIENCE, Place, Ran

__all__ = ["Staged", "alone", "staged"]

UP = ("sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def alone() -> tuple[str, ...]:
    """The way into a namespace without any link; () where none is allowed here."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for words in (("unshare", "-n"), ("unshare", "-c", "-n")):
        if shutil.which("ip") is None or shutil.which("unshare") is None:
            break
        if subprocess.run([*words, *UP, "true"], capture_output=True, check=False).returncode == 0:
            return words
    return ()


@dataclass
class Staged:
    """A region that runs. `inside`: what stands before a command that is to run beside it."""

    name: str
    place: Place
    process: subprocess.Popen[str]
    wires: str
    console: str
    inside: tuple[str, ...]
    floor: str = ""
    ceiling: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str | Path, stdin: str = "") -> Ran:
        """A command of its owner's, over the local socket."""
        return self.place.run(*words, stdin=stdin)

    def ok(self, *words: str | Path) -> Any:
        ran = self.run(*words, "--json")
        if ran.code:
            raise RuntimeError(f"casemate {' '.join(map(str, words))}: {ran.out} {ran.err}")
        return ran.data

    def ask(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,
        acting: str = "",
        raw: bytes = b"",
        into: Path | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """A request with somebody's key; its data. Raises RuntimeError for a problem."""
        asked = {
            "url": self.console,
            "key": self.keys[who],
            "method": method,
            "path": path,
            "body": body,
            "raw": base64.b64encode(raw).decode(),
            "acting": acting,
            "into": str(into) if into else "",
            "query": dict(query or {}),
        }
        ran = subprocess.run(
            [*self.inside, sys.executable, "-m", "tests.transfer.asking"],
            env={**os.environ, **self.place.environment},
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr[-800:])
        told = json.loads(ran.stdout)
        if told["status"] >= 400:
            raise RuntimeError(f"{method} {path}: {told}")
        return told["data"]

    def person(self, name: str, *roles: str) -> None:
        """Somebody with a key that reaches from the floor to the ceiling."""
        client = self.owner()
        client.post("/api/principals", {"name": name, "clearance": self.ceiling, "roles": roles})
        body = {"principal": name, "floor": self.floor, "ceiling": self.ceiling}
        self.keys[name] = client.post("/api/keys", body).data["secret"]

    def owner(self) -> Client:
        """A client over the local socket, which crosses no network."""
        return local(self.place.region / "door" / "control.sock", str(self.place.region), _unsaid)

    def links(self) -> list[str]:
        """The network devices that its processes see."""
        told = subprocess.run([*self.inside, "ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        return [line.split(":")[1].strip() for line in told.splitlines()]

    def until(self, true: Callable[[], bool]) -> float:
        """Wait for something that a loop does; how many seconds."""
        begun = time.monotonic()
        while not true():
            if time.monotonic() - begun > PATIENCE:
                raise RuntimeError(f"{self.name}: it never came about")
            time.sleep(0.1)
        return time.monotonic() - begun


def _unsaid(marking: str) -> None:
    """Whoever asks reads the whole answer."""
    del marking


@contextmanager
def staged(name: str, folder: Path, floor: str, into: tuple[str, ...]) -> Iterator[Staged]:
    """A region of that name and floor, for the length of a block."""
    home, work = folder / f"{name}-home", folder / name
    home.mkdir()
    work.mkdir()
    kept = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    place = Place(work, home, kept).init("--policy", "us", "--agency", "DEMO", "--name", name)
    if floor:
        place.set('agency = "DEMO"', f'agency = "DEMO"\nfloor = "{floor}"')
    words = [*into, *(UP if into else ()), *CASEMATE, "up", "--json"]
    process = subprocess.Popen(
        words, cwd=work, env=place.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline() or "{}").get("data")
        if not told:
            raise RuntimeError(f"{name} did not start")
        user = ("-U", "--preserve-credentials") if "-c" in into else ()
        inside = ("nsenter", "-t", str(process.pid), *user, "-n") if into else ()
        yield Staged(name, place, process, str(told["wires"]), str(told["console"]), inside)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()
