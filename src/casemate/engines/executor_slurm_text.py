"""What Slurm's programs print, read; what they are told, written. Pure: it runs nothing.

Debian's 22.05 and the newer ones print the same short formats (`squeue -o`), which is why these are read and not JSON,
whose fields change with each version. What must never happen: a state that nobody knows told as an end.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from casemate.errors import EngineFailed
from casemate.jobs.executor import Order, Polled
from casemate.jobs.plan import Node

__all__ = [
    "FORMAT",
    "LABELS_SINCE",
    "NODE",
    "Row",
    "config",
    "failure",
    "native",
    "nodes",
    "options",
    "parted",
    "polled",
    "rows",
    "script",
    "version",
]

FORMAT = "%A|%T|%r|%N|%j|%k"  # of squeue: id, state, reason, nodes, name, comment
NODE = "%N|%c|%m|%G|%t"  # of sinfo: name, processors, MiB, resources, state
LABELS_SINCE = (24, 11)  # MCSPlugin=mcs/label
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"cm-([0-9a-f]{32})")
_NATIVE = re.compile(r"([0-9]{1,10})\.([0-9a-f]{32})")
_NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._,\[\]-]{0,4000}")
_GPU = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SLACK = 120  # seconds beyond a job's own time: the shim ends it, and Slurm only where the shim could not

_WAITING = {
    "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
    "POWER_UP_NODE",
}  # fmt: skip
_WORKING = {"idle", "mix", "alloc", "comp", "plnd"}
_ENDED = {
    "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY",
    "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL",
}  # fmt: skip
# Why a job waits, where that follows from what itself asks for; other reasons tell of other people's jobs.
_OWN = {
    "BadConstraints", "Dependency", "DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS", "JobHeldAdmin",
    "JobHeldUser", "PartitionDown", "PartitionInactive", "PartitionNodeLimit", "PartitionTimeLimit",
}  # fmt: skip

Cause = Literal["down", "busy", "slow", "denied", "rejected", "broken"]
_SAYINGS: tuple[tuple[str, Cause, str], ...] = (
    ("invalid partition", "rejected", "it has no such partition, or not for this user: name another in `partition`"),
    ("unable to contact slurm controller", "down", "slurmctld does not answer: start it, or see its log"),
    ("connection refused", "down", "slurmctld does not answer: start it, or see its log"),
    ("configuration source", "down", "its slurm.conf is not found: name it in `conf`"),
    ("munge", "denied", "munge does not answer, or has another key than the cluster: start munged here"),
    ("authentication", "denied", "the cluster does not take our credential: the munge key is another one"),
    ("invalid user", "denied", "the cluster does not know the label's user: make it on every node"),
    ("invalid account", "denied", "the label's user has no account there: sacctmgr makes one"),
    ("invalid mcs_label", "rejected", "it refuses the label: MCSPlugin and the users of `labels` do not fit together"),
    ("generic resource", "rejected", "no node of the partition has such GPUs (GresTypes and Gres in slurm.conf)"),
    ("invalid node name", "rejected", "it has no node of that name"),
    ("node configuration is not available", "rejected", "no node of the partition is as large as what was asked for"),
    ("more processors requested", "rejected", "no node of the partition has so many processors"),
    ("memory specification", "rejected", "no node of the partition has so much memory"),
    ("time limit", "rejected", "the partition does not run jobs for so long: ask for less, or raise its MaxTime"),
    ("temporarily unable", "busy", "it takes no more jobs now: MaxJobCount of slurm.conf"),
    ("policy limit", "busy", "a limit of its policy (QOS, association) holds the job back"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A job as squeue tells of it."""

    id: str
    state: str
    reason: str
    nodes: str
    token: str
    domain: str

    @property
    def native(self) -> str:
        return native(self.id, self.token)


def native(id: str, token: str) -> str:
    """Our name of a job: the id alone is not one, since Slurm gives it again after it has lost a job."""
    return f"{id}.{token}"


def parted(found: str) -> tuple[str, str]:
    """The id and the token of a native id; two empty ones where it is none."""
    match = _NATIVE.fullmatch(found)
    return (match[1], match[2]) if match else ("", "")


def rows(printed: str, domain: str) -> list[Row]:
    """Ours alone, of that domain. Others of the same user may be called anything."""
    found = []
    for line in printed.splitlines():
        parts = line.split("|", 5)
        if len(parts) == 6 and (named := _NAME.fullmatch(parts[4])) and parts[5].strip() == domain:
            found.append(Row(parts[0], parts[1], parts[2], parts[3], named[1], domain))
    return found


def polled(row: Row) -> Polled:
    """What squeue's row means. A state that is not known here runs: nothing else is started in its place."""
    if row.state in _WAITING:
        return Polled("waiting", reason=row.reason if row.reason in _OWN else "", token=row.token)
    if row.state in _ENDED:
        return Polled("ended", row.nodes, "" if row.state == "COMPLETED" else row.state.lower(), row.token)
    return Polled("running", row.nodes, token=row.token)


def nodes(printed: str, domain: str) -> tuple[Node, ...]:
    """Of `sinfo -N`: those that work or sleep, each once. `*` behind a state: it does not answer."""
    found = {}
    for line in printed.splitlines():
        parts = line.strip().split("|")
        if len(parts) == 5 and parts[4].rstrip("~#$@^-+") in _WORKING and parts[1].isdigit() and parts[2].isdigit():
            gpus, kind = _gpus(parts[3])
            found[parts[0]] = Node(parts[0], domain, int(parts[1]), int(parts[2]), gpus, kind)
    return tuple(found.values())


def _gpus(gres: str) -> tuple[int, str]:
    """Of "gpu:a100:4(S:0-1),shard:8": how many, and the type of the first."""
    count, kind = 0, ""
    for one in gres.split(","):
        parts = one.partition("(")[0].split(":")
        if parts[0] == "gpu" and parts[-1].isdigit():
            count += int(parts[-1])
            kind = kind or (parts[1] if len(parts) > 2 else "")
    return count, kind


def version(printed: str) -> tuple[int, int]:
    """Of `sbatch --version`: "slurm-wlm 22.05.8" is (22, 5). ValueError where it says something else."""
    match = re.fullmatch(r"slurm(?:-\w+)? (\d+)\.(\d+)\S*", printed.strip())
    if match is None:
        raise ValueError("it does not tell its version")
    return int(match[1]), int(match[2])


def config(printed: str) -> dict[str, str]:
    """Of `scontrol show config`."""
    pairs = (line.partition("=") for line in printed.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def script(command: Sequence[str], folder: str, seats: int = 0, srun: str = "srun") -> str:
    """The batch script: nothing but the shim, in the place of its shell, and on `seats` further nodes another one.

    Those are a step of the job, so that Slurm starts them as its user and ends them with it.
    """
    lines = ["#!/bin/sh"]
    if seats:
        step = [srun, "--relative=1", f"--nodes={seats}", f"--ntasks={seats}", "--ntasks-per-node=1", "--overlap"]
        step += ["--mem=0", "--mpi=none", "--input=none", "--output=/dev/null", "--error=/dev/null"]
        lines.append(f"{shlex.join([*step, *command, '--seat', folder])} > /dev/null 2>&1 &")
    return "\n".join([*lines, f"exec {shlex.join([*command, folder])}", ""])


def options(engine: str, order: Order, partition: str, apart: Sequence[str], after: Sequence[str]) -> list[str]:
    """The arguments of sbatch. `apart`: how labels are kept apart; `after`: ids that it waits for, however they end.

    The name is the token, by which the job is found again, and `singleton` keeps two of one name from running at once.
    It is never requeued: another attempt has another token. ALL is our own clean environment: with anything else the
    node would start a login shell of the user first. Sizes are for each node. Raises EngineFailed.
    """
    wants = order.resources
    if not _TOKEN.fullmatch(order.token) or not order.domain.isprintable() or "|" in order.domain:
        raise EngineFailed(cause="rejected", engine=engine, why="the order has no proper token or domain")
    found = [
        "--parsable", f"--job-name=cm-{order.token}", f"--comment={order.domain}", "--no-requeue", "--export=ALL",
        "--output=/dev/null", "--error=/dev/null", "--chdir=/", *apart,
        f"--dependency={','.join(['singleton', *(f'afterany:{id}' for id in after)])}",
        f"--nodes={wants.nodes}", f"--ntasks-per-node={wants.tasks}", f"--cpus-per-task={wants.cpus}",
        f"--mem={wants.memory_mb}M",
    ]  # fmt: skip
    if partition:
        found.append(f"--partition={partition}")
    if not order.service:
        found.append(f"--time={-(-(wants.wall_s + int(order.grace_s) + _SLACK) // 60)}")
    if wants.gpus:
        if wants.gpu_type and not _GPU.fullmatch(wants.gpu_type):
            raise EngineFailed(
                cause="rejected", engine=engine, why="a type of GPU has letters, digits, dots and hyphens"
            )
        found.append(f"--gres=gpu:{wants.gpu_type + ':' if wants.gpu_type else ''}{wants.gpus}")
    if order.node:
        if not _NODES.fullmatch(order.node):
            raise EngineFailed(cause="rejected", engine=engine, why="it has no node of that name")
        found.append(f"--nodelist={order.node}")
    return found


def failure(engine: str, program: str, code: int, said: str) -> EngineFailed:
    """A failure in our words; what the program said itself may name what is not the caller's to know."""
    lower = said.lower()
    for saying, cause, why in _SAYINGS:
        if saying in lower:
            return EngineFailed(cause=cause, engine=engine, why=why)
    return EngineFailed(
        engine=engine, why=f"{program} ended with {code}: run it by hand as the label's user to see why"
    )


def kept_apart(settings: Mapping[str, str], told: tuple[int, int], users: Sequence[int], domains: Sequence[str]) -> str:
    """How labels are kept on nodes of their own: `mcs` or `user` (by users), `label` (by MCS labels), "" for not."""
    plugin = settings.get("MCSPlugin", "")
    enforced = "enforced" in settings.get("MCSParameters", "").split(",")
    if len(set(users)) == len(domains):
        # Exclusive by MCS label where that is the user; by user wherever no plugin says otherwise.
        return "mcs" if plugin == "mcs/user" and enforced else "user"
    return "label" if told >= LABELS_SINCE and plugin == "mcs/label" and enforced else ""
