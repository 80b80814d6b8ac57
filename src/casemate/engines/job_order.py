"""What the shim is told, made of what the region decided: docs/bytes/job-folder.md. Pure, but for who runs it.

The filter is made for every machine that is known, where an engine may run the attempt on another one than this.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection
from dataclasses import asdict
from functools import cache
from typing import Any, Literal

import msgspec

from casemate.engines.sandbox.jobs import CALLS, program
from casemate.engines.sandbox.machine import MACHINES
from casemate.engines.sandbox.places import PACKAGE
from casemate.jobs.executor import Order

__all__ = ["BEAT_S", "LEASE_S", "encoded", "shim", "told", "user"]

VERSION = 1
BEAT_S = 5
LEASE_S = max(15, 3 * BEAT_S)
_FIRST, _COUNT = 2_000_000_000, 140_000_000  # users that no machine gives to people
_FILES = 4096
_YEARS = 10 * 31_536_000


def shim(python: str = "", package: str = "") -> tuple[str, ...]:
    """The command that runs one attempt; its folder is added. Both are paths as the node sees them."""
    return (python or sys.executable, "-I", "-S", "-E", f"{package or PACKAGE}/cells/shim/__main__.py")


def user(domain: str) -> int | None:
    """The user of the machine that jobs of this domain run as; None where the region is no root, and has no choice.

    Two domains could be given one of 140 million with a probability that nobody meets; the walls do not rest on it.
    """
    if os.geteuid() != 0:
        return None
    digest = hashlib.sha256(b"casemate job user\0" + domain.encode()).digest()
    return _FIRST + int.from_bytes(digest[:8], "big") % _COUNT


def told(order: Order, uid: int | None, machines: Collection[str] = MACHINES) -> dict[str, Any]:
    """The order as plain values. `machines`: on which it may run."""
    resources = order.resources
    memory, disk = resources.memory_mb << 20, resources.disk_mb << 20
    network = resources.network
    return {
        "version": VERSION,
        "token": order.token,
        "attempt": order.attempt,
        "domain": order.domain,
        "command": list(order.command),
        "env": dict(order.env),
        "mounts": [[mount.source, mount.target, mount.write] for mount in order.mounts],
        "rootfs": order.rootfs,
        "level": order.level,
        "limits": {
            "AS": memory,
            "NPROC": resources.processes,
            "FSIZE": disk,
            "NOFILE": _FILES,
            # of one process: more than all its processors can spend in its time, which a service has no end of
            "CPU": (_YEARS if order.service else resources.wall_s) * max(resources.cpus, 1) + 60,
            "CORE": 0,
            "MSGQUEUE": 0,
            "MEMLOCK": 1 << 20,
        },
        "groups": {"memory": memory, "pids": resources.processes, "cpus": resources.cpus},
        "disk_mb": resources.disk_mb,
        "wall_s": 0 if order.service else resources.wall_s,
        "grace_s": order.grace_s,
        "beat_s": BEAT_S,
        "network": network,
        "uid": uid,
        "service": order.service,
        "nodes": resources.nodes,
        "tasks": resources.tasks,
        "serve": asdict(order.serve) if order.serve is not None else None,
        "interactive": msgspec.to_builtins(order.interactive),
        "seccomp": {name: _filter(name, order.level, network) for name in machines},
        "calls": {name: {call: MACHINES[name].calls[call] for call in CALLS} for name in machines},
    }


def encoded(order: Order, here: bool = False) -> bytes:
    """The bytes of order.json. `here`: it runs on this very machine."""
    own = os.uname().machine
    return msgspec.json.encode(told(order, user(order.domain), (own,) if here and own in MACHINES else MACHINES))


@cache
def _filter(machine: str, level: Literal["L1", "L2", "L3"], network: Literal["none", "host"]) -> str:
    return program(MACHINES[machine], level, network).hex()
