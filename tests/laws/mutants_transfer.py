"""Mutants of transfer: a rule of what crosses an air gap broken, named after what then gets across.

A tuple for each part: the parts do not know each other.
"""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

OUTSIDE, INSIDE = "casemate.transfer.verify_outside", "casemate.transfer.verify_inside"
PARTS = "casemate.transfer.bundle"


def _verdict(name: str) -> Tested:
    return Tested(f"tests/transfer/test_verify.py::test_{name}")


def _rule(what: str) -> Tested:
    return _verdict(f"each_rule_by_a_bundle_that_breaks_it_alone[{what}]")


def _laws(name: str) -> Tested:
    return Tested(f"tests/transfer/test_bundle_laws.py::test_{name}")


def _roles(name: str) -> Tested:
    return Tested(f"tests/transfer/test_bundle_roles.py::test_{name}")


# name, leak, the line, what stands in its place, the killer
BUNDLE = (
    (
        "forged-bundle-taken",
        "a bundle whose signatures are another's is taken",
        Edit(f"{OUTSIDE}:judged_outside", "if not outside.stands():", "if False:"),
        _laws("row_24_parts_of_two_bundles_are_refused"),
    ),
    (
        "frames-of-another-taken",
        "what is sealed need not be what was signed",
        Edit(f"{OUTSIDE}:judged_outside", "if not same(frames, face.frames):", "if False:"),
        _laws("row_24_parts_of_two_bundles_are_refused"),
    ),
    (
        "another-channel-taken",
        "a bundle of another channel is taken",
        Edit(
            f"{OUTSIDE}:judged_outside",
            "if face.channel.hex()",
            "if False and face.channel.hex()",
        ),
        _rule("another channel"),
    ),
    (
        "revoked-key-counts",
        "what a revoked key signed is taken",
        Edit(
            f"{OUTSIDE}:_signed", "sum(each.key not in revoked for each in theirs) >= needed", "len(theirs) >= needed"
        ),
        _rule("its signer was revoked"),
    ),
    (
        "signer-approves-himself",
        "who signs counts as who approves",
        Edit(f"{OUTSIDE}:_signed", "each.role == role and each.public in keys", "each.public in keys"),
        _rule("who signs may not approve"),
    ),
    (
        "stranger-counts",
        "anybody's signature counts",
        Edit(f"{OUTSIDE}:_signed", " and each.public in keys", ""),
        _rule("nobody who may signed"),
    ),
    (
        "old-bundle-taken",
        "an older bundle is taken again",
        Edit(f"{OUTSIDE}:_timely", "if face.sequence <= state.sequence:", "if False:"),
        _verdict("row_22_an_older_bundle_is_refused_and_the_same_is_named"),
    ),
    (
        "ended-bundle-taken",
        "a bundle that has ended is taken",
        Edit(f"{OUTSIDE}:_timely", "if face.expires <= time:", "if False:"),
        _verdict("row_23_nothing_comes_any_more_and_what_ended_is_not_taken"),
    ),
    (
        "gap-passed-over",
        "what is missing is not waited for",
        Edit(f"{OUTSIDE}:_timely", "if face.sequence > last + 1:", "if False:"),
        _verdict("row_21_the_second_next_waits_and_the_gap_is_named"),
    ),
    (
        "clock-decides-alone",
        "a clock that is years ahead refuses all",
        Edit(f"{OUTSIDE}:believed", "now > state.attested + state.window:", "False:"),
        _verdict("row_26_a_clock_that_is_years_off_raises_an_alarm_and_the_sequence_decides"),
    ),
    (
        "release-of-nobody-taken",
        "a release that nobody who may has signed is taken",
        Edit(
            f"{INSIDE}:_release",
            "if not any(key in signers and key not in state.revoked for key, _ in signed):",
            "if False:",
        ),
        _verdict("the_release_is_signed_by_whom_the_channel_trusts"),
    ),
    (
        "release-of-another-taken",
        "a release that speaks of another bundle is taken",
        Edit(
            f"{INSIDE}:_release",
            "if said != (face.id.hex()",
            "if False and said != (face.id.hex()",
        ),
        _rule("its release is another's"),
    ),
    (
        "history-forked",
        "a release that follows another history is taken",
        Edit(f"{INSIDE}:_release", "release.previous != state.previous", "False"),
        _rule("it follows another"),
    ),
    (
        "unlabelled-taken",
        "an object without a label is taken",
        Edit(f"{INSIDE}:_labels", 'return "label-missing"', "continue"),
        _rule("an object without a label"),
    ),
    (
        "too-high-taken",
        "an object above the channel's label is taken",
        Edit(f"{INSIDE}:_labels", "if not label <= channel:", "if False:"),
        _rule("a label above the channel's"),
    ),
    (
        "outside-the-region-taken",
        "an object that the region does not take is taken",
        Edit(f"{INSIDE}:_labels", "if not floor <= label <= ceiling:", "if False:"),
        _rule("a label below the floor"),
    ),
    (
        "downgrade-taken",
        "an object comes again with a lower label",
        Edit(f"{INSIDE}:_labels", "if before is None or not before <= label:", "if False:"),
        _verdict("row_27_labels_that_lie_are_set_apart"),
    ),
    (
        "other-bytes-taken",
        "a blob that is not what its name promises is taken",
        Edit(f"{INSIDE}:_digests", "blob.true and blob.size", "blob.size"),
        _verdict("digests_are_one_tree"),
    ),
    (
        "stowaway-taken",
        "a blob that nothing names is taken",
        Edit(f"{INSIDE}:_digests", "if named.keys() != inside.blobs.keys():", "if False:"),
        _verdict("digests_are_one_tree"),
    ),
    (
        "guard-overruled",
        "what a guard refused is taken",
        Edit(f"{INSIDE}:_guarded", 'if found.verdict != "agree":', "if False:"),
        _verdict("guards_of_both_sides_agree_on_one_form"),
    ),
    (
        "guards-of-two-forms",
        "guards need not agree on one form",
        Edit(f"{INSIDE}:_guarded", "agreed or not stated.guards", "True"),
        _verdict("guards_of_both_sides_agree_on_one_form"),
    ),
    (
        "roles-roll-back",
        "roles that are older than those accepted are taken",
        Edit(f"{INSIDE}:_roles", "if any(now < then", "if any(False"),
        _rule("its targets are older"),
    ),
    (
        "root-of-nobody",
        "a new root needs nobody of the old one",
        Edit(f"{PARTS}.roles:chained", '_proven(current.root, "root", found, revoked)', "pass"),
        _verdict("row_25_a_root_that_does_not_follow_is_refused"),
    ),
    (
        "root-skips",
        "a root may leave a version out",
        Edit(f"{PARTS}.roles:chained", "after.trust.version != current.trust.version + 1 or ", ""),
        _roles("roots_are_chained_one_by_one"),
    ),
    (
        "name-twice",
        "a name may stand twice in what is signed",
        Edit(f"{PARTS}.strict:_once", "if len(found) != len(pairs):", "if False:"),
        _laws("json_that_two_readers_might_read_differently_is_refused"),
    ),
    (
        "any-tar",
        "a member of a tar file may be a link",
        Edit(f"{PARTS}.members:Headers.read", "header_of(member) != raw or ", ""),
        _laws("row_19_members_that_lead_elsewhere_are_refused"),
    ),
    (
        "one-role-for-all",
        "a signature in one role is one in every role",
        Edit(f"{PARTS}.face:_said", 'f"casemate bundle {role} v1\\n".encode()', 'b"casemate bundle v1\\n"'),
        _laws("a_signature_in_one_role_is_none_in_another"),
    ),
    (
        "size-told",
        "the outside tells how many bytes are in it",
        Edit(f"{PARTS}.frames:padded", "return (size + mask) & ~mask", "return size"),
        _laws("a_padded_size_hides_the_true_one_and_costs_little"),
    ),
)

TABLE = (*BUNDLE,)
