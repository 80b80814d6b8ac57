"""Mutants of buckets, of the scrub and of the disk's shares: one line broken, named after the leak or the loss."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROOM, ENGINES = "casemate.buckets", "casemate.engines"
ABOVE = "type(flow)(flow.gate, flow.session, flow.action, flow.session.ceiling)"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


OBJECTS, LOCATED, UPLOADS = "buckets/test_objects", "buckets/test_located", "buckets/test_uploads"
MODEL = _test("buckets/test_model", "test_the_room_does_what_the_model_does_and_tells_nothing_of_what_is_hidden")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "condition-sees-above",
        "a conditional write fails because of an object that is hidden",
        Edit(f"{ROOM}.objects:land", "found = await flow.", f"found = await {ABOVE}."),
        MODEL,
    ),
    (
        "listing-rolls-up-hidden",
        "a common prefix is told of which everything is hidden",
        Edit(f"{ROOM}.listing:_lanes", "await changes(flow, bucket)", f"await changes({ABOVE}, bucket)"),
        _test("buckets/test_listing", "test_what_is_hidden_is_in_no_count_prefix_or_token"),
    ),
    (
        "drop-tells-hidden",
        "a bucket cannot be dropped because of what is hidden in it",
        Edit(f"{ROOM}.located:_holds", "listed(flow, name", f"listed({ABOVE}, name"),
        _test(LOCATED, "test_a_drop_tells_nothing_of_what_is_hidden_and_loses_nothing_of_it"),
    ),
    (
        "hidden-name-taken",
        "a bucket cannot be made because one of its name is hidden",
        Edit(f"{ROOM}.located:make", "found = await flow.", f"found = await {ABOVE}."),
        _test(LOCATED, "test_a_name_that_is_hidden_is_free_and_both_are_one_above"),
    ),
    (
        "first-of-incomparable",
        "one of two objects is given for both, by their labels' names",
        Edit(f"{ROOM}.shown:only", "len(top) > 1", "False"),
        _test(OBJECTS, "test_two_labels_of_which_none_is_above_are_refused_by_name"),
    ),
    (
        "lowest-first",
        "a read gives what lies lower",
        Edit(f"{ROOM}.shown:highest", "f.label <= o.label", "o.label <= f.label"),
        MODEL,
    ),
    (
        "label-unheeded",
        "an object that was said to be higher lies at the acting label",
        Edit(f"{ROOM}.objects:own_label", "asked is not flow.domain", "False"),
        _test(OBJECTS, "test_a_label_that_is_not_the_acting_one_is_refused"),
    ),
    (
        "beyond-the-ceiling",
        "a bucket takes what is above its ceiling",
        Edit(f"{ROOM}.seen:Bucket.takes", "self.floor <= label <= self.ceiling.with_needs(label.needs)", "True"),
        _test(LOCATED, "test_writes_lie_between_floor_and_ceiling"),
    ),
    (
        "need-lifts-a-ceiling",
        "whoever names an authorization puts into a bucket what is above its ceiling",
        Edit(
            f"{ROOM}.seen:Bucket.takes",
            "self.ceiling.with_needs(label.needs)",
            "(label if label.needs else self.ceiling)",
        ),
        _test(LOCATED, "test_a_ceiling_bounds_how_high_whoever_needs_to_know"),
    ),
    (
        "part-of-another-label",
        "a part lies at another label than its upload",
        Edit(f"{ROOM}.uploads:_own", "found.ref.class_id != flow.access.id", "False"),
        _test(UPLOADS, "test_an_upload_is_of_its_own_label_alone"),
    ),
    (
        "part-outlives-its-upload",
        "what came in while an upload ended is kept for ever",
        Edit(f"{ROOM}.uploads:part", "not await flow.read_each(UPLOAD, id)", "False"),
        _test(UPLOADS, "test_an_upload_that_ends_while_a_part_comes_in_keeps_nothing"),
    ),
    (
        "old-map-believed",
        "a fold hides keys from a listing that is under way",
        Edit(f"{ROOM}.order:Lane._folded", "if keys is None:", "if keys is None and (keys := ()) is None:"),
        _test("buckets/test_listing", "test_a_listing_goes_on_while_the_order_is_rewritten"),
    ),
    (
        "swept-while-written",
        "a blob that somebody is about to name is swept",
        Edit(f"{ENGINES}.blob_fence:touched", "os.utime(path, ns=(now * 1000, now * 1000))", "path.stat()"),
        _test("engines/test_blob_sweep", "test_only_what_is_old_is_swept"),
    ),
    (
        "swept-while-it-moves",
        "the parts of an upload that ends are swept",
        Edit("casemate.custody.scrub:Scrub._names", "in self._kinds:", "in reversed(self._kinds):"),
        _test("custody/test_scrub", "test_an_upload_that_ends_while_rows_are_read_keeps_its_parts"),
    ),
    (
        "mirror-believed",
        "a damaged copy takes the place of a blob",
        Edit(f"{ENGINES}.files:FileBlobs._mend", "not whole(self._sealer, class_id, name, copy)", "not copy.exists()"),
        _test("engines/test_blob_sweep", "test_a_damaged_mirror_is_not_believed"),
    ),
    (
        "quota-borrowed",
        "a label takes more than its share, and so from another's",
        Edit(f"{ENGINES}.blob_share:Share._begun", "used + size > self.most", "False"),
        _test("engines/test_blob_share", "test_one_label_that_is_full_takes_nothing_from_another"),
    ),
    (
        "share-not-held",
        "what is set aside for a label is filled by others",
        Edit(f"{ENGINES}.blob_share:Share._tell", "if left > has:", "if False:"),
        _test("engines/test_blob_share", "test_a_share_is_held_on_the_disk_and_a_full_disk_does_not_take_it"),
    ),
    (
        "crash-charged",
        "what a killed writer was charged with is never given back",
        Edit(f"{ENGINES}.blob_share:Share.used", "self._count()", "pass"),
        _test("engines/test_blob_share", "test_a_draft_that_nobody_holds_is_let_go_of"),
    ),
    (
        "objects-named-to-operators",
        "an operator, who reads no content, is told what is damaged by name",
        Edit("casemate.doors.native.store:_damaged", '"user" in roles', "True"),
        _test("doors/native/test_store_blobs", "test_an_operator_is_told_numbers_and_a_reader_names"),
    ),
    (
        "draft-of-the-living",
        "the file that somebody is writing goes, and what he was told is kept",
        Edit(f"{ENGINES}.blob_files:tidied", "path.stat().st_mtime_ns // 1000 < before", "True"),
        _test("engines/test_blob_sweep", "test_what_killed_writers_left_goes_once_it_is_old"),
    ),
    (
        "copy-of-nothing",
        "a copy of what turns out to be higher is found by nobody",
        Edit(f"{ROOM}.objects:parents_of", "each.class_id in visible", "False"),
        _test("buckets/test_origins", "test_a_copy_names_its_source_both_ways_and_goes_on_naming_it"),
    ),
    (
        "part-of-nothing",
        "what was copied in parts of something higher is found by nobody",
        Edit(f"{ROOM}.uploads:part", "if of is None", "if of or not of"),
        _test("buckets/test_origins", "test_an_object_of_copied_parts_names_each_source"),
    ),
)
