"""Who runs next, and where: a pure function of what waits, what runs, and what there is. It knows no clock and no store.

It sees one access class at a time: a partition of nodes belongs to one label domain, and what waits above is not in its
arguments. A node holds one label or is clean; moving it to another needs a recorded sanitising step (see `nodes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Assignment", "Node", "Plan", "Running", "Waiting", "plan"]


@dataclass(frozen=True, slots=True)
class Node:
    """What a node has free to give in all (not what is left). `domain`: the class that it holds; "" where it is clean."""

    name: str
    domain: str
    cpus: int
    memory_mb: int
    gpus: int = 0
    gpu_type: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that could run. `order`: when it was submitted (microseconds). Sizes are for each of its `nodes`."""

    id: str
    owner: str
    order: int
    priority: int = 0
    nodes: int = 1
    cpus: int = 1
    memory_mb: int = 512
    gpus: int = 0
    gpu_type: str = ""
    wall_s: int = 3600
    preemptible: bool = False
    group: str = ""
    parallel: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs: on which nodes, and when it ends at the latest (microseconds)."""

    id: str
    owner: str
    on: tuple[str, ...]
    ends: int
    priority: int = 0
    cpus: int = 1
    memory_mb: int = 512
    gpus: int = 0
    preemptible: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Start this job on these nodes."""

    id: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`starts` in order; `preempt`: jobs to be ended so that one of higher priority may run; `takes`: clean nodes that
    hold the class from now on."""

    starts: tuple[Assignment, ...] = ()
    preempt: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


def plan(
    domain: str,
    waiting: Sequence[Waiting],
    running: Sequence[Running],
    nodes: Sequence[Node],
    shares: Mapping[str, float] = field(default_factory=dict),  # type: ignore[assignment]
    used: Mapping[str, float] = field(default_factory=dict),  # type: ignore[assignment]
    now: int = 0,
) -> Plan:
    """Gang scheduling with EASY backfill, by priority, then fair share, then order. `used`: decayed use of each owner."""
    raise NotImplementedError
