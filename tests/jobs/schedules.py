"""A schedule with time: classes plan by turns over the same nodes, jobs come and end, and nodes are cleaned.

Everything comes from a seed. `run` raises AssertionError where two labels meet on a node, where a node changes its
label without having been cleaned, where a promised time is broken, where a queue or an owner holds more than its limit,
where one starts whose owner has had more for his share than another's job just like it that waits on, or where a job
that its class has room for never ends.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from casemate.jobs.plan import Node, Plan, Running, Waiting, plan
from casemate.jobs.plan_limits import Cap, Limits, of_owner, of_queue

__all__ = ["Schedule", "run"]

S = 1_000_000
CLASSES = ("a", "b", "c")
QUEUES = ("p", "q")


def run(seed: int) -> int:
    """How many jobs ran."""
    return Schedule(random.Random(seed)).go()


@dataclass(slots=True)
class Schedule:
    """`own`: nodes that stay with their class; the others are clean at first, and cleaned again when they are idle.

    `plain`: one owner and one priority, so that the first stays the first, and what it was told must hold.
    """

    chance: random.Random
    plain: bool = False
    now: int = 0
    serial: int = 0
    ran: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[Waiting]] = field(default_factory=dict)
    running: dict[str, list[tuple[Running, int]]] = field(default_factory=dict)
    used: dict[str, dict[str, float]] = field(default_factory=dict)
    promised: dict[str, tuple[str, int]] = field(default_factory=dict)
    cleaned: set[str] = field(default_factory=set)
    shares: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    caps: dict[str, dict[str, Cap]] = field(default_factory=dict)

    def go(self) -> int:
        pick = self.chance
        self.plain = pick.random() < 0.5
        for at in range(pick.randint(2, 6)):
            domain = pick.choice([*CLASSES, ""])
            self.own[f"n{at}"] = domain
            self.nodes[f"n{at}"] = Node(f"n{at}", domain, pick.randint(1, 4), 2048, pick.choice([0, 0, 1]), "g")
        for one in CLASSES:
            self.waiting[one], self.running[one], self.used[one] = [], [], {}
            self.shares[one] = {(queue, owner): pick.choice((0.5, 1.0, 3.0)) for queue in QUEUES for owner in "xy"}
            names = [*map(of_queue, QUEUES), of_owner("x"), of_owner("y")]
            self.caps[one] = {
                name: Cap(pick.choice((None, 1, 2, 5)), pick.choice((None, 0, 1)))
                for name in names
                if not self.plain and pick.random() < 0.3
            }
        for step in range(24):
            if step < 12:
                self.arrive()
            for one in pick.sample(CLASSES, len(CLASSES)):
                self.turn(one)
            self.forward()
        return self.settled()

    def arrive(self) -> None:
        pick = self.chance
        for _ in range(pick.randint(0, 4)):
            self.serial += 1
            job = Waiting(
                f"j{self.serial}",
                "x" if self.plain else pick.choice("xy"),
                self.now,
                0 if self.plain else pick.choice([0, 0, 0, 1]),
                pick.choice([1, 1, 1, 2]),
                pick.randint(1, 3),
                512 * pick.randint(1, 2),
                pick.choice([0, 0, 0, 1]),
                wall_s=pick.randint(1, 20),
                preemptible=pick.random() < 0.3,
                queue="p" if self.plain else pick.choice(QUEUES),
            )
            self.waiting[pick.choice(CLASSES)].append(job)

    def turn(self, domain: str) -> None:
        running = [job for job, _ in self.running[domain]]
        waiting = self.waiting[domain]
        limits = Limits(self.shares[domain], {name: self.held(domain, name) for name in self.caps[domain]})
        made = plan(domain, waiting, running, list(self.nodes.values()), limits, self.used[domain], self.now)
        self.kept(domain, made)
        self.fair(domain, made)
        for name in made.takes:
            assert self.nodes[name].domain == "", "a node is taken that is not clean"
            self.nodes[name] = replace(self.nodes[name], domain=domain)
            self.cleaned.discard(name)
        by_id = {job.id: job for job in waiting}
        for start in made.starts:
            job = by_id[start.id]
            for name in start.on:
                assert self.nodes[name].domain == domain, "a job starts on a node that another class holds"
            ends = self.now + job.wall_s * S
            begun = Running(
                job.id, job.owner, start.on, ends, job.priority, job.cpus, job.memory_mb, job.gpus, job.preemptible,
                queue=job.queue,
            )  # fmt: skip
            early = self.now + self.chance.randint(1, job.wall_s) * S if self.chance.random() < 0.3 else ends
            self.running[domain].append((begun, early))
            used = self.used[domain]
            used[job.owner] = used.get(job.owner, 0.0) + float(job.cpus * job.nodes * job.wall_s)
        gone = {start.id for start in made.starts}
        self.waiting[domain] = [job for job in waiting if job.id not in gone]
        self.ran += len(gone)
        self.evict(domain, made)
        self.apart()

    def kept(self, domain: str, made: Plan) -> None:
        """While one job stays the first, its time moves forward only, whatever starts behind it.

        But where another class takes a clean node that was kept for it, and where an older job finds a place at last.
        """
        before = self.promised.pop(domain, None)
        place = {job.id: (job.order, job.id) for job in self.waiting[domain]}
        if any(place[start.id] < place[made.first] for start in made.starts if made.first):
            before = None
        if self.plain and made.first and all(self.nodes[name].domain for name in made.kept):
            if before is not None and before[0] == made.first:
                assert made.at <= max(before[1], self.now + 1), "a promised time is broken"
            self.promised[domain] = (made.first, made.at)

    def held(self, domain: str, name: str) -> Cap:
        """What the jobs of a queue or an owner hold now."""
        mine = [job for job, _ in self.running[domain] if name in (of_queue(job.queue), of_owner(job.owner))]
        cpus, gpus = (sum(getattr(job, of) * len(job.on) for job in mine) for of in ("cpus", "gpus"))
        return self.caps[domain][name]._replace(held_cpus=cpus, held_gpus=gpus)

    def fair(self, domain: str, made: Plan) -> None:
        """Of two jobs alike, at no limit, the one starts whose owner has had less for his share."""
        shares, by_id = self.shares[domain], {job.id: job for job in self.waiting[domain]}
        used, left = dict(self.used[domain]), set(by_id) - {start.id for start in made.starts}
        for start in made.starts:
            job = by_id[start.id]
            had = used.get(job.owner, 0.0) / shares[job.queue, job.owner]
            for id in left:
                other = by_id[id]
                if _size(other) == _size(job) and not {of_queue(other.queue), of_owner(other.owner)} & set(
                    self.caps[domain]
                ):
                    less = used.get(other.owner, 0.0) / shares[other.queue, other.owner]
                    assert had <= less, "who has had more for his share starts, and who has had less waits"
            used[job.owner] = used.get(job.owner, 0.0) + float(job.cpus * job.nodes * job.wall_s)

    def evict(self, domain: str, made: Plan) -> None:
        """Who makes way ends, and waits again."""
        stay = []
        for job, early in self.running[domain]:
            if job.id not in made.preempt:
                stay.append((job, early))
                continue
            assert job.preemptible
            left = max(1, (job.ends - self.now) // S)
            again = Waiting(
                job.id, job.owner, self.now, job.priority, len(job.on), job.cpus, job.memory_mb, job.gpus, wall_s=left,
                queue=job.queue,
            )  # fmt: skip
            self.waiting[domain].append(again)
        self.running[domain] = stay

    def apart(self) -> None:
        """One label on a node, and no more on it than it has."""
        for name, node in self.nodes.items():
            on = {domain for domain in CLASSES for job, _ in self.running[domain] if name in job.on}
            assert len(on) <= 1, "two labels on a node"
            assert on <= {node.domain}, "a node runs what it does not hold"
            jobs = [job for domain in CLASSES for job, _ in self.running[domain] if name in job.on]
            assert sum(job.cpus for job in jobs) <= node.cpus
            assert sum(job.memory_mb for job in jobs) <= node.memory_mb
            assert sum(job.gpus for job in jobs) <= node.gpus
        for domain in CLASSES:
            for name in self.caps[domain]:
                cap = self.held(domain, name)
                assert cap.cpus is None or cap.held_cpus <= cap.cpus, "a limit of CPUs is not kept"
                assert cap.gpus is None or cap.held_gpus <= cap.gpus, "a limit of GPUs is not kept"

    def forward(self) -> None:
        """To the next end; idle nodes that nobody owns are cleaned now and then, which is the only way to be clean."""
        ends = [early for jobs in self.running.values() for _, early in jobs]
        self.now = min(ends) if ends and self.chance.random() < 0.8 else self.now + S
        for domain, jobs in self.running.items():
            self.running[domain] = [(job, early) for job, early in jobs if early > self.now]
        busy = {name for jobs in self.running.values() for job, _ in jobs for name in job.on}
        for name, node in self.nodes.items():
            if node.domain and not self.own[name] and name not in busy and self.chance.random() < 0.3:
                self.nodes[name] = replace(node, domain="")
                self.cleaned.add(name)
                self.promised.pop(node.domain, None)

    def settled(self) -> int:
        """What the nodes of a class can hold has run, once nothing more has come for long enough."""
        for domain in CLASSES:
            while self.waiting[domain]:
                before = len(self.waiting[domain])
                self.turn(domain)
                if len(self.waiting[domain]) == before and not self.running[domain]:
                    break
                for _ in range(1000):
                    if not self.running[domain]:
                        break
                    self.forward()
            mine = [node for node in self.nodes.values() if node.domain == domain]
            for job in self.waiting[domain]:
                fit = [n for n in mine if (n.cpus, n.memory_mb, n.gpus) >= (job.cpus, 0, 0)]
                able = [n for n in fit if n.memory_mb >= job.memory_mb and n.gpus >= job.gpus]
                assert len(able) < job.nodes or self.beyond(domain, job), "a job that has room never ran"
        return self.ran

    def beyond(self, domain: str, job: Waiting) -> bool:
        """Whether it is larger than a limit of its own."""
        caps = [self.caps[domain].get(name, Cap(None, None)) for name in (of_queue(job.queue), of_owner(job.owner))]
        pairs = [
            (most, asked * job.nodes) for cap in caps for most, asked in ((cap.cpus, job.cpus), (cap.gpus, job.gpus))
        ]
        return any(most is not None and asked > most for most, asked in pairs)


def _size(job: Waiting) -> tuple[int, ...]:
    return job.priority, job.nodes, job.cpus, job.memory_mb, job.gpus, job.wall_s
