"""Mutants of knowledge: one line of the source broken, named after the leak or the harm, with the test that sees it.

What is done with documents, bases and sources, by people, programs and loops. Retrieval: `mutants_retrieval`.
"""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

HERE, ACCESS = "casemate.knowledge", "casemate.access"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


UPKEEP, SHELF, SOURCES = "doors/native/test_upkeep", "knowledge/shelf/test_shelf", "knowledge/watching/test_sources"
LIBRARIES, REWRITE = "knowledge/test_library", "knowledge/segments/test_rewrite"
STORES = "doors/openai/test_vector_stores"

UNKNOWN = _test(UPKEEP, "test_a_base_of_which_all_is_gone_is_unknown_before_and_after")
NARROWED = _test(UPKEEP, "test_a_search_is_narrowed_by_what_is_said_now")
REMOVED = _test(UPKEEP, "test_a_document_is_removed_where_it_lies_and_above")
DESCRIBED_ABOVE = _test(SHELF, "test_what_is_said_of_a_part_above_is_said_of_that_part_alone")

DEEDS = (
    (
        "volume-of-anybody",
        "the documents of somebody else's file are named",
        Edit(
            f"{HERE}.documents.document:members",
            'found.value.by == name or "service" in flow.session.principal.roles',
            "True",
        ),
        _test("knowledge/documents/test_members", "test_a_volume_is_replaced_and_removed_as_one"),
    ),
    (
        "replaced-below-the-floor",
        "an update takes away what lies below the floor of whoever brings it",
        Edit(f"{HERE}.documents.bring:in_place_of", "if floor <= piece.label", ""),
        _test(UPKEEP, "test_a_successor_that_was_removed_is_none"),
    ),
    (
        "stated-below-its-floor",
        "a low session states a label below the floor at which a file came",
        Edit("casemate.access.settle:restate", "parse(held.floor) | flow.floor", "flow.floor"),
        _test("access/test_settle", "test_what_was_brought_at_a_floor_is_stated_nowhere_below_it"),
    ),
    (
        "whole-in-portions",
        "a base that labels whole documents shows their low portions",
        Edit(f"{HERE}.gather:_whole", "label=marked.label, ", ""),
        _test(REWRITE, "test_a_base_is_read_from_the_floor_as_it_was_told_there"),
    ),
    (
        "removed-from-above",
        "a removal above writes about what lies lower",
        Edit(f"{HERE}.documents.remove:_at", "if flow.acting <= each.label", ""),
        _test(UPKEEP, "test_what_lies_below_is_not_removed_from_above"),
    ),
    (
        "described-by-anybody",
        "somebody else's document is described, and so told from one that never was",
        Edit(f"{HERE}.documents.remove:describe", "await here(flow, id)", "pass"),
        _test(UPKEEP, "test_only_whoever_brought_it_removes_it"),
    ),
    (
        "described-from-above",
        "what is said above is said of what lies lower",
        Edit(f"{HERE}.documents.described:Described._ruling", "if each.label <= label", ""),
        NARROWED,
    ),
    (
        "first-description-rules",
        "what was said last does not count",
        Edit(f"{HERE}.documents.described:Described._ruling", "max(seen", "min(seen"),
        NARROWED,
    ),
    (
        "raised-and-still-below",
        "a document whose label was too low stays where it was",
        Edit(f"{HERE}.documents.relabel:relabel", "[removal(flow, id, found.value.base)]", "[]"),
        _test(UPKEEP, "test_a_document_is_raised_and_nothing_of_it_stays_below"),
    ),
    (
        "raised-and-still-waiting",
        "a file that was raised before it was read comes to rest below too",
        Edit(f"{HERE}.documents.relabel:relabel", "changes.append(Delete(HELD, id, expect=found.version))", "pass"),
        _test(UPKEEP, "test_what_waits_is_raised_too"),
    ),
    (
        "raised-beside",
        "somebody delivers where he may not write",
        Edit(f"{ACCESS}.settle:Hold.raised", "isinstance(decision, Refuse)", "False"),
        _test("access/test_settle", "test_nothing_is_raised_down_or_beside"),
    ),
    (
        "withdrawn-by-anybody",
        "anybody says of somebody else's document that it is no longer there",
        Edit(f"{ACCESS}.settle:Hold.withdrawn", "_serves(flow, floor)", "pass"),
        _test("access/test_settle", "test_nobody_but_a_service_brings_in_anothers_name_or_from_above"),
    ),
    (
        "in-place-of-nothing",
        "a document of somebody else's is named as the one that was replaced",
        Edit(f"{HERE}.documents.bring:add", "if not hold.replaces:", "if False:"),
        _test(UPKEEP, "test_what_is_not_ones_own_here_is_not_replaced"),
    ),
    (
        "removed-and-opened",
        "a document is opened by its id after it was removed",
        Edit(
            f"{HERE}.documents.document:_visible",
            "if not removed.rules(id, each.label, each.value.by)",
            "",
        ),
        REMOVED,
    ),
    (
        "removed-and-listed",
        "a document is listed after it was removed",
        Edit(f"{HERE}.documents.document:listed", "if not removed.rules(f.id, f.label, f.value.added_by)", ""),
        REMOVED,
    ),
    (
        "removed-and-reviewed",
        "what was put aside is shown after it was removed",
        Edit(
            f"{HERE}.documents.review:under_review",
            "if not removed.rules(each.id, each.label, each.value.added_by)",
            "",
        ),
        _test("doors/native/test_review", "test_a_review_reads_again_or_removes"),
    ),
    (
        "reviewed-above-the-acting-label",
        "whoever reviews states a label at which he does not act",
        Edit(f"{HERE}.documents.review:_again", "flow.floor <= label <= flow.acting", "flow.floor <= label"),
        _test("doors/native/test_review", "test_what_was_put_aside_is_reviewed_by_whoever_brought_it"),
    ),
    (
        "removed-and-near",
        "a near-duplicate shows after it was removed",
        Edit(
            f"{HERE}.documents.neighbours:_candidates",
            " and not removed.rules(other.id, other.label, other.value.by)",
            "",
        ),
        _test("knowledge/documents/test_near", "test_what_is_gone_is_near_to_nothing"),
    ),
    (
        "removed-and-counted",
        "a base counts what was removed from it",
        Edit(f"{HERE}.bases:bases", "if not removed.rules(f.id, f.label, f.value.by)", ""),
        UNKNOWN,
    ),
    (
        "removed-and-copied",
        "what was removed is in the world that a proof compares with",
        Edit(f"{HERE}.world:copied", "if not removed.rules(f.id, f.label, f.value.by)", ""),
        _test(LIBRARIES, "test_a_copy_holds_nothing_that_was_removed"),
    ),
    (
        "successor-that-was-removed",
        "a document is said to be replaced by one that was removed",
        Edit(f"{HERE}.documents.lineage:lineage", "if not _ruled(each, removed)", ""),
        _test(UPKEEP, "test_a_successor_that_was_removed_is_none"),
    ),
    (
        "segments-of-all-labels",
        "a piece is told by the segments of other labels",
        Edit(f"{HERE}.documents.lineage:_piece", "segments.get(part.ref.class_id, 0)", "sum(segments.values())"),
        _test(UPKEEP, "test_lineage_tells_what_is_seen_and_the_file_lies_with_the_whole"),
    ),
)

BASES = (
    (
        "forgotten-for-another-class",
        "a loop of one class takes out the rows of another",
        Edit(f"{HERE}.segments.forget:_ruled", "row.ref.class_id == flow.access.id", "True"),
        _test(UPKEEP, "test_forgetting_changes_no_byte_and_leaves_nothing"),
    ),
    (
        "base-ruled-from-above",
        "how something low is read tells what was said of its base above",
        Edit(f"{HERE}.base:ruling", "if found.label <= label", ""),
        _test(REWRITE, "test_what_is_said_of_a_base_above_does_not_show_below"),
    ),
    (
        "anybodys-base",
        "somebody says what another's base is",
        Edit(f"{HERE}.bases:make", "before.value.by != flow.session.principal.name", "False"),
        _test(REWRITE, "test_a_base_is_changed_by_whoever_said_it_and_given_up"),
    ),
    (
        "given-up-from-above",
        "giving up a base above takes away what lies lower in it",
        Edit(f"{HERE}.bases:_brought", " and flow.acting <= one.label", ""),
        _test(REWRITE, "test_a_base_is_changed_by_whoever_said_it_and_given_up"),
    ),
    (
        "classes-rewritten-together",
        "a loop of one class embeds what lies in another",
        Edit(f"{HERE}.segments.rewrite:own", "found.ref.class_id == flow.access.id", "True"),
        _test(REWRITE, "test_another_embedder_comes_online_class_by_class"),
    ),
    (
        "forgotten-and-kept",
        "the words of what was removed stay in the live shards",
        Edit(f"{HERE}.segments.forget:_take_out", "await flow.beside(without, shard, ids)", "shard"),
        _test(REWRITE, "test_what_is_gone_leaves_rows_and_shards"),
    ),
    (
        "forgotten-and-described",
        "what was said of a removed document stays",
        Edit(f"{HERE}.segments.forget:_take_out", "[Delete(DESCRIBED, id) for id in said]", "[]"),
        _test(UPKEEP, "test_forgetting_changes_no_byte_and_leaves_nothing"),
    ),
    (
        "anybodys-source",
        "somebody stops another's source, and so learns of it",
        Edit(f"{HERE}.watching.source:remove_source", "found.value.by != flow.session.principal.name", "False"),
        _test(SOURCES, "test_only_whoever_ordered_it_takes_it_back_and_what_came_stays"),
    ),
    (
        "told-at-every-look",
        "the log of a class grows with what a place outside does",
        Edit(f"{HERE}.watching.poll:_tell", "if not same:", "if True:"),
        _test(SOURCES, "test_what_goes_wrong_is_told_once_and_is_its_own"),
    ),
)

WIRES = (
    (
        "removed-and-known",
        "a citation names the file of a removed document",
        Edit(
            f"{HERE}.shelf.seen:known",
            "if not removed.rules(id, whole.label, whole.value.added_by)",
            "",
        ),
        _test(SHELF, "test_the_files_of_removed_documents_are_known_no_longer"),
    ),
    (
        "removed-and-named",
        "a part is found by the name of its file after it was removed",
        Edit(
            f"{HERE}.shelf.seen:pieces_named",
            " and not removed.rules(part.id, part.label, part.value.by)",
            "",
        ),
        _test(SHELF, "test_what_is_gone_below_is_gone_above_and_not_beside"),
    ),
    (
        "file-without-its-label",
        "what a file says comes to rest below the label of the file",
        Edit(f"{HERE}.shelf.shelf:NearShelf.attach", "flow.bear(found.label)", "pass"),
        _test("doors/openai/test_vector_store_files", "test_marks_are_read_and_never_below_the_label_of_the_file"),
    ),
    (
        "shelf-of-anybody",
        "another's base is changed, and so told from one that never was",
        Edit(f"{HERE}.shelf.shelf:NearShelf._own", "if one.value.by == flow.session.principal.name", ""),
        _test(STORES, "test_only_whoever_made_it_changes_or_removes_it"),
    ),
    (
        "shelf-emptied-by-anybody",
        "whoever removes a base removes what others brought",
        Edit(f"{HERE}.bases:_brought", "by == who and ", ""),
        _test(STORES, "test_what_others_brought_stays_when_a_store_is_removed"),
    ),
    (
        "shelf-changed-from-above",
        "a base that lies lower is changed above",
        Edit(f"{HERE}.shelf.shelf:NearShelf.change", "found.ref.class_id != flow.access.id", "False"),
        _test(STORES, "test_a_store_above_is_as_absent_as_none"),
    ),
    (
        "hidden-base-is-empty",
        "a base of which nothing is seen is told from an unknown one",
        Edit(
            f"{HERE}.shelf.shelf:NearShelf.search",
            "await seen.check(flow, self._library, search.bases)",
            "pass",
        ),
        _test(SHELF, "test_a_base_in_which_nothing_lies_yet_is_one"),
    ),
    (
        "removed-and-on-the-shelf",
        "a file is named by where it came from after it was removed",
        Edit(
            f"{HERE}.shelf.seen:pieces_of",
            "if not removed.rules(w.id, w.label, w.value.added_by)",
            "",
        ),
        _test(SHELF, "test_what_is_gone_below_is_gone_above_and_not_beside"),
    ),
    (
        "part-told-from-above",
        "a low part is found by, and bears, what was said above of the high one",
        Edit(
            "casemate.knowledge.library:Library._seen", "{label: said.of(label) for", "{label: said.of(flow.acting) for"
        ),
        DESCRIBED_ABOVE,
    ),
    (
        "filter-dropped",
        "a search with a filter gives what the filter leaves out",
        Edit(
            f"{HERE}.shelf.search:search",
            "asked.search(view, search.k, mask, search.method)",
            "asked.search(view, search.k, None, search.method)",
        ),
        _test("doors/openai/test_vector_store_search", "test_filters"),
    ),
    (
        "batch-of-anybody",
        "what somebody else brings into a base is told",
        Edit("casemate.models.shelf_batch:read", "found.value.owner == flow.session.principal.id and ", ""),
        _test("doors/openai/test_vector_store_batches", "test_a_batch_is_its_owners_and_lies_where_it_was_begun"),
    ),
    (
        "any-verb-of-the-shelf",
        "whoever reaches the relay calls what is no verb of the shelf",
        Edit("casemate.wiring.shelf:performing", "type=_VERBS[call.verb][0]", "type=_VERBS.get(call.verb, (Any,))[0]"),
        _test("wiring/test_shelf", "test_only_verbs_of_the_shelf_are_done"),
    ),
    (
        "floor-lost-on-the-way",
        "what was marked in the answer process is not marked in the data process",
        Edit("casemate.wiring.relay:_pieces", "if piece.floor:", "if False:"),
        _test("wiring/test_shelf", "test_a_floor_that_rises_there_rises_here"),
    ),
)

TABLE = (*DEEDS, *BASES, *WIRES)
