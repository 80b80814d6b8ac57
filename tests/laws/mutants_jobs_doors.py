"""Mutants of the doors of jobs: one line broken, named after what is told, kept or done that should not be."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

NATIVE = "tests/doors/native/test_jobs.py"
CONSOLE = "tests/console/test_jobs.py"
CLI = "tests/cli/test_job.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "job-token-told",
        "whoever sees a job may claim the folder of its attempt",
        Edit("casemate.doors.native.jobs_told:_attempt", '("n", "state"', '("token", "n", "state"'),
        Tested(f"{NATIVE}::test_one_job_is_kept_at_the_acting_label_and_told_without_its_token"),
    ),
    (
        "job-commands-to-operators",
        "whoever only runs the region reads commands and environments",
        Edit("casemate.doors.native.jobs_told:told", "if _reads(flow) else", "if True else"),
        Tested(f"{NATIVE}::test_whoever_runs_the_region_ends_jobs_and_reads_none"),
    ),
    (
        "job-counts-of-below",
        "what waits at another label stands in the counts",
        Edit("casemate.jobs.submit:Jobs.top", "found.ref.class_id == flow.access.id", "True"),
        Tested(f"{NATIVE}::test_top_counts_the_acting_class_alone"),
    ),
    (
        "job-text-unmarked",
        "a mark in the name of a job is not looked for",
        Edit("casemate.doors.native.jobs_told:written", "yield from (spec.name, *spec.command)", "yield from ()"),
        Tested(f"{NATIVE}::test_a_mark_in_what_was_typed_raises_or_refuses"),
    ),
    (
        "job-ended-unasked",
        "a form that was sent by a slip ends a job",
        Edit("casemate.doors.console.jobs:_sure", "if not ticked:", "if False:"),
        Tested(f"{CONSOLE}::test_a_job_is_ended_and_made_again_only_with_a_yes"),
    ),
    (
        "job-file-written-over",
        "what came out of a job takes the place of a file that came to stand there meanwhile",
        Edit("casemate.cli.job_artefact:keep", "target.hardlink_to(part.name)", "Path(part.name).replace(target)"),
        Tested(f"{CLI}::test_a_file_that_came_to_stand_there_meanwhile_stays"),
    ),
    (
        "job-bytes-uncompared",
        "other bytes than those that were recorded are kept as what came out",
        Edit("casemate.cli.job_artefact:_take", "if digest and seen.hexdigest() != digest:", "if False:"),
        Tested(f"{CLI}::test_bytes_that_are_others_than_were_recorded_are_not_kept"),
    ),
    (
        "job-steers-terminal",
        "what a job says steers the terminal of whoever follows it",
        Edit("casemate.cli.job_follow:show", "print(harmless(", "print(str("),
        Tested(f"{CLI}::test_what_a_job_says_steers_no_terminal"),
    ),
)
