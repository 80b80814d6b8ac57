"""Other queues over the same trivial jobs (/bin/true): HyperQueue's local cluster, PSI/J local, GNU parallel, sbatch.

As a program (`python bench/parts/job_peers.py hyperqueue|psij COUNT SLOTS`, in an environment that has them) it prints
one JSON object: jobs per wall second, from the first submission until the last has ended, and CPU milliseconds of a
job, children included. HyperQueue keeps no journal here, so what it acknowledges is not durable.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGES = ("hyperqueue==0.27.0", "psij-python==0.9.11")
TRUE = "/bin/true"


def home(root: Path) -> Path:
    """The peers' own virtual environment, made at the first run."""
    place = root / ".bench" / "jobs-peers-1"
    if not (place / "done").exists():
        print(f"Setting up {', '.join(PACKAGES)} in {place}, once: a minute.", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([str(place / "bin/pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        (place / "done").touch()
    return place


def asked(root: Path, peer: str, count: int, slots: int = 0) -> dict[str, Any]:
    """One peer in its own process. `slots`: how many at once, 0 for the machine's cores."""
    command = [str(home(root) / "bin/python"), str(Path(__file__).resolve()), peer, str(count), str(slots)]
    with tempfile.TemporaryDirectory() as place:  # what its tasks print is left where it is started
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, cwd=place)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def timed(count: int, deed: Callable[[], None]) -> dict[str, float]:
    """Jobs per second, and CPU milliseconds of a job: of this process and of the children that have ended."""

    def spent() -> float:
        own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime

    before, began = spent(), time.perf_counter()
    deed()
    wall = time.perf_counter() - began
    return {"jobs_per_s": count / wall, "cpu_ms": (spent() - before) / count * 1e3}


def hyperqueue(count: int, slots: int) -> dict[str, float]:
    """One worker with so many cores, 0 for those there are; one task for each job, all in one submission."""
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    with contextlib.redirect_stdout(io.StringIO()), LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores=slots or os.cpu_count() or 1))
        client = cluster.client()

        def one() -> None:
            job = Job()
            for _ in range(count):
                job.program([TRUE])
            client.wait_for_jobs([client.submit(job)])

        return timed(count, one)


def psij(count: int, slots: int) -> dict[str, float]:
    """Each job by itself, as its interface has it; all waited for at the end. It has no slots."""
    del slots
    from psij import Job, JobExecutor, JobSpec

    executor = JobExecutor.get_instance("local")

    def each() -> None:
        jobs = [Job(JobSpec(executable=TRUE)) for _ in range(count)]
        for job in jobs:
            executor.submit(job)
        for job in jobs:
            job.wait()

    return timed(count, each)


def parallel(count: int) -> dict[str, float]:
    """GNU parallel, with a log of what has run."""
    program = shutil.which("parallel") or "parallel"
    with tempfile.TemporaryDirectory() as place:
        lines = "\n".join(map(str, range(count)))
        command = [program, "--will-cite", "--joblog", f"{place}/log", "-n1", f"{TRUE} {{}}"]
        env = {**os.environ, "HOME": place, "PARALLEL_HOME": place}
        return timed(count, lambda: _run(command, lines, env))


def _run(command: list[str], lines: str, env: dict[str, str]) -> None:
    subprocess.run(command, input=lines, text=True, check=True, env=env, capture_output=True)


def sbatch(count: int, seconds: float, env: dict[str, str]) -> dict[str, float]:
    """Plain sbatch of tasks that sleep so long, one submission for each; waited for by squeue. `submit_cpu_ms`: of one
    sbatch, as a program."""
    spent: list[float] = []

    def each() -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(count):
            wrapped = ["sbatch", "--parsable", "--output=/dev/null", "-J", "plain", f"--wrap=sleep {seconds:g}"]
            subprocess.run(wrapped, check=True, capture_output=True, env=env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        while subprocess.run(["squeue", "-h", "-n", "plain"], check=True, capture_output=True, env=env).stdout.strip():
            time.sleep(0.1)

    return timed(count, each) | {"submit_cpu_ms": spent[0] / count * 1e3}


def rounds(root: Path, count: int) -> dict[str, Callable[[], dict[str, float]]]:
    """Each peer that is here besides HyperQueue, by its name."""
    found: dict[str, Callable[[], dict[str, float]]] = {"psij": lambda: asked(root, "psij", max(50, count // 10))}
    if shutil.which("parallel"):
        found["gnu_parallel"] = lambda: parallel(max(50, count // 5))
    return found


if __name__ == "__main__":
    PEERS: dict[str, Callable[[int, int], dict[str, float]]] = {"hyperqueue": hyperqueue, "psij": psij}
    print(json.dumps(PEERS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))))
