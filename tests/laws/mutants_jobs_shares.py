"""Mutants of shares and limits: one line broken, named after who has more than he may, or what another class tells."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

LIMITS, BOUNDS, SHARES = "casemate.jobs.limits", "casemate.jobs.plan_limits", "casemate.jobs.shares"


def _plan(name: str) -> Tested:
    return Tested(f"tests/jobs/test_plan.py::{name}")


def _loop(name: str) -> Tested:
    return Tested(f"tests/jobs/test_limits.py::{name}")


# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "limit-forgotten-by-a-change",
        "a service of one replica becomes one of sixty-four",
        Edit(
            "casemate.jobs.submit:Jobs.update",
            "turn = await admitted(flow, [made.spec], instead=job.spec)",
            "turn = None",
        ),
        _loop("test_a_service_that_is_changed_counts_as_one_that_is_asked_for"),
    ),
    (
        "limit-unkept",
        "an owner holds more at once than he may",
        Edit(f"{BOUNDS}:Bounds.admits", "held + asked > most", "False"),
        _plan("test_a_queue_has_no_more_than_its_share"),
    ),
    (
        "limit-overtaken",
        "small jobs hold up a large one of the same limit for ever",
        Edit(f"{BOUNDS}:Bounds.admits", "self._shut.update(full)", "pass"),
        _plan("test_who_waits_at_a_limit_is_not_overtaken_within_it"),
    ),
    (
        "limit-given-twice",
        "what starts does not count against its limit",
        Edit(f"{BOUNDS}:Bounds.hold", "cap.held_cpus + cpus", "cap.held_cpus"),
        _plan("test_a_queue_has_no_more_than_its_share"),
    ),
    (
        "use-for-ever",
        "what was used years ago counts as what was used today",
        Edit(f"{SHARES}:decayed", "0.5 **", "1.0 **"),
        _loop("test_use_is_halved_each_day_and_grows_with_no_clock"),
    ),
    (
        "use-of-another-class",
        "who goes first depends on what was used at another label",
        Edit("casemate.jobs.desk:Desk.load", "one.ref.class_id == flow.access.id", "True"),
        _loop("test_what_was_used_below_counts_nothing_above"),
    ),
    (
        "job-beyond-its-quota",
        "a job is taken that its owner may not have run",
        Edit(f"{LIMITS}:admitted", "many > most", "False"),
        _loop("test_a_job_beyond_its_owners_limit_is_refused_by_name"),
    ),
    (
        "quota-raced",
        "whoever asks often enough at the same time has more jobs than he may",
        Edit(f"{LIMITS}:admitted", "return Put(JOB_TURN,", "return None and Put(JOB_TURN,"),
        _loop("test_a_hundred_at_once_are_no_more_than_the_limit"),
    ),
    (
        "quota-of-arrays",
        "an array counts as one job, whatever it holds",
        Edit(f"{LIMITS}:_many", "max(1, spec.array.size)", "1"),
        _loop("test_an_owner_has_so_many_open_jobs_at_each_label"),
    ),
    (
        "queue-without-share",
        "a queue holds all of an engine",
        Edit(f"{LIMITS}:Rules.limits", "queue.max_share < 100", "False"),
        _loop("test_a_queue_holds_no_more_than_its_share"),
    ),
    (
        "queue-names-unmarked",
        "a mark in the name of a share is not looked for",
        Edit("casemate.doors.native.job_queues:_changed", "*(request.shares or {})", "*()"),
        Tested("tests/doors/native/test_job_queues.py::test_a_mark_in_a_name_of_a_share_is_looked_for"),
    ),
    (
        "definition-words-unmarked",
        "a mark in a parameter of a definition is not looked for",
        Edit("casemate.doors.native.jobs:_said", "*request.parameters.values()", "*()"),
        Tested("tests/doors/native/test_job_queues.py::test_a_definition_is_added_shown_submitted_and_retired"),
    ),
)
