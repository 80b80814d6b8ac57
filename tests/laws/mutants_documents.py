"""Mutants of a document's life: one line of the source broken, named after the leak, with the test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

HERE = "casemate.knowledge"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


SOURCES, UPKEEP = "knowledge/watching/test_sources", "doors/native/test_upkeep"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "removal-rules-below",
        "what lies lower is taken away by a removal from above",
        Edit(f"{HERE}.documents.gone:Gone.rules", "at <= label and who == by", "who == by"),
        _test(UPKEEP, "test_a_document_is_removed_where_it_lies_and_above"),
    ),
    (
        "shards-keep-the-removed",
        "a search finds what was removed",
        Edit(f"{HERE}.documents.gone:Gone.of", "any(at <= label for at, _ in several)", "False"),
        _test(UPKEEP, "test_a_removal_at_the_lowest_label_takes_all_of_it"),
    ),
    (
        "removed-by-anybody",
        "somebody else's document is removed, and so told from one that never was",
        Edit(f"{HERE}.documents.document:brought_by", "if each.value.by == name", "if True"),
        _test(UPKEEP, "test_only_whoever_brought_it_removes_it"),
    ),
    (
        "update-told-at-the-floor",
        "an update is told at a label at which its predecessor never was",
        Edit(
            f"{HERE}.documents.bring:in_place_of",
            "for label in labels if not any(other <= label and other is not label for other in labels)",
            "for label in [floor]",
        ),
        _test(UPKEEP, "test_an_update_from_above_leaves_no_trace_where_nothing_was"),
    ),
    (
        "removed-is-still-known",
        "what was removed is told to be there when it is brought again",
        Edit(
            f"{HERE}.documents.bring:_held",
            "if not removed.rules(each.id, each.label, each.value.added_by)",
            "if True",
        ),
        _test(UPKEEP, "test_what_was_removed_is_not_known_when_it_is_brought_again"),
    ),
    (
        "near-beyond-the-class",
        "a near-duplicate in another class shows",
        Edit(f"{HERE}.documents.neighbours:_candidates", "other.ref.class_id == part.ref.class_id and ", ""),
        _test("knowledge/documents/test_near", "test_what_lies_in_other_classes_never_shows"),
    ),
    (
        "a-name-rides-down",
        "a part bears the name of its file",
        Edit(f"{HERE}.gather:_part", 'else ""', "else held.origin"),
        _test(SOURCES, "test_what_lies_there_comes_and_rests_by_its_marks"),
    ),
    (
        "place-without-its-label",
        "what lies in a place comes to rest below it",
        Edit(f"{HERE}.watching.source:add_source", "flow.floor | found.label", "flow.floor"),
        _test(SOURCES, "test_nothing_that_is_brought_rests_below_its_place_or_its_floor"),
    ),
    (
        "place-above-is-told",
        "a place above is told from one that is not",
        Edit(f"{HERE}.watching.source:Connectors.place", "found is None or not found.label <= acting", "found is None"),
        _test(SOURCES, "test_a_place_above_the_acting_label_is_none"),
    ),
    (
        "a-link-leads-out",
        "a watched folder shows what lies elsewhere",
        Edit(
            "casemate.engines.connect_folder:FolderConnector._opened",
            "os.open(step, _FOLDER, dir_fd=held)",
            "os.open(step, os.O_RDONLY, dir_fd=held)",
        ),
        _test("engines/test_connect_folder", "test_no_link_is_followed"),
    ),
    (
        "overtaken-writer-lands",
        "a stale writer brings back what was merged or removed",
        Edit(f"{HERE}.segments.rewrite:rewrite", "expect=version)", "expect=None)"),
        _test("knowledge/segments/test_rewrite", "test_of_two_writers_the_one_that_was_overtaken_lands_nothing"),
    ),
    (
        "review-forgets-the-floor",
        "what was put aside comes down when it is reviewed",
        Edit(f"{HERE}.documents.review:_again", "old.floor or found.label.text", "flow.floor.text"),
        _test("doors/native/test_review", "test_a_review_never_brings_anything_below_the_floor_at_which_it_came"),
    ),
    (
        "base-told-from-above",
        "how something low is read tells what was said of its base above",
        Edit(f"{HERE}.documents.bring:_ruled", "floor) or Base(base)", "flow.acting) or Base(base)"),
        _test("knowledge/segments/test_rewrite", "test_what_is_said_of_a_base_above_does_not_show_below"),
    ),
    (
        "raised-with-the-old-floor",
        "what was raised comes to rest lower again",
        Edit("casemate.access.settle:Hold.raised", '_record(flow, "", to,', '_record(flow, "", flow.floor,'),
        _test("access/test_settle", "test_what_is_raised_rests_nowhere_lower"),
    ),
    (
        "in-anothers-name",
        "anybody brings something as somebody else",
        Edit("casemate.access.settle:_serves", '"service" not in flow.session.principal.roles', "False"),
        _test("access/test_settle", "test_nobody_but_a_service_brings_in_anothers_name_or_from_above"),
    ),
)
