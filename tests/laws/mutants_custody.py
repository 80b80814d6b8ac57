"""Mutants of custody: a rule of lineage, freezing or containing broken, named after what is then found or lost."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

HOLD, REMEDY, DERIVED, FROZEN = (
    "casemate.custody.hold",
    "casemate.custody.remedy",
    "casemate.custody.derived",
    "casemate.access.withheld",
)


def _spill(name: str) -> Tested:
    return Tested(f"tests/custody/test_spill.py::{name}")


def _hold(name: str) -> Tested:
    return Tested(f"tests/custody/test_hold.py::{name}")


def _bucket(name: str) -> Tested:
    return Tested(f"tests/custody/test_spill_buckets.py::{name}")


ABSENT = _hold("test_what_is_frozen_is_as_absent_as_what_never_was")
SHREDDED = _spill("test_contained_and_shredded_no_word_of_it_is_left")
RELABELLED = _spill("test_relabelled_it_lies_at_the_true_label_and_nowhere_below")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "derived-answer-missed",
        "an answer that quotes what was spilled is served on",
        Edit("casemate.custody.walk:Walk._down", "found if self._quick else found + await self._given(one)", "found"),
        Tested("tests/custody/test_lineage.py::test_from_a_document_to_a_kept_answer_and_back"),
    ),
    (
        "frozen-still-found",
        "a search finds passages of what is frozen",
        Edit("casemate.knowledge.library:Library._seen", "removed.of(label) | cold", "removed.of(label)"),
        ABSENT,
    ),
    (
        "frozen-still-served",
        "whoever knows its id reads what is frozen",
        Edit(f"{FROZEN}:open_to", "if each.ref not in refs", "if True"),
        ABSENT,
    ),
    (
        "frozen-bytes-served",
        "the bytes of what is frozen are given to whoever knows their name",
        Edit(f"{FROZEN}:held_back", "(class_id, digest) in withheld(flow).blobs", "False"),
        _hold("test_the_gate_asks_before_it_serves_rows_children_and_bytes"),
    ),
    (
        "answer-goes-on",
        "an answer that had begun before a freeze leaves after it",
        Edit("casemate.access.leave:release", "if not sent and outcome not in UNSAID:", "if False:"),
        _hold("test_an_answer_that_began_before_does_not_leave"),
    ),
    (
        "read-while-frozen",
        "a document that is being read comes to rest after it was frozen",
        Edit(f"{HOLD}:_held", "if traced.touched:", "if False:"),
        _hold("test_a_document_that_is_being_read_does_not_come_to_rest"),
    ),
    (
        "shred-leaves-content",
        "the ledger keeps the words of what was destroyed",
        Edit(f"{REMEDY}:_forgets", "each.access.id == access.id and", "False and"),
        SHREDDED,
    ),
    (
        "shred-leaves-segments",
        "a shard keeps the passages of what was destroyed",
        Edit(f"{REMEDY}:_class", "if traced.take_out is not None and going:", "if False:"),
        SHREDDED,
    ),
    (
        "shred-leaves-copies",
        "what a segment held before it was merged stays on the disk",
        Edit(
            f"{REMEDY}:_orphans",
            "if not (files & set(copies(kinds, raw)) or quotes(raw, known, lengths)):",
            "if True:",
        ),
        Tested("tests/custody/test_reach.py::test_others_in_the_same_segment_are_found_on"),
    ),
    (
        "raised-to-where-it-was",
        "what was raised lies at its old label again",
        Edit(f"{REMEDY}:_onward", "above = gate.classes.of(label)", "above = access"),
        RELABELLED,
    ),
    (
        "one-officer-suffices",
        "one officer destroys what he likes in a region of two",
        Edit("casemate.accounts.agreed:agreed", "waiting[0].value.by == me", "False"),
        _hold("test_only_an_officer_orders_it_and_two_agree"),
    ),
    (
        "lifts-alone",
        "one officer lets out again what was held back",
        Edit("casemate.custody.spill:Spill.lift", 'await agreed(flow, f"spill lift {id}")', "[]"),
        _hold("test_it_is_lifted_by_two_and_everything_is_there_again"),
    ),
    (
        "lineage-shows-hidden",
        "a picture shows what another has asked",
        Edit("casemate.custody.walk:Walk.entries", "if self._everybody:", "if True:"),
        Tested("tests/custody/test_lineage.py::test_what_is_hidden_is_not_there_and_not_counted"),
    ),
    (
        "release-not-followed",
        "what was let out below is served on",
        Edit("casemate.custody.walk:Walk._named", 'if link.field == link.of == "id":', "if False:"),
        Tested("tests/custody/test_reach.py::test_what_was_released_below_is_found_and_held_back"),
    ),
    (
        "lineage-shows-anothers",
        "a file is somebody else's too",
        Edit("casemate.custody.walk:_shown", "if everybody or traced.shown is None or not found:", "if True:"),
        Tested("tests/custody/test_lineage.py::test_a_batch_leads_from_its_file_to_its_output"),
    ),
    (
        "beyond-forgotten",
        "what the officer does not see is never contained",
        Edit("casemate.custody.spill:Spill._beyond", 'if case.state in ("open", "working") or', "if True or"),
        _hold("test_what_the_officer_does_not_see_is_contained_and_not_told"),
    ),
    (
        "freeze-seen-late",
        "what is remembered of the store hides that something was frozen since",
        Edit("casemate.engines.sqlite_read:SqliteReader.tides", "kept is None or kept[0] != state", "kept is None"),
        Tested("tests/engines/test_sqlite_tides.py::test_what_is_acknowledged_is_seen_by_the_next_question"),
    ),
    (
        "shred-leaves-parts",
        "parts of an upload keep what was destroyed",
        Edit("casemate.custody.kinds:Traced.stays", 'and not (self.goes and how == "shred")', ""),
        _bucket("test_shredded_with_the_parts_that_were_copied_or_lie_at_its_place"),
    ),
    (
        "shred-leaves-uploads",
        "what was being uploaded to the place of what was destroyed lands there",
        Edit("casemate.custody.walk:Walk._down", "if self._beside and", "if False and"),
        _bucket("test_shredded_with_the_parts_that_were_copied_or_lie_at_its_place"),
    ),
    (
        "put-over-frozen",
        "a put that began before a freeze replaces what was frozen",
        Edit("casemate.buckets.objects:land", "expect=version)]", "expect=None)]"),
        _bucket("test_a_freeze_between_the_look_and_the_landing_of_a_put_wins"),
    ),
    (
        "copied-after-all",
        "a copy that was read before a containment lands after it",
        Edit("casemate.buckets.objects:_whole", "source not in barred and", ""),
        _bucket("test_a_copy_that_was_read_before_does_not_land_after"),
    ),
    (
        "part-after-all",
        "a part that was read before a containment lands after it",
        Edit("casemate.buckets.uploads:_stands", "or barred & set(put.parents)", ""),
        _bucket("test_what_is_frozen_under_way_is_gone_and_its_place_is_barred"),
    ),
    (
        "raised-without-a-past",
        "a copy that was raised is not found from what it was copied of",
        Edit("casemate.wiring.custody:_raised", "parents_of(flow, origins), expect=0", "expect=0"),
        _bucket("test_what_is_raised_keeps_its_lineage"),
    ),
    (
        "place-told",
        "an officer reads where files lie that are above him",
        Edit("casemate.wiring.custody:kinds", "and root.label <= flow.acting", ""),
        _bucket("test_of_a_dataset_in_place_the_record_goes_and_what_stays_is_named"),
    ),
    (
        "dies-for-good",
        "a containment that was interrupted is never ended",
        Edit("casemate.custody.spill:Spill.resume", 'each.value.state in ("open", "working")', "False"),
        Tested("tests/custody/test_resume.py::test_it_goes_on_by_itself"),
    ),
)
