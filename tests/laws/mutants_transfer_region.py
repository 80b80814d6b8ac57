"""Mutants of what a region does with bundles: one line broken, named after what would leave, come or be told."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

REGION = "tests/transfer/test_region.py"
FAULTS = "tests/transfer/test_region_faults.py"
KEPT = "tests/transfer/test_region_kept.py"
GUARD = "tests/transfer/test_region_guard.py"
KEYS = "tests/transfer/test_region_keys.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "transfer-unlent",
        "an object leaves for another region, and nobody has decided or recorded it",
        Edit(
            "casemate.transfer.region.leave:Departures._lent",
            "await flow.lend(flow.take(gathered).raised(flow.acting), Ceiling(_region(record), ceiling, outside=True))",
            "gathered",
        ),
        Tested(f"{REGION}::test_a_document_rises_to_a_region_with_a_higher_floor"),
    ),
    (
        "transfer-above-the-card",
        "a channel is opened to a region that does not go as high",
        Edit("casemate.transfer.region.office:open_sent", "if not flow.acting <= ceiling:", "if False:"),
        Tested(f"{REGION}::test_what_the_other_region_may_not_have_stays"),
    ),
    (
        "transfer-draft-goes-out",
        "a draft whose commit never came is given to whoever carries bundles",
        Edit(
            "casemate.transfer.region.leave:Departures.step",
            "await self._yard.discard(bundle)",
            "await self._yard.publish(bundle)",
        ),
        Tested(f"{REGION}::test_a_draft_goes_out_exactly_where_its_commit_is_there"),
    ),
    (
        "transfer-trusted-lower",
        "a channel takes what belongs at another label",
        Edit("casemate.transfer.region.office:trust", "if label | region.floor is not flow.acting:", "if False:"),
        Tested(f"{REGION}::test_a_channel_is_trusted_only_where_what_comes_will_lie"),
    ),
    (
        "transfer-channel-of-another-class",
        "a channel is used at a label at which it does not lie",
        Edit("casemate.transfer.region.office:named", "if found.ref.class_id == flow.access.id:", "if True:"),
        Tested(f"{REGION}::test_who_does_not_see_a_channel_learns_nothing_of_it"),
    ),
    (
        "transfer-skipped-alone",
        "one person alone gives up what is missing",
        Edit("casemate.transfer.region.office:skip", "if asked and record.skip_by == me:", "if False:"),
        Tested(f"{FAULTS}::test_row_21_what_never_comes_is_given_up_by_two_people"),
    ),
    (
        "transfer-adopted-again",
        "the channel's state does not go on with what was adopted",
        Edit(
            "casemate.transfer.region.arrive:Arrivals._landed",
            "state=written(advanced(state, came)).decode(),",
            "",
        ),
        Tested(f"{FAULTS}::test_row_22_an_old_bundle_is_refused"),
    ),
    (
        "transfer-stored-twice",
        "the same object is stored each time that it comes",
        Edit("casemate.transfer.region.arrive:Arrivals._before", "if own and await", "if not own and await"),
        Tested(f"{FAULTS}::test_row_32_the_same_object_is_stored_once_and_recorded_twice"),
    ),
    (
        "transfer-unguarded",
        "what the guard of this region holds is adopted where the sender names no verdict of its own",
        Edit("casemate.transfer.region.customs:Customs.verdict", "if verdict.came is not None and held:", "if False:"),
        Tested(f"{GUARD}::test_what_no_guard_makes_anew_is_put_aside_by_its_rule_and_nothing_of_its_bundle_comes"),
    ),
    (
        "transfer-guard-of-other-bytes",
        "the sender's guard decided on other bytes than the one here, and that counts as the same verdict",
        Edit(
            "casemate.transfer.verify_inside:_guarded",
            '(each.digest, each.verdict) == (found.digest, "agree")',
            'each.verdict == "agree"',
        ),
        Tested(f"{GUARD}::test_a_verdict_on_other_bytes_is_no_verdict"),
    ),
    (
        "transfer-signature-behind",
        "the signature of a model stays behind, and nobody where it comes knows who signed",
        Edit(
            "casemate.wiring.cargo:_Models.gather",
            "for one in value.files]",
            "for one in value.files if one.path != SIGNATURE]",
        ),
        Tested(f"{REGION}::test_the_signature_of_a_model_travels_and_is_verified_where_it_comes"),
    ),
    (
        "transfer-two-of-one-number",
        "two who make a bundle of one channel at once give both the same number",
        Edit("casemate.wiring.bundle_channel:alone", "fcntl.flock(descriptor, fcntl.LOCK_EX)", "pass"),
        Tested("tests/cli/test_bundle.py::test_two_that_are_made_at_once_never_get_one_number"),
    ),
    (
        "transfer-put-aside-for-ever",
        "what was put aside stays when its days are over, since nothing in its class has changed",
        Edit(
            "casemate.transfer.region.quarantine:Quarantine._class",
            "if tide is None and now < self._due.get(access.id, NEVER):",
            "if tide is None:",
        ),
        Tested(f"{KEPT}::test_what_was_put_aside_goes_after_its_days_and_the_oldest_goes_where_there_is_no_room"),
    ),
    (
        "transfer-held-lost",
        "what waited and lies there no more keeps its number, and nothing that is carried again comes by it",
        Edit("casemate.transfer.region.arrive:Arrivals._lost", "if each != sequence", "if True"),
        Tested(f"{KEPT}::test_a_region_that_was_brought_back_gives_and_takes_no_number_twice"),
    ),
    (
        "transfer-raw-lands",
        "what the guard has made anew is passed by, and the bytes that came are adopted",
        Edit("casemate.transfer.region.inspect:inspected", "if each.remade:", "if False:"),
        Tested(f"{GUARD}::test_both_regions_ask_their_guard_and_what_it_has_made_is_what_lands"),
    ),
    (
        "transfer-renewed-alone",
        "one person alone says whose signatures a channel trusts",
        Edit("casemate.transfer.region.keys:renew_root", "if record.asked_by == me:", "if False:"),
        Tested(f"{KEYS}::test_row_25_stolen_keys_are_revoked_by_an_introduction_that_two_people_take"),
    ),
    (
        "transfer-revoked-forgotten",
        "what a sender has revoked counts on",
        Edit(
            "casemate.transfer.region.keys:_renewed",
            "state, root=told.root, revoked=tuple(sorted({*state.revoked, *told.revoked}))[:MOST_NAMES]",
            "state, root=told.root",
        ),
        Tested(f"{KEYS}::test_row_25_stolen_keys_are_revoked_by_an_introduction_that_two_people_take"),
    ),
    (
        "transfer-key-kept",
        "a key that was given up opens what comes",
        Edit(
            "casemate.transfer.region.keys:revoke",
            "keepers=tuple(each for each in record.keepers if each not in gone),",
            "",
        ),
        Tested(f"{KEYS}::test_row_25_the_key_that_opens_is_rotated_and_the_older_one_opens_until_it_is_given_up"),
    ),
    (
        "transfer-signed-by-one",
        "one person signs for two",
        Edit(
            "casemate.transfer.region.leave:Departures.countersign",
            "if me in (*value.signed, *value.approved):",
            "if False:",
        ),
        Tested(f"{KEYS}::test_a_bundle_that_needs_several_goes_out_once_each_of_them_has_said_so"),
    ),
    (
        "transfer-waiting-goes-out",
        "a bundle goes out while it waits for people",
        Edit(
            "casemate.transfer.region.leave:Departures._sent",
            'file="draft" if waits else "outbox",',
            'file="outbox",',
        ),
        Tested(f"{KEYS}::test_a_bundle_that_needs_several_goes_out_once_each_of_them_has_said_so"),
    ),
)
