"""Mutants of what the attacks on custody found: one line of the source broken, and the attack that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/attacks/{file}.py::{name}")


CUSTODY, S3 = "test_custody", "test_s3"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "s3-object-runs",
        "a page that somebody kept runs with the console's cookie",
        Edit("casemate.doors.s3.said:told", "*_INERT,", ""),
        _test(S3, "test_an_object_runs_nothing_in_the_consoles_origin"),
    ),
    (
        "s3-key-stripped",
        "another object is removed than the one that was named",
        Edit("casemate.doors.s3.objects:remove_many", 'each.exactly("Key")', 'each.one("Key")'),
        _test(S3, "test_removing_a_key_with_a_space_removes_no_other"),
    ),
    (
        "s3-mark-beside",
        "a mark in what is said beside an object is not looked for",
        Edit("casemate.doors.s3.said:looked_at", "*headers,", ""),
        _test(S3, "test_marks_in_what_is_said_beside_are_looked_for"),
    ),
    (
        "frozen-prefix",
        "the key of what is frozen is told as a common prefix",
        Edit("casemate.buckets.listing:listed", "if doubtful and seen is None:", "if False:"),
        _test(CUSTODY, "test_the_names_of_what_is_frozen_are_in_no_listing"),
    ),
    (
        "frozen-replaced",
        "what is frozen is replaced, and what replaced it is shown to nobody",
        Edit("casemate.buckets.objects:land", "if ref in flow.barred(OBJECT):", "if False:"),
        _test(CUSTODY, "test_a_key_that_is_frozen_takes_no_new_object_in_vain"),
    ),
    (
        "half-acknowledged",
        "an object is acknowledged of which a containment has destroyed a piece",
        Edit(
            "casemate.buckets.objects:land", "await _whole(flow, ref, record, receipt.versions[0], made.source)", "pass"
        ),
        _test(CUSTODY, "test_what_is_poured_while_a_spill_is_shredded_is_whole_or_refused"),
    ),
    (
        "sweep-frozen",
        "whoever scrubs sweeps the bytes of what is frozen",
        Edit(
            "casemate.custody.scrub:Scrub._names",
            'flow if sees_all(flow) else await seen_from(cast("Gate", flow.gate), flow.acting)',
            "flow",
        ),
        _test(CUSTODY, "test_an_operator_who_scrubs_sweeps_nothing_that_is_frozen"),
    ),
    (
        "hundred-keys",
        "a key that was to be destroyed lives on behind a hundred others",
        Edit("casemate.access.destroyed:_Destroyer.step", "if after is None:", "if True:"),
        _test(CUSTODY, "test_every_key_that_is_doomed_is_destroyed"),
    ),
    (
        "steered",
        "a name steers the terminal on which it is told",
        Edit("casemate.cli.talk:harmless", '_STEERS.sub("\\ufffd", text)', "text"),
        _test(CUSTODY, "test_no_name_steers_a_terminal"),
    ),
)
