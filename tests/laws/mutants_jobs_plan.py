"""Mutants of the planner: one line broken, named after who is held up, or what meets on a node."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

PLAN, ROOM = "casemate.jobs.plan", "casemate.jobs.plan_room"


def _test(name: str) -> Tested:
    return Tested(f"tests/jobs/test_plan.py::{name}")


# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "node-of-another",
        "a job starts on a node that another label holds",
        Edit(f"{PLAN}:_usable", 'node.domain in (domain, "")', "True"),
        _test("test_a_clean_node_is_taken_only_where_it_is_needed"),
    ),
    (
        "clean-node-untaken",
        "a clean node runs a label that nobody knows it to hold",
        Edit(f"{PLAN}:_taken", "if not mine[name].domain", "if mine[name].domain"),
        _test("test_a_clean_node_is_taken_only_where_it_is_needed"),
    ),
    (
        "running-forgotten",
        "a node gives what it has given already",
        Edit(f"{PLAN}:_Draft.__init__", "_plus(faces[name], job, -1)", "_plus(faces[name], job, 0)"),
        _test("test_the_lowest_makes_way_for_the_highest"),
    ),
    (
        "gang-in-part",
        "a job of many nodes starts on some of them",
        Edit(f"{ROOM}:Room.take", "if sum(len(self.alike[face]) for face in able) < size.nodes:", "if not able:"),
        _test("test_what_ends_in_time_goes_before"),
    ),
    (
        "gpu-of-any-type",
        "a job has a GPU that it cannot use",
        Edit(f"{ROOM}:fits", "face.gpu_type == size.gpu_type", "True"),
        _test("test_a_job_that_fits_nowhere_holds_nothing_up"),
    ),
    (
        "array-unbounded",
        "an array runs more at once than it may",
        Edit(f"{PLAN}:_Draft.start", "self.counts[job.group] >= job.parallel", "False"),
        _test("test_an_array_runs_as_many_as_it_may"),
    ),
    (
        "backfill-over-time",
        "small jobs hold up a large one for ever",
        Edit(f"{PLAN}:_Draft.start", "ends > self.at", "False"),
        _test("test_what_ends_in_time_goes_before"),
    ),
    (
        "reservation-forgotten",
        "what starts behind the first takes its nodes",
        Edit(f"{PLAN}:_Draft.reserve", "self.room.keep(kept, beyond)", "pass"),
        _test("test_what_ends_in_time_goes_before"),
    ),
    (
        "extra-held-twice",
        "what is left beside a reservation is given away twice",
        Edit(f"{ROOM}:_less", "face.late_cpus - size.cpus * bound", "face.late_cpus"),
        _test("test_what_is_left_beside_the_reservation_may_be_held_for_long"),
    ),
    (
        "equals-make-way",
        "a job is ended for one that matters no more than it",
        Edit(f"{PLAN}:_evicted", "one.priority < job.priority", "one.priority <= job.priority"),
        _test("test_the_lowest_makes_way_for_the_highest"),
    ),
    (
        "all-make-way",
        "a job is ended that may not be",
        Edit(f"{PLAN}:_evicted", "one.preemptible and", ""),
        _test("test_the_lowest_makes_way_for_the_highest"),
    ),
    (
        "shares-forgotten",
        "who asks for most gets most",
        Edit(f"{PLAN}:_Draft.start", "self.used[job.owner] +=", 'self.used[""] +='),
        _test("test_shares_are_kept_within_one_plan"),
    ),
)
