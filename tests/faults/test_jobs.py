"""Jobs in a whole region that is killed, stopped, filled up and set to another time: executed at least once, counted
exactly once, and each to an end.

The ordinary suite does each of it once; the long one again and again.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from casemate.wiring import Folder
from tests.faults.jobs_child import LEASE_S
from tests.laws.long import leave
from tests.laws.world import keyed

SETTINGS = """
[region]
name = "faults"
agency = "EXERCISE"
policies = ["us"]
[knowledge]
embedder = "none"
[jobs]
isolate = ""
slots = {slots}
scratch = "{scratch}"
"""
POINTS = ("durable", "staged", "submitted")
ROOT = Path(__file__).parents[2]
WAITS = "echo begun; while [ ! -e ../out/go ]; do sleep 0.2; done; echo done"
PATIENCE = 120.0
ROUNDS, RACES = 5, 50
T = TypeVar("T")


def until(true: Callable[[], T | None]) -> T:
    """Wait for something that comes about by itself; what it was."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)
    return found


class Region:
    """A folder, and the process that has it open now."""

    def __init__(self, top: Path, slots: int = 4, scratch: Path | None = None) -> None:
        self.scratch = scratch or top / "jobs"
        self.folder = Folder(top / "region")
        for part in (self.folder.path, self.folder.data, self.folder.keys, self.folder.run):
            part.mkdir(mode=0o700, parents=True)
        self.folder.settings_file.write_text(SETTINGS.format(slots=slots, scratch=self.scratch))
        keyed(self.folder)
        self.child: subprocess.Popen[str] | None = None

    def start(self, kill_at: str = "") -> Region:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.jobs_child", str(self.folder.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CASEMATE_TEST_KILL_AT": kill_at},
        )
        assert self._heard() == {}, "the region did not start"
        return self

    def _heard(self) -> Any:
        assert self.child is not None
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, do: str, **more: Any) -> Any:
        assert self.child is not None
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.child.stdin.flush()
        return self._heard()

    def kill(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.dead()

    def dead(self) -> None:
        """It has killed itself, or was killed."""
        assert self.child is not None
        assert self.child.wait(PATIENCE) == -signal.SIGKILL
        for stream in (self.child.stdin, self.child.stdout):
            assert stream is not None
            stream.close()
        self.child = None

    def ended(self, id: str) -> dict[str, Any]:
        return until(lambda: self._if(id, "open", "no"))

    def attempt(self, id: str, says: str = "begun\n") -> Path:
        """The folder of the attempt that runs, once its program has begun."""
        told = until(lambda: self._if(id, "out", says))
        return self.place(told, -1)

    def _if(self, id: str, name: str, value: str) -> dict[str, Any] | None:
        told: dict[str, Any] = self.ask("look", id=id)
        return told if told[name] == value else None

    def place(self, told: dict[str, Any], number: int) -> Path:
        return self.scratch / str(told["class"]) / str(told["attempts"][number][2])


def shim_of(attempt: Path) -> int:
    return int(json.loads((attempt / "claim").read_bytes())["pid"])


def child_of(pid: int) -> int:
    """The first process below a shim: the job."""
    return int(until(lambda: Path(f"/proc/{pid}/task/{pid}/children").read_text().split())[0])


@contextmanager
def opened(slots: int = 4, scratch: Path | None = None) -> Iterator[Region]:
    """Outside of folders that root alone may enter: jobs run as another user."""
    with tempfile.TemporaryDirectory(prefix="casemate-jobs-") as name:
        Path(name).chmod(0o755)
        region = Region(Path(name), slots, scratch)
        try:
            yield region.start()
        finally:
            region.kill()


def once(told: dict[str, Any], out: str = "begun\ndone\n", attempts: int = 1) -> None:
    assert (told["state"], told["out"], len(told["attempts"])) == ("SUCCEEDED", out, attempts), told


def killed_at(region: Region, point: str) -> None:
    """The region is killed at a point of a submission, and goes on after a start: one attempt, one effect."""
    region.kill()
    region.start(point)
    [id] = region.ask("submit", line="echo begun; echo done") or [""]
    region.dead()
    region.start()
    told = region.ended(id)
    once(told)
    folder = region.place(told, 0)
    until(lambda: not folder.exists())


def shim_killed(region: Region) -> None:
    """Its attempt is lost, fenced and made again."""
    [id] = region.ask("submit", line='echo begun; [ "$AWS_BATCH_JOB_ATTEMPT" = 2 ] || sleep 600; echo done', attempts=2)
    os.kill(shim_of(region.attempt(id)), signal.SIGKILL)
    told = region.ended(id)
    once(told, attempts=2)
    assert told["attempts"][0][0] == "lost"


def job_killed(region: Region) -> None:
    """A record says so: nothing is lost, and where attempts are left it is made again."""
    [id] = region.ask("submit", line="echo begun; exec sleep 600")
    os.kill(child_of(shim_of(region.attempt(id))), signal.SIGKILL)
    told = region.ended(id)
    assert (told["state"], told["attempts"][0][:2]) == ("FAILED", ["ended", ""])
    assert told["reason"] == "exit 137"


def zombie(region: Region) -> None:
    """Stopped past its lease, then going on when another attempt has begun: what it writes counts nowhere."""
    line = f'echo begun; echo "$AWS_BATCH_JOB_ATTEMPT" > ../out/n; {WAITS.partition("; ")[2]}'
    [id] = region.ask("submit", line=line, attempts=2, keep=True)
    first = region.attempt(id)
    shim = shim_of(first)
    os.kill(shim, signal.SIGSTOP)
    (first / "out" / "go").touch()
    second = until(lambda: _second(region, id))
    os.kill(shim, signal.SIGCONT)
    until(lambda: not Path(f"/proc/{shim}").exists() or " Z " in Path(f"/proc/{shim}/stat").read_text())
    assert region.ask("look", id=id)["open"] == "yes", "its record was refused"
    (second / "out" / "go").touch()
    told = region.ended(id)
    once(told, attempts=2)
    assert [one[0] for one in told["attempts"]] == ["lost", "ended"]


def _second(region: Region, id: str) -> Path | None:
    told = region.ask("look", id=id)
    if len(told["attempts"]) < 2 or told["out"] != "begun\n":
        return None
    return region.place(told, 1)


def one_key(region: Region, times: int, key: str) -> None:
    before = sum(region.ask("states").values())
    made = region.ask("submit", line="echo begun; echo done", key=key, times=times)
    assert (len(made), len(set(made))) == (times, 1)
    once(region.ended(made[0]))
    assert sum(region.ask("states").values()) == before + 1


def cancel_races(region: Region, chance: random.Random) -> str:
    """Whatever comes first: one end, that never changes again."""
    [id] = region.ask("submit", line="echo begun; echo done")
    time.sleep(chance.uniform(0, 0.5))
    region.ask("cancel", id=id)
    told = region.ended(id)
    assert told["state"] in ("SUCCEEDED", "CANCELLED"), told
    region.ask("cancel", id=id)
    assert region.ask("look", id=id) == told
    return str(told["state"])


def clock_jumps(region: Region) -> None:
    [id] = region.ask("submit", line=WAITS)
    attempt = region.attempt(id)
    for seconds in (3600, -7200, 3600):
        region.ask("jump", seconds=seconds)
        time.sleep(0.2)
        assert region.ask("look", id=id)["state"] == "RUNNING"
    (attempt / "out" / "go").touch()
    once(region.ended(id))


def restarted(region: Region, many: int) -> None:
    """All of them run on while the region is away, and are found by the next one."""
    ids = region.ask("submit", line=WAITS, times=many)
    attempts = [region.attempt(id) for id in ids]
    shims = [shim_of(one) for one in attempts]
    region.kill()
    for one in attempts[: many // 2]:
        (one / "out" / "go").touch()
    region.start()
    for one in attempts[many // 2 :]:
        (one / "out" / "go").touch()
    for id in ids:
        once(region.ended(id))
    assert len(set(shims)) == many


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk that a job can fill, for attempts alone; some of it stays free for nobody."""
    with tempfile.TemporaryDirectory(prefix="casemate-small-") as name:
        Path(name).chmod(0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def disk_full(region: Region) -> None:
    """The record finds no room, and neither does the fence: the attempt is lost, its folder goes, the next one runs."""
    fills = 'echo begun; [ "$AWS_BATCH_JOB_ATTEMPT" = 2 ] || head -c 9000000 /dev/zero > ../out/all; echo done'
    [id] = region.ask("submit", line=fills, attempts=2)
    told = region.ended(id)
    assert [one[0] for one in told["attempts"]] == ["lost", "ended"]
    once(told, attempts=2)


def test_a_region_killed_at_each_point_of_a_submission_has_one_effect() -> None:
    with opened() as region:
        for point in POINTS:
            killed_at(region, point)


def test_shims_and_jobs_that_are_killed_or_stopped() -> None:
    with opened() as region:
        shim_killed(region)
        job_killed(region)
        zombie(region)


def test_keys_cancels_clocks_and_a_restart() -> None:
    with opened(slots=8) as region:
        one_key(region, 100, "same")
        for seed in range(4):
            cancel_races(region, random.Random(seed))
        clock_jumps(region)
        restarted(region, 8)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone mounts a small disk")
def test_a_disk_that_is_full_at_the_record() -> None:
    with small_disk() as disk, opened(scratch=disk / "jobs") as region:
        disk_full(region)


@pytest.mark.long
def test_long_faults_of_jobs() -> None:
    """Five of each, fifty races, fifty that run over a restart."""
    counts = dict.fromkeys(("killed_at_points", "shims_killed", "jobs_killed", "zombies", "lost_or_doubled"), 0)
    ends: dict[str, int] = {}
    with opened(slots=50) as region:
        for _ in range(ROUNDS):
            for point in POINTS:
                killed_at(region, point)
                counts["killed_at_points"] += 1
            shim_killed(region)
            job_killed(region)
            zombie(region)
            counts["shims_killed"] += 1
            counts["jobs_killed"] += 1
            counts["zombies"] += 1
        for number in range(ROUNDS):
            one_key(region, 100, f"key {number}")
            clock_jumps(region)
        for seed in range(RACES):
            end = cancel_races(region, random.Random(seed))
            ends[end] = ends.get(end, 0) + 1
        restarted(region, 50)
    disks = 0
    if os.geteuid() == 0:
        with small_disk() as disk, opened(scratch=disk / "jobs") as region:
            for _ in range(ROUNDS):
                disk_full(region)
                disks += 1
    leave(
        "jobs_faults",
        **counts,
        keys_used_100_times=ROUNDS,
        clock_jumps=3 * ROUNDS,
        cancelled=ends.get("CANCELLED", 0),
        succeeded_before_the_cancel=ends.get("SUCCEEDED", 0),
        running_over_a_restart=50,
        full_disks=disks,
        lease_s=LEASE_S,
    )
