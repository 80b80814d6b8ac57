"""A limit that is reached stops at once whatever waits at it, and nothing else."""

from __future__ import annotations

from casemate.jobs.plan import Node, plan
from casemate.jobs.plan_limits import Cap, Limits, of_owner
from tests.jobs.test_plan import NOW, one


def test_a_limit_of_cpus_stops_nobody_who_wants_none() -> None:
    """Of many sizes behind it none starts; in another queue, by another owner, or without a CPU all do."""
    limits = Limits(caps={of_owner("x"): Cap(2, None)})
    waiting = [one(f"w{at}", wall_s=60 + at) for at in range(1, 9)]
    waiting += [one("w10", cpus=0), one("w11", "y"), one("w12", priority=-1), one("w13", cpus=0, priority=-1)]
    made = plan("a", waiting, [], [Node("n", "a", 8, 1 << 20)], limits, now=NOW)
    assert sorted(start.id for start in made.starts) == ["w1", "w10", "w11", "w13", "w2"]
