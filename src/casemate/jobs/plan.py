"""Who runs next, and where: a pure function of what waits, what runs and what there is. It knows no clock and no store.

It sees one access class at a time: a partition of nodes belongs to one label domain, and what waits above is not in its
arguments. A node holds one label or is clean; moving it to another needs a recorded sanitising step (see `nodes`).

Jobs go by priority, then to the owner with the least decayed use for his share, then by order. What a queue or an owner
may hold at once is kept: who waits at a limit is not overtaken within it. A job of many nodes gets all of them at once
or none. The first that finds no place is given the earliest time at which it will have one, and
nodes for it; those behind it start only where that time stands (EASY: D. Lifka, "The ANL/IBM SP scheduling system",
1995). What is started counts as its owner's use at once, so that owners take turns within one plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace, nsmallest
from operator import attrgetter
from types import MappingProxyType

from casemate.jobs.plan_limits import NONE, Limits
from casemate.jobs.plan_room import Face, Room, Size, chosen, fits

__all__ = ["Assignment", "Node", "Plan", "Running", "Waiting", "plan"]

MICRO = 1_000_000
_NOTHING: Mapping[str, float] = MappingProxyType({})
DEPTH = 5_000  # how many shapes behind the reservation are looked at in one plan


@dataclass(frozen=True, slots=True)
class Node:
    """What a node has to give in all (not what is left). `domain`: the class that it holds; "" where it is clean."""

    name: str
    domain: str
    cpus: int
    memory_mb: int
    gpus: int = 0
    gpu_type: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that could run. `order`: when it was submitted (microseconds). Sizes are for each of its `nodes`.

    `parallel`: of its `group` (an array), how many run at once; 0 for as many as fit.
    """

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
    queue: str = ""


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
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Start this job on these nodes."""

    id: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`starts` in order; `preempt`: jobs to be ended so that one of higher priority may run; `takes`: clean nodes that
    hold the class from now on.

    `first`: the job that found no place and holds the reservation: on `kept`, from `at` on (microseconds).
    """

    starts: tuple[Assignment, ...] = ()
    preempt: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    first: str = ""
    kept: tuple[str, ...] = ()
    at: int = 0


def plan(
    domain: str,
    waiting: Sequence[Waiting],
    running: Sequence[Running],
    nodes: Sequence[Node],
    limits: Limits = NONE,
    used: Mapping[str, float] = _NOTHING,
    now: int = 0,
) -> Plan:
    """Gang scheduling with EASY backfill, by priority, then fair share, then order.

    `used`: decayed use of each owner in CPU seconds; `limits`: what owners are entitled to and may hold. Nodes of
    another class are not looked at. A job that no set of nodes, or no limit, could ever hold waits, and holds nothing
    up.
    """
    mine = _usable(domain, nodes)
    held = [job for job in running if any(name in mine for name in job.on)]
    draft = _Draft(mine, held, limits, used, now)
    draft.counts.update(job.group for job in running if job.group)
    lines, draft.sorted = _lines(waiting)
    for priority in sorted(lines, reverse=True):
        draft.walk(lines[priority])
    return Plan(tuple(draft.starts), draft.preempt, _taken(draft.starts, mine), draft.first, draft.kept, draft.at)


def _usable(domain: str, nodes: Iterable[Node]) -> dict[str, Node]:
    """The nodes of a class, and clean ones: two labels never meet on a node."""
    return {node.name: node for node in nodes if node.domain in (domain, "")}


def _taken(starts: Iterable[Assignment], mine: Mapping[str, Node]) -> tuple[str, ...]:
    """The clean nodes that hold the class once these have started."""
    on = {name for start in starts for name in start.on}
    return tuple(sorted(name for name in on if not mine[name].domain))


# What jobs of one line have in common; jobs of one line differ by id and order alone.
_SHAPE = attrgetter(
    "priority", "queue", "owner", "nodes", "cpus", "memory_mb", "gpus", "gpu_type", "wall_s", "group", "parallel"
)
_ORDER = attrgetter("order", "id")
_Line = list[Waiting]
_Side = tuple[str, str]
"""Queue and owner: the two that a share is of."""


def _lines(waiting: Iterable[Waiting]) -> tuple[dict[int, dict[_Side, list[_Line]]], bool]:
    """Jobs alike stand in one line: by priority, then by queue and owner; and whether every line is in order."""
    alike: defaultdict[tuple[object, ...], _Line] = defaultdict(list)
    ordered, order, id = True, 0, ""
    for job in waiting:
        alike[_SHAPE(job)].append(job)
        if job.order <= order and (job.order < order or job.id < id):
            ordered = False
        order, id = job.order, job.id
    found: dict[int, dict[_Side, list[_Line]]] = {}
    for line in alike.values():
        first = line[0]
        found.setdefault(first.priority, {}).setdefault((first.queue, first.owner), []).append(line)
    return found, ordered


def _face(node: Node) -> Face:
    return Face(not node.domain, node.gpus, node.cpus, node.memory_mb, node.gpu_type)


def _plus(face: Face, job: Running, times: int) -> Face:
    return face._replace(
        gpus=face.gpus + times * job.gpus,
        cpus=face.cpus + times * job.cpus,
        memory_mb=face.memory_mb + times * job.memory_mb,
    )


class _Draft:
    """A plan in the making."""

    def __init__(
        self,
        mine: Mapping[str, Node],
        held: list[Running],
        limits: Limits,
        used: Mapping[str, float],
        now: int,
    ) -> None:
        self.mine, self.held, self.shares, self.now = mine, held, limits.shares, now
        self.bounds = limits.drawn()
        self.used: defaultdict[str, float] = defaultdict(float, used)
        faces = {name: _face(node) for name, node in mine.items()}
        for job in held:
            for name in job.on:
                if name in faces:
                    faces[name] = _plus(faces[name], job, -1)
        self.room = Room((face, name) for name, face in faces.items())
        self.starts: list[Assignment] = []
        self.preempt: tuple[str, ...] = ()
        self.kept: tuple[str, ...] = ()
        self.first, self.at = "", 0
        self.counts: Counter[str] = Counter()
        self.shut: set[tuple[Size, bool]] = set()
        self.mosts: dict[Size, int] = {}
        self.looked = 0
        self.sorted = False  # whether those of a line stand in their order already

    def walk(self, sides: Mapping[_Side, list[_Line]]) -> None:
        """All jobs of one priority, owner after owner."""
        if self.looked > DEPTH:
            return
        standing: dict[_Side, list[tuple[int, str, int]]] = {}
        lines: list[_Line] = []
        fresh: set[int] = set()  # lines of which the first alone is known
        for side, his in sides.items():
            heads = []
            for whole in self.open(side, his):
                fresh.add(len(lines))
                head = whole[0] if self.sorted else min(whole, key=_ORDER)
                heads.append((head.order, head.id, len(lines)))
                lines.append(whole)
            if heads:
                heapify(heads)
                standing[side] = heads
        turns = [(self.factor(side), *heads[0][:2], side) for side, heads in standing.items()]
        heapify(turns)
        while turns and self.looked <= DEPTH:
            side = turns[0][3]
            heads, factor = standing[side], self.factor(side)
            if factor > turns[0][0]:  # he has had something by another queue meanwhile
                heapreplace(turns, (factor, *heads[0][:2], side))
                continue
            at = heads[0][2]
            if at in fresh:
                fresh.remove(at)
                lines[at] = self.ahead(lines[at])
            line = lines[at]
            if self.start(line[-1]):
                line.pop()
            else:
                line.clear()  # what is like it finds no place either
            if line:
                heapreplace(heads, (line[-1].order, line[-1].id, at))
            else:
                heappop(heads)
            if self.bounds.closed(*side):
                heads[:] = [head for head in heads if not lines[head[2]][0].cpus]
                heapify(heads)
            if heads:
                heapreplace(turns, (self.factor(side), *heads[0][:2], side))
            else:
                heappop(turns)

    def open(self, side: _Side, his: list[_Line]) -> list[_Line]:
        """The lines of a side of which one may still start: at a limit of CPUs, those that want none."""
        return [line for line in his if not line[0].cpus] if self.bounds.closed(*side) else his

    def factor(self, side: _Side) -> float:
        share = self.shares.get(side, 1.0)
        return self.used[side[1]] / share if share > 0 else float("inf")

    def ahead(self, line: _Line) -> _Line:
        """As many of a line as could start now, the first at the end; one at least."""
        if len(line) == 1:
            return line
        size = _size(line[0])
        most = self.mosts.get(size)
        if most is None:
            most = self.mosts[size] = max(1, self.room.most(size))
        if line[0].group and line[0].parallel:
            most = min(most, line[0].parallel)
        if self.sorted:
            return line[most - 1 :: -1] if most < len(line) else line[::-1]
        if most * 8 < len(line):
            return nsmallest(most, line, key=_ORDER)[::-1]
        line.sort(key=_ORDER, reverse=True)
        return line

    def start(self, job: Waiting) -> bool:
        """Whether it has its place. The first that has none is given its reservation."""
        if job.group and job.parallel and self.counts[job.group] >= job.parallel:
            return False
        if not self.bounds.admits(job.queue, job.owner, job.nodes * job.cpus, job.nodes * job.gpus):
            return False
        size, ends = _size(job), self.now + job.wall_s * MICRO
        long = bool(self.first) and ends > self.at
        self.looked += bool(self.first)
        on = self.room.take(size, long) if (size, long) not in self.shut else ()
        if not on:
            self.shut.add((size, long))
            if not self.first:
                self.reserve(job, size)
            return False
        self.bounds.hold(job.queue, job.owner, job.nodes * job.cpus, job.nodes * job.gpus)
        self.starts.append(Assignment(job.id, on))
        self.held.append(
            Running(job.id, job.owner, on, ends, job.priority, job.cpus, job.memory_mb, job.gpus, False, job.group)
        )
        self.counts[job.group] += bool(job.group)
        self.used[job.owner] += float(job.nodes * max(job.cpus, 1) * job.wall_s)
        return True

    def reserve(self, job: Waiting, size: Size) -> None:
        """Nodes for the first that found no place, and from when on; at once, where jobs make way for it."""
        if not chosen(((_face(node), name) for name, node in self.mine.items()), size):
            return  # there will never be a place for it here
        faces, found = self.room.faces(), _evicted(self, job, size)
        if found:
            self.preempt, at = tuple(sorted(gone.id for gone in found)), self.now
            for gone in found:
                _leave(faces, gone)
        else:
            at = self.earliest(faces, size)
        kept = chosen(((face, name) for name, face in faces.items()), size)
        self.first, self.at, self.kept = job.id, at, kept
        self.bounds.hold(job.queue, job.owner, job.nodes * job.cpus, job.nodes * job.gpus)
        self.shut.clear()
        beyond = {
            name: (faces[name].gpus - size.gpus, faces[name].cpus - size.cpus, faces[name].memory_mb - size.memory_mb)
            for name in kept
        }
        self.room.keep(kept, beyond)

    def earliest(self, faces: dict[str, Face], size: Size) -> int:
        """When a job of this size will have a place; `faces` become those of that time. One that is late ends soon."""
        able = sum(fits(face, size) for face in faces.values())
        for gone in sorted(self.held, key=lambda job: (job.ends, job.id)):
            for name in gone.on:
                able -= name in faces and fits(faces[name], size)
            _leave(faces, gone)
            for name in gone.on:
                able += name in faces and fits(faces[name], size)
            if able >= size.nodes:
                return max(gone.ends, self.now + 1)
        raise AssertionError("what fits empty nodes fits once everything has ended")


def _size(job: Waiting) -> Size:
    return Size(max(job.nodes, 1), job.cpus, job.memory_mb, job.gpus, job.gpu_type)


def _leave(faces: dict[str, Face], gone: Running) -> None:
    for name in gone.on:
        if name in faces:
            faces[name] = _plus(faces[name], gone, 1)


def _evicted(draft: _Draft, job: Waiting, size: Size) -> list[Running]:
    """Who makes way: preemptible jobs of lower priority, the lowest first, and none of them in vain."""
    able = [one for one in draft.held if one.preemptible and one.priority < job.priority]
    able.sort(key=lambda one: (one.priority, -one.ends, one.id))
    faces, gone = draft.room.faces(), list[Running]()
    for one in able:
        if chosen(((face, name) for name, face in faces.items()), size):
            break
        _leave(faces, one)
        gone.append(one)
    if not chosen(((face, name) for name, face in faces.items()), size):
        return []
    needed = []
    for one in reversed(gone):
        less = {name: (_plus(face, one, -1) if name in one.on else face) for name, face in faces.items()}
        if chosen(((face, name) for name, face in less.items()), size):
            faces = less
        else:
            needed.append(one)
    return needed
