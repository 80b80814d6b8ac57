"""Mutants of the gate: one line of its source broken, named after the leak, with the fast test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ACCESS = "casemate.access"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/access/test_{file}.py::{name}")


PARTS = _test("flow", "test_no_part_acts_higher_beside_or_below_the_floor")
LOOKED = _test("flow", "test_what_is_taken_carries_the_floor_and_is_looked_at_below_the_acting_label")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "gate-asks-nobody",
        "a flow opens whatever the policy says",
        Edit(f"{ACCESS}.gate:Gate.open", "if isinstance(decision, Refuse):", "if False:"),
        _test("gate", "test_an_action_that_no_rule_knows_is_refused"),
    ),
    (
        "part-above-the-whole",
        "a rung acts higher than its request",
        Edit(f"{ACCESS}.flow:Flow.at", "self.floor <= label <= self.acting", "self.floor <= label"),
        PARTS,
    ),
    (
        "part-below-the-floor",
        "what was brought is read below its label",
        Edit(f"{ACCESS}.flow:Flow.at", "self.floor <= label <= self.acting", "label <= self.acting"),
        PARTS,
    ),
    (
        "looked-at-from-below",
        "an envelope from above is opened",
        Edit(f"{ACCESS}.flow:Flow.look", "not labelled.label <= self.acting", "False"),
        LOOKED,
    ),
    (
        "taken-at-the-bottom",
        "what a SECRET program brings is public",
        Edit(f"{ACCESS}.flow:Flow.take", "self.floor", "self.floor & self.gate.vault.region.policies.bottom()"),
        LOOKED,
    ),
    (
        "blob-by-its-digest",
        "whoever knows a digest has the bytes",
        Edit(f"{ACCESS}.read:_visible", "class_id not in {c.id for c in flow.classes()}", "False"),
        _test("flow", "test_a_blob_of_a_class_that_is_not_seen_is_absent_like_none"),
    ),
    (
        "written-beside-the-acting-label",
        "a request writes where it says",
        Edit(f"{ACCESS}.commit:commit", "asked is not flow.domain", "False"),
        _test("commit", "test_another_label_is_refused_and_nothing_is_stored"),
    ),
    (
        "hidden-parent-named",
        "a parent that is hidden is accepted, one that never was is not",
        Edit(f"{ACCESS}.commit:commit", "parent.class_id not in visible", "False"),
        _test("commit", "test_a_parent_that_is_not_seen_is_absent"),
    ),
    (
        "deposit-downward",
        "a deposit goes down",
        Edit(f"{ACCESS}.commit:deposit", "isinstance(decision, Refuse)", "False"),
        _test("commit", "test_nothing_is_deposited_downward_or_beside"),
    ),
    (
        "deposit-expects",
        "a deposit asks what lies above",
        Edit(f"{ACCESS}.commit:deposit", "change.expect is not None or ", ""),
        _test("commit", "test_a_deposit_only_adds"),
    ),
    (
        "lent-to-anybody",
        "a value goes to an engine below its label",
        Edit(f"{ACCESS}.leave:lend", "isinstance(decision, Refuse)", "False"),
        _test("leave", "test_nothing_is_lent_to_whom_it_may_not_reach"),
    ),
    (
        "lent-before-it-is-on-record",
        "what left the machine is not in the ledger after a power cut",
        Edit(f"{ACCESS}.leave:lend", "await flow.durable()", "pass"),
        _test("durable", "test_an_outside_lend_waits_for_begin_and_its_own_note_together"),
    ),
    (
        "released-before-it-is-on-record",
        "what was told is not in the ledger after a power cut",
        Edit(f"{ACCESS}.leave:release", "await flow.durable()", "pass"),
        _test("durable", "test_what_leaves_or_stays_waits_for_begin"),
    ),
    (
        "class-of-its-originator-seen",
        "the directory of keys is scanned",
        Edit(f"{ACCESS}.classes:Classes._seen", "access.originator or ", ""),
        _test("directory", "test_the_truth_of_admission_is_scanned_by_no_request"),
    ),
    (
        "rests-below-its-floor",
        "a part comes to rest below what its author carries",
        Edit(f"{ACCESS}.settle:Settling._class", "self._floor <= access.label <= acting", "access.label <= acting"),
        _test("settle", "test_nothing_rests_below_the_floor_beside_or_above"),
    ),
    (
        "settled-after-a-look-around",
        "what else was read comes down with a part",
        Edit(f"{ACCESS}.settle:Settling.__init__", "flow.seen - {held.ref}", "False"),
        _test("settle", "test_a_flow_that_has_looked_at_anything_else_settles_nothing"),
    ),
    (
        "settled-by-a-person",
        "a person says where it lies",
        Edit(f"{ACCESS}.settle:Settling.__init__", '"service" not in flow.session.principal.roles', "False"),
        _test("settle", "test_no_person_settles"),
    ),
    (
        "restated-by-anybody",
        "another says the label of what was brought",
        Edit(f"{ACCESS}.settle:restate", "held.principal != flow.session.principal.name", "False"),
        _test("settle", "test_nobody_else_states_it_nor_learns_that_it_waits"),
    ),
    (
        "mark-above-taken",
        "a question above its label is asked",
        Edit(f"{ACCESS}.inspect:inspect", "not label <= flow.acting", "False"),
        _test("inspect", "test_a_mark_above_the_acting_label_ends_the_request"),
    ),
    (
        "unreadable-mark-taken",
        "a mark with a look-alike letter counts for nothing",
        Edit(f"{ACCESS}.inspect:inspect", "if reading.problem:", "if False:"),
        _test("inspect", "test_a_mark_that_nobody_can_read_ends_the_request"),
    ),
    (
        "lower-reading-counts",
        "of two readings of a mark the last one counts",
        Edit(f"{ACCESS}.inspect:inspect", "label = label | reading.label", "label = flow.floor | reading.label"),
        _test("inspect", "test_a_mark_with_several_readings_is_as_high_as_all_of_them"),
    ),
    (
        "marks-do-not-raise",
        "a marked question is answered as if it bore no mark",
        Edit(f"{ACCESS}.inspect:inspect", "flow.floor = flow.floor | label", "pass"),
        _test("inspect", "test_a_mark_at_its_place_raises_the_floor"),
    ),
    (
        "auditor-without-a-reason",
        "an auditor looks around, and nobody knows why",
        Edit(f"{ACCESS}.another:as_seen_by", "and bool(reason.strip())", ""),
        _test("another", "test_whoever_may_not_is_told_one_thing"),
    ),
    (
        "anybody-as-another",
        "a user sees as another user",
        Edit(f"{ACCESS}.another:as_seen_by", '"auditor" in caller.roles and ', ""),
        _test("another", "test_whoever_may_not_is_told_one_thing"),
    ),
    (
        "carried-without-its-mark",
        "a marked question loses its mark between two processes",
        Edit(f"{ACCESS}.carry:pack", "flow.floor.text", "flow.session.floor.text"),
        _test("carry", "test_it_arrives_as_it_was"),
    ),
    (
        "key-above-its-owner",
        "a key opens more than its owner may see by now",
        Edit(f"{ACCESS}.directory:Directory._made", "floor <= ceiling <= found.clearance", "floor <= ceiling"),
        _test("directory", "test_a_key_above_what_its_owner_may_see_by_now_opens_nothing"),
    ),
    (
        "key-after-its-end",
        "a key lives for ever",
        Edit(f"{ACCESS}.directory:Directory._session", "now >= record.expires", "False"),
        _test("directory", "test_a_key_lives_until_its_end_and_not_at_it"),
    ),
    (
        "key-without-its-secret",
        "whoever knows a key's name is its owner",
        Edit(f"{ACCESS}.directory:Directory._bearer", "hmac.compare_digest(digest_of(key.secret), stored)", "True"),
        _test("directory", "test_unknown_wrong_revoked_and_misused_keys_look_alike"),
    ),
    (
        "everybodys-entries-one-by-one",
        "whoever knows an entry's id reads it",
        Edit(f"{ACCESS}.audit:entry", "not _auditor(flow) and", "False and"),
        _test("audit", "test_anybody_else_reads_himself"),
    ),
    (
        "entry-of-a-hidden-log",
        "whoever knows an entry's id learns that it is there",
        Edit(f"{ACCESS}.audit:own_content", "seen.entry.principal != flow.session.principal.name", "False"),
        _test("audit", "test_ones_own_words_and_nobody_elses"),
    ),
    (
        "lost-binding-forgotten",
        "whoever was bound to less comes in with all that an authority said of him",
        Edit(f"{ACCESS}.outsiders:Outsiders.session", "doubt or not sure", "False"),
        _test("outsiders_damage", "test_a_binding_that_is_lost_leaves_no_wider_word_of_an_authority"),
    ),
    (
        "loss-not-told",
        "a data process takes what cannot be read for what was never there",
        Edit(f"{ACCESS}.outsiders:Outsiders._all", "lost or len(whole) < len(rows)", "False"),
        _test("outsiders_damage", "test_a_binding_that_is_lost_leaves_no_wider_word_of_an_authority"),
    ),
)
