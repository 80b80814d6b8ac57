"""Who runs next: what fits, in which order, and what is kept for the first that does not."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.jobs import plan as planning
from casemate.jobs.plan import Assignment, Node, Plan, Running, Waiting, plan
from casemate.jobs.plan_limits import Cap, Limits, of_owner, of_queue

NOW = 1_000_000_000
SHARES = Limits({("", "x"): 2.0}, {of_owner("y"): Cap(3, 1)})
S = 1_000_000


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Waiting], list[Running], list[Node]]:
    """Nodes of two classes and clean ones, what runs on those of class `a`, and what waits at `a`."""
    nodes = [
        Node(
            f"n{at}",
            draw(st.sampled_from(["a", "a", "b", ""])),
            draw(st.integers(1, 8)),
            draw(st.integers(1, 4)) * 512,
            gpus := draw(st.integers(0, 2)),
            draw(st.sampled_from(["h200", "l4"])) if gpus else "",
        )
        for at in range(draw(st.integers(1, 5)))
    ]
    running: list[Running] = []
    for at in range(draw(st.integers(0, 6))):
        mine = [node for node in nodes if node.domain == "a"]
        one = Running(
            f"r{at}",
            draw(st.sampled_from("xyz")),
            tuple(node.name for node in mine if draw(st.booleans())),
            NOW + draw(st.integers(-5, 40)) * S,
            draw(st.integers(0, 2)),
            draw(st.integers(1, 4)),
            512,
            draw(st.integers(0, 1)),
            draw(st.booleans()),
            draw(st.sampled_from(["", "g"])),
        )
        if one.on and held(nodes, [*running, one]):
            running.append(one)
    waiting = [
        Waiting(
            f"w{at}",
            draw(st.sampled_from("xyz")),
            draw(st.integers(0, 20)),
            draw(st.integers(0, 2)),
            draw(st.sampled_from([1, 1, 1, 2, 3])),
            draw(st.integers(1, 8)),
            draw(st.integers(1, 4)) * 512,
            draw(st.sampled_from([0, 0, 1, 2])),
            draw(st.sampled_from(["", "h200"])),
            draw(st.integers(1, 50)),
            False,
            group := draw(st.sampled_from(["", "", "g"])),
            2 if group else 0,
        )
        for at in range(draw(st.integers(0, 10)))
    ]
    return waiting, running, nodes


def after(node: Node, jobs: list[Running]) -> tuple[int, int, int]:
    """What a node has left beside these."""
    on = [job for job in jobs if node.name in job.on]
    return (
        node.cpus - sum(job.cpus for job in on),
        node.memory_mb - sum(job.memory_mb for job in on),
        node.gpus - sum(job.gpus for job in on),
    )


def held(nodes: list[Node], jobs: list[Running]) -> bool:
    return all(min(after(node, jobs)) >= 0 for node in nodes)


def able(nodes: list[Node], jobs: list[Running], one: Waiting) -> list[str]:
    """The nodes on which it would find its part."""
    found = []
    for node in nodes:
        left = after(node, jobs)
        typed = not one.gpus or not one.gpu_type or node.gpu_type == one.gpu_type
        if typed and left[0] >= one.cpus and left[1] >= one.memory_mb and left[2] >= one.gpus:
            found.append(node.name)
    return found


def begun(made: Plan, waiting: list[Waiting]) -> list[Running]:
    by_id = {one.id: one for one in waiting}
    return [
        Running(
            start.id, one.owner, start.on, NOW + one.wall_s * S, one.priority, one.cpus, one.memory_mb, one.gpus, False,
            one.group,
        )
        for start in made.starts
        for one in [by_id[start.id]]
    ]  # fmt: skip


@given(scenes())
def test_capacity_is_never_exceeded(scene: tuple[list[Waiting], list[Running], list[Node]]) -> None:
    """Neither that of a node, nor that of an array; each job has all its nodes, and only such as its class may use."""
    waiting, running, nodes = scene
    made = plan("a", waiting, running, nodes, now=NOW)
    started = begun(made, waiting)
    by_id, by_name = {one.id: one for one in waiting}, {node.name: node for node in nodes}
    assert held(nodes, [*running, *started])
    assert len({start.id for start in made.starts}) == len(made.starts)
    for start in made.starts:
        assert len(set(start.on)) == len(start.on) == by_id[start.id].nodes
        assert {by_name[name].domain for name in start.on} <= {"a", ""}
        typed = by_id[start.id].gpu_type
        assert not (by_id[start.id].gpus and typed) or {by_name[name].gpu_type for name in start.on} == {typed}
    used = {name for start in made.starts for name in start.on}
    assert set(made.takes) == {name for name in used if not by_name[name].domain}
    if any(one.group for one in started):
        assert Counter(one.group for one in [*running, *started])["g"] <= 2


@given(scenes())
def test_the_reservation_is_never_delayed(scene: tuple[list[Waiting], list[Running], list[Node]]) -> None:
    """Whatever starts behind it, the first that found no place finds it when it was told, and no earlier."""
    waiting, running, nodes = scene
    made = plan("a", waiting, running, nodes, now=NOW)
    usable = [node for node in nodes if node.domain in ("a", "")]
    if not made.first:
        assert not made.kept
        assert not made.preempt
        return
    first = next(one for one in waiting if one.id == made.first)
    jobs = [*running, *begun(made, waiting)]
    assert len(able(usable, jobs, first)) < first.nodes
    if made.preempt:
        gone = [job for job in running if job.id in made.preempt]
        assert len(gone) == len(made.preempt)
        assert all(job.preemptible and job.priority < first.priority for job in gone)
        assert set(made.kept) <= set(able(usable, [job for job in jobs if job not in gone], first))
        return
    times = sorted({max(job.ends, NOW + 1) for job in jobs})
    free = {at: able(usable, [job for job in jobs if max(job.ends, NOW + 1) > at], first) for at in times}
    assert made.at == min(at for at in times if len(free[at]) >= first.nodes)
    assert set(made.kept) <= set(free[made.at])
    assert len(made.kept) == first.nodes


@given(scenes())
def test_nobody_makes_way_in_vain(scene: tuple[list[Waiting], list[Running], list[Node]]) -> None:
    """Without any one of those who make way there is no place."""
    waiting, running, nodes = scene
    made = plan("a", waiting, running, nodes, now=NOW)
    usable = [node for node in nodes if node.domain in ("a", "")]
    first = next((one for one in waiting if one.id == made.first), None)
    before = begun(Plan(made.starts[: _place(made, waiting)]), waiting)
    for spared in made.preempt:
        assert first is not None
        stay = [job for job in running if job.id not in made.preempt or job.id == spared]
        assert len(able(usable, [*stay, *before], first)) < first.nodes


def _place(made: Plan, waiting: list[Waiting]) -> int:
    """How many surely started before the first that found no place: those of higher priority."""
    by_id = {one.id: one for one in waiting}
    higher = [by_id[start.id].priority > by_id[made.first].priority for start in made.starts] if made.first else []
    return sum(higher)


@given(scenes())
def test_where_nobody_is_kept_waiting_everything_has_started(
    scene: tuple[list[Waiting], list[Running], list[Node]],
) -> None:
    """But what no nodes could hold, and what its array does not let run."""
    waiting, running, nodes = scene
    made = plan("a", waiting, running, nodes, now=NOW)
    usable = [node for node in nodes if node.domain in ("a", "")]
    started = {start.id for start in made.starts}
    if not made.first:
        for one in waiting:
            full = one.group and Counter(job.group for job in [*running, *begun(made, waiting)])[one.group] >= 2
            assert one.id in started or full or len(able(usable, [], one)) < one.nodes


@given(scenes(), st.randoms(use_true_random=False), st.lists(st.integers(1, 9), max_size=3))
def test_nothing_but_its_own_class_counts(
    scene: tuple[list[Waiting], list[Running], list[Node]], chance: random.Random, other: list[int]
) -> None:
    """Neither the order of the arguments, nor nodes of another class and what runs there; and twice is the same."""
    waiting, running, nodes = scene
    made = plan("a", waiting, running, nodes, SHARES, {"y": 7.0}, NOW)
    mine = [node for node in nodes if node.domain != "b"]
    away = [Node(f"b{at}", "b", cpus, 4096) for at, cpus in enumerate(other)]
    there = [Running(f"q{at}", "x", (node.name,), NOW + 5) for at, node in enumerate(away)]
    mixed = [*waiting], [*running, *there], [*mine, *away]
    for each in mixed:
        chance.shuffle(each)
    assert plan("a", *mixed, SHARES, {"y": 7.0}, NOW) == made
    assert plan("a", waiting, running, nodes, SHARES, {"y": 7.0}, NOW) == made
    ordered = sorted(waiting, key=lambda job: (job.order, job.id))  # those who come as they wait are not sorted again
    assert plan("a", ordered, running, nodes, SHARES, {"y": 7.0}, NOW) == made


def one(id: str, owner: str = "x", priority: int = 0, nodes: int = 1, cpus: int = 1, wall_s: int = 3600) -> Waiting:
    """A job whose order is the number in its id."""
    return Waiting(id, owner, int(id[1:]), priority, nodes, cpus, wall_s=wall_s)


def test_by_priority_then_by_order() -> None:
    """Two places: the highest priority has one, the oldest of the rest the other."""
    made = plan("a", [one("w3"), one("w2"), one("w9", priority=1)], [], [Node("n", "a", 2, 4096)], now=NOW)
    assert [start.id for start in made.starts] == ["w9", "w2"]
    assert made.first == "w3"


def test_shares_are_kept_within_one_plan() -> None:
    """Three places for one share, one for the other: who has twice the share has twice the places."""
    waiting = [one(f"w{at}", "xy"[at % 2]) for at in range(40)]
    made = plan("a", waiting, [], [Node("n", "a", 12, 1 << 20)], Limits({("", "x"): 2.0, ("", "y"): 1.0}), {}, NOW)
    owners = Counter("xy"[int(start.id[1:]) % 2] for start in made.starts)
    assert owners == {"x": 8, "y": 4}


def test_who_has_used_less_goes_first() -> None:
    """An owner without a share goes last of all."""
    waiting = [one("w1", "x"), one("w2", "y"), one("w0", "z")]
    limits = Limits({("", "z"): 0.0})
    made = plan("a", waiting, [], [Node("n", "a", 2, 4096)], limits, {"x": 9.0, "y": 1.0, "z": 0.0}, NOW)
    assert [start.id for start in made.starts] == ["w2", "w1"]


def test_shares_are_of_a_queue() -> None:
    """What an owner has by one queue counts against him in the other too, there by his share of that one."""
    waiting = [replace(one(f"w{at}", "xy"[at % 2]), queue="pq"[at // 20]) for at in range(40)]
    limits = Limits({("p", "x"): 3.0, ("q", "x"): 3.0})
    made = plan("a", waiting, [], [Node("n", "a", 16, 1 << 20)], limits, {}, NOW)
    assert Counter("xy"[int(start.id[1:]) % 2] for start in made.starts) == {"x": 12, "y": 4}
    only = Limits({("p", "x"): 3.0})
    made = plan("a", waiting, [], [Node("n", "a", 16, 1 << 20)], only, {"x": 4 * 3600.0, "y": 4 * 3600.0}, NOW)
    assert made.starts[0].id == "w0"
    assert {("pq"[int(s.id[1:]) // 20], "xy"[int(s.id[1:]) % 2]) for s in made.starts} >= {("p", "x"), ("p", "y")}


def test_a_queue_has_no_more_than_its_share() -> None:
    """Three CPUs of eight, of which another job holds one already: two start, and the rest is for other queues."""
    waiting = [replace(one(f"w{at}"), queue="night") for at in range(6)] + [one("w9")]
    limits = Limits(caps={of_queue("night"): Cap(3, None, 1)})
    made = plan("a", waiting, [], [Node("n", "a", 8, 1 << 20)], limits, now=NOW)
    assert [start.id for start in made.starts] == ["w0", "w1", "w9"]
    assert made.first == ""


def test_an_owner_has_no_more_than_his_limit() -> None:
    """CPUs and GPUs each for itself, in every queue: who takes no GPU is not held up by too many of them."""
    gpu = [Waiting(f"w{at}", "x", at, gpus=1, queue=f"q{at}") for at in range(3)]
    limits = Limits(caps={of_owner("x"): Cap(None, 2, 0, 1)})
    made = plan("a", [*gpu, one("w7", "y"), one("w8")], [], [Node("n", "a", 9, 1 << 20, 9)], limits, now=NOW)
    assert sorted(start.id for start in made.starts) == ["w0", "w7", "w8"]


def test_who_waits_at_a_limit_is_not_overtaken_within_it() -> None:
    """The large one would wait for ever behind small ones; one that no limit could ever hold is passed over."""
    limits = Limits(caps={of_owner("x"): Cap(4, None, 2)})
    waiting = [one("w1", cpus=3), one("w2"), one("w3", "y")]
    made = plan("a", waiting, [], [Node("n", "a", 8, 1 << 20)], limits, now=NOW)
    assert [start.id for start in made.starts] == ["w3"]
    assert made.first == ""
    waiting = [one("w1", cpus=5), one("w2"), one("w3")]
    made = plan("a", waiting, [], [Node("n", "a", 8, 1 << 20)], limits, now=NOW)
    assert [start.id for start in made.starts] == ["w2", "w3"]


def test_a_reservation_holds_its_part_of_a_limit() -> None:
    """What starts before the first does not take what the first may have at its time."""
    nodes = [Node("n", "a", 4, 1 << 20)]
    running = [Running("r", "y", ("n",), NOW + 10 * S, cpus=3)]
    limits = Limits(caps={of_owner("x"): Cap(4, None)})
    waiting = [one("w1", cpus=4), one("w2", wall_s=5), one("w3", "z", wall_s=5)]
    made = plan("a", waiting, running, nodes, limits, now=NOW)
    assert (made.first, [start.id for start in made.starts]) == ("w1", ["w3"])


def test_what_ends_in_time_goes_before() -> None:
    """Two nodes, one held for 10 s; a job of both waits. A short one fits before it, a long one nowhere."""
    nodes = [Node("n1", "a", 1, 4096), Node("n2", "a", 1, 4096)]
    running = [Running("r", "x", ("n1",), NOW + 10 * S)]
    gang = one("w1", nodes=2)
    made = plan("a", [gang, one("w2", wall_s=11), one("w3", wall_s=10)], running, nodes, now=NOW)
    assert made == Plan((Assignment("w3", ("n2",)),), (), (), "w1", ("n1", "n2"), NOW + 10 * S)


def test_what_is_left_beside_the_reservation_may_be_held_for_long() -> None:
    """A node of four: one is held, the first needs three of them, so one is left for as long as anybody likes."""
    nodes = [Node("n1", "a", 4, 1 << 20)]
    running = [Running("r", "x", ("n1",), NOW + 10 * S, cpus=2)]
    waiting = [one("w1", cpus=3), one("w2", wall_s=9999), one("w3", wall_s=9999)]
    made = plan("a", waiting, running, nodes, now=NOW)
    assert [start.id for start in made.starts] == ["w2"]


def test_the_lowest_makes_way_for_the_highest() -> None:
    """Only what may be ended, and only for a higher priority; it starts once its place is free."""
    nodes = [Node("n1", "a", 2, 4096)]
    low = Running("r1", "x", ("n1",), NOW + 99 * S, 0, 1, 512, 0, preemptible=True)
    mid = Running("r2", "x", ("n1",), NOW + 50 * S, 1, 1, 512, 0, preemptible=True)
    made = plan("a", [one("w1", priority=2)], [low, mid], nodes, now=NOW)
    assert (made.preempt, made.first, made.kept, made.at) == (("r1",), "w1", ("n1",), NOW)
    assert plan("a", [one("w1", priority=2, cpus=2)], [low, mid], nodes, now=NOW).preempt == ("r1", "r2")
    assert plan("a", [one("w1", priority=1, cpus=2)], [low, mid], nodes, now=NOW).preempt == ()
    bound = replace(low, preemptible=False)
    assert plan("a", [one("w1", priority=2)], [bound, mid], nodes, now=NOW).preempt == ("r2",)
    assert plan("a", [one("w1", priority=2)], [mid], nodes, now=NOW).starts == (Assignment("w1", ("n1",)),)


def test_a_clean_node_is_taken_only_where_it_is_needed() -> None:
    """The class fills its own nodes first; two classes never meet on one."""
    nodes = [Node("c", "", 4, 4096), Node("n", "a", 1, 4096), Node("o", "b", 4, 4096)]
    made = plan("a", [one("w1"), one("w2")], [], nodes, now=NOW)
    assert made.starts == (Assignment("w1", ("n",)), Assignment("w2", ("c",)))
    assert made.takes == ("c",)


def test_an_array_runs_as_many_as_it_may() -> None:
    """What its array holds back keeps nothing from others."""
    nodes = [Node("n", "a", 8, 1 << 20)]
    waiting = [Waiting(f"w{at}", "x", at, group="g", parallel=3) for at in range(6)] + [one("w9")]
    made = plan("a", waiting, [Running("r", "x", ("n",), NOW + S, group="g")], nodes, now=NOW)
    assert [start.id for start in made.starts] == ["w0", "w1", "w9"]
    assert made.first == ""


def test_a_job_that_fits_nowhere_holds_nothing_up() -> None:
    """No node has a GPU of that type, and none has so many CPUs."""
    nodes = [Node("n", "a", 2, 4096, 1, "l4")]
    waiting = [one("w1", cpus=3), Waiting("w2", "x", 2, gpus=1, gpu_type="h200"), Waiting("w3", "x", 3, gpus=1)]
    made = plan("a", waiting, [], nodes, now=NOW)
    assert [start.id for start in made.starts] == ["w3"]
    assert made.first == ""


def test_a_job_that_takes_nothing() -> None:
    """It has a place, and the node stays as it was."""
    waiting = [Waiting(f"w{at}", "x", at, cpus=0, memory_mb=0) for at in range(3)]
    made = plan("a", waiting, [], [Node("n", "a", 0, 0)], now=NOW)
    assert len(made.starts) == 3


def test_behind_the_reservation_only_so_many_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands further behind waits for the next plan."""
    monkeypatch.setattr(planning, "DEPTH", 2)
    nodes = [Node("n", "a", 2, 1 << 20)]
    running = [Running("r", "x", ("n",), NOW + 10 * S)]
    long = [one(f"w{at}", cpus=2, wall_s=100 + at) for at in range(1, 6)]
    made = plan("a", [*long, one("w7", wall_s=5), one("w8", wall_s=5, priority=-1)], running, nodes, now=NOW)
    assert made.first == "w1"
    assert made.starts == ()


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_stream_of_small_ones_starves_nobody(seed: int, wide: int) -> None:
    """A job of every node begins when it was told, however many small ones keep coming."""
    chance = random.Random(seed)
    nodes = [Node(f"n{at}", "a", 2, 1 << 20) for at in range(wide)]
    running = [
        Running(f"r{at}", "x", (node.name,), NOW + chance.randint(1, 30) * S, cpus=chance.randint(1, 2))
        for at, node in enumerate(nodes)
    ]
    big, now, serial, told = Waiting("big", "x", 0, nodes=wide, cpus=2), NOW, 0, NOW + 31 * S
    waiting = [big]
    while now <= told:
        for _ in range(3):
            serial += 1
            waiting.append(Waiting(f"s{serial}", "x", serial, wall_s=chance.randint(1, 20)))
        made = plan("a", waiting, running, nodes, now=now)
        if made.starts and made.starts[0].id == "big":
            return
        assert made.first == "big"
        assert made.at <= told
        told = made.at
        by_id = {each.id: each for each in waiting}
        for start in made.starts:
            job = by_id[start.id]
            running.append(Running(job.id, "x", start.on, now + job.wall_s * S))
        gone = {start.id for start in made.starts}
        waiting = [each for each in waiting if each.id not in gone]
        now = min(job.ends for job in running)
        running = [job for job in running if job.ends > now]
    raise AssertionError("it was told a time, and did not begin")
