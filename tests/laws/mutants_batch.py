"""Mutants of the Batch wire and of the names behind it: one line broken, named after the leak, and who sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

WIRE, QUEUES = "casemate.doors.batch", "casemate.jobs.queues"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/doors/batch/test_{file}.py::{name}")


# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "batch-header-unsigned",
        "whoever is on the way says at which label a job lies",
        Edit(f"{WIRE}.credential:shown_by", "loose or ", ""),
        _test("labels", "test_what_decides_is_signed"),
    ),
    (
        "batch-other-service",
        "what was signed for another service is taken here",
        Edit(f"{WIRE}.credential:shown_by", "or said.service not in _SERVICES", ""),
        _test("labels", "test_what_decides_is_signed"),
    ),
    (
        "batch-tag-passed-over",
        "a job lies below the label that was stated",
        Edit(f"{WIRE}.acting:writing", "return said or asked", "return asked"),
        _test("labels", "test_the_label_of_a_write"),
    ),
    (
        "batch-two-labels",
        "one of two stated labels is passed over",
        Edit(f"{WIRE}.acting:writing", "said.strip() != asked.strip()", "False"),
        _test("labels", "test_the_label_of_a_write"),
    ),
    (
        "batch-definition-label-passed-over",
        "a job lies elsewhere than its definition says",
        Edit(f"{WIRE}.submit:submit", 'or found.value.tags.get(LABEL, "")', 'or ""'),
        _test("labels", "test_a_definition_says_its_label"),
    ),
    (
        "batch-own-tag-told",
        "a tag of the wire's own is told as the caller's",
        Edit(f"{WIRE}.spec:public", "if name not in OWN", ""),
        _test("jobs", "test_a_job_from_its_definition_to_its_end"),
    ),
    (
        "queue-shut-and-taken",
        "a queue that is shut takes jobs",
        Edit(f"{QUEUES}:Queues.applied", "not queue.enabled", "False"),
        _test("definitions", "test_queues"),
    ),
    (
        "queue-floor-forgotten",
        "a job is isolated less than its queue asks",
        Edit(f"{QUEUES}:Queues.applied", "max(spec.floor, queue.floor)", "spec.floor"),
        _test("definitions", "test_a_queue_with_a_floor"),
    ),
    (
        "revision-twice",
        "a number that was retired is given again",
        Edit(f"{QUEUES}:Queues._last", 'Where((("name", name),))', 'Where((("name", name[:-1]),))'),
        _test("definitions", "test_revisions"),
    ),
    (
        "retired-definition-runs",
        "a definition that was retired makes jobs",
        Edit(f"{WIRE}.submit:submit", "not found.value.active", "False"),
        _test("jobs", "test_a_definition_that_was_retired_makes_no_jobs"),
    ),
)
