"""A real Slurm for tests: one controller and two nodes on loopback, in a folder for temporary files, gone at the end.

Debian's packages, no system service, no cgroup, no database; nodes claim more cores than there are. It needs root,
since each label domain is a user of its own: two that every Debian has, who own nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

LOW, HIGH = "games", "news"  # the users of two label domains
NODES = ("n1", "n2")
CORES = 8
PACKAGES = "munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins"

CONF = """ClusterName=casemate
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=10000,bf_interval=1,default_queue_depth=500
MCSPlugin={mcs}
PrivateData=jobs
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MessageTimeout=2
MinJobAge=300
SlurmdParameters=config_overrides
{nodes}
PartitionName=batch Nodes={all} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def lacking() -> str:
    """Why no Slurm can run here, or nothing."""
    if os.geteuid() != 0:
        return "a Slurm of two label users needs root"
    if not (shutil.which("slurmctld") and shutil.which("slurmd") and shutil.which("sbatch") and shutil.which("munged")):
        return f"no Slurm here: apt-get install {PACKAGES}"
    return ""


@dataclass
class Cluster:
    """Daemons are children of this process; `kill` and `start` may be called again and again, by their names."""

    folder: Path
    mcs: str = "mcs/user\nMCSParameters=enforced,select,privatedata"
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def conf(self) -> str:
        return str(self.folder / "slurm.conf")

    def make(self) -> None:
        self.folder.chmod(0o755)
        port, *more = free_ports(1 + len(NODES))
        host = socket.gethostname().partition(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={at} CPUs={CORES} RealMemory=8000"
            for name, at in zip(NODES, more, strict=True)
        )
        told = CONF.format(host=host, port=port, folder=self.folder, mcs=self.mcs, nodes=nodes, all=",".join(NODES))
        Path(self.conf).write_text(told)
        (self.folder / "munge").mkdir()
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for path in (self.folder / "munge", key):
            shutil.chown(path, "munge", "munge")

    def start(self, name: str) -> None:
        """munged, slurmctld, or a node by its name."""
        (self.folder / "state").mkdir(exist_ok=True)
        if name == "munged":
            at = self.folder / "munge"
            words = ["munged", "--foreground", f"--socket={at}/socket", f"--key-file={at}/key", "--num-threads=2"]
            words += [f"--pid-file={at}/pid", f"--log-file={at}/log", f"--seed-file={at}/seed"]
        elif name == "slurmctld":
            words = ["slurmctld", "-D", "-f", self.conf]  # absolute: it changes its folder
        else:
            (self.folder / f"spool-{name}").mkdir(exist_ok=True)
            words = ["slurmd", "-D", "-N", name, "-f", self.conf]
        self.daemons[name] = subprocess.Popen(
            words,
            user="munge" if name == "munged" else None,
            group="munge" if name == "munged" else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_us,  # noqa: PLW1509 - one call of libc, before any thread could matter
        )

    def kill(self, name: str) -> None:
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def kill_steps(self) -> None:
        """Those who watch jobs on the nodes, as a node that goes would take them along; the jobs themselves go on."""
        for pid in self.steps():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def steps(self) -> list[int]:
        """The processes of slurmstepd of this cluster: they hold its nodes' logs or spools open."""
        found = []
        for at in Path("/proc").iterdir():
            if at.name.isdigit():
                with contextlib.suppress(OSError):
                    if (at / "comm").read_text().startswith("slurmstepd") and any(
                        str(self.folder) in str(one.readlink()) for one in (at / "fd").iterdir()
                    ):
                        found.append(int(at.name))
        return found

    def run(self, *words: str) -> str:
        """A program of Slurm's as its administrator."""
        env = {"PATH": "/usr/bin:/bin:/usr/sbin", "SLURM_CONF": self.conf}
        done = subprocess.run(words, env=env, capture_output=True, check=False)
        return done.stdout.decode()

    def up(self) -> None:
        """Everything runs, and the nodes are ready."""
        for name in ("munged", "slurmctld", *NODES):
            if name not in self.daemons:
                self.start(name)
                if name == "munged":
                    until((self.folder / "munge" / "socket").exists)
                if name == "slurmctld":
                    until(lambda: "UP" in self.run("scontrol", "ping"))
        until(lambda: self.run("sinfo", "-h", "-N", "-o", "%t").split().count("idle") == len(NODES))

    def stop(self) -> None:
        """Jobs first, since they would outlive their nodes."""
        if "slurmctld" in self.daemons:
            self.run("scancel", "--state=PENDING", f"--user={LOW}")
            self.run("scancel", "--state=PENDING", f"--user={HIGH}")
            self.run("scancel", f"--user={LOW}")
            self.run("scancel", f"--user={HIGH}")
            with contextlib.suppress(AssertionError):
                until(lambda: not self.steps(), 10)
        self.kill_steps()
        for name in list(self.daemons):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)


def _end_with_us() -> None:
    """A daemon whose test was killed ends at once: PR_SET_PDEATHSIG, kept across exec."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Ask again and again: none of Slurm's programs waits by itself."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    opened = [socket.socket() for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return found


def made() -> Cluster:
    """A cluster that runs; skipped with the reason where there can be none. Whoever made it stops it."""
    if why := lacking():
        absent(why)
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="casemate-slurm-")))
    atexit.register(cluster.stop)
    cluster.make()
    cluster.up()
    return cluster


def absent(why: str) -> NoReturn:
    """Skip; where CI has installed everything, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@functools.cache
def shared() -> Cluster:
    """One for all tests of this process."""
    return made()
