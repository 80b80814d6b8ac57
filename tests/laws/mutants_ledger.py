"""Mutants of the ledger: what was changed, cut off or forked is told as whole, or what is seen above is told below."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROOM = "casemate.ledger"


def _of(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


FOLDER_BYTES = _of("ledger/test_folder", "test_bytes_changed_anywhere_are_tampering")
PART_FORGED = _of("ledger/test_part", "test_a_beginning_that_was_made_up_is_tampering")
PART_UNSIGNED = _of("ledger/test_part", "test_a_part_of_which_nothing_is_signed_is_incomplete")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "tile-unchecked",
        "a tile above level 0 may say anything",
        Edit(f"{ROOM}.folder:_Looking.above", 'data != b"".join(due)', "False"),
        _of("ledger/test_folder", "test_tiles_above_the_leaves_are_made_again"),
    ),
    (
        "entries-unchecked",
        "a changed entry in a copied folder passes",
        Edit(f"{ROOM}.bundle:_sound", "digest(data[_CHECK:])[:_CHECK] == data[:_CHECK]", "True"),
        FOLDER_BYTES,
    ),
    (
        "root-of-tiles-unchecked",
        "tiles and note need not agree",
        Edit(f"{ROOM}.folder:_roots", "tree.root() != note.root", "False"),
        _of("ledger/test_folder", "test_a_root_that_no_tile_gives_is_tampering"),
    ),
    (
        "gap-is-ok",
        "an entry taken out is not missed",
        Edit(f"{ROOM}.verify:_judge", "if reading.gap is not None:", "if False:"),
        _of("ledger/test_verify", "test_an_entry_taken_out_of_the_middle_leaves_a_gap"),
    ),
    (
        "missing-tile-is-ok",
        "a file that is gone is not missed",
        Edit(f"{ROOM}.folder:_told", '("tampered", "forked", "incomplete")', '("tampered", "forked")'),
        _of("ledger/test_folder", "test_every_file_cut_or_gone_is_incomplete"),
    ),
    (
        "fork-is-incomplete",
        "two histories are told as one that lacks something",
        Edit(f"{ROOM}.verify:_judge", 'return "forked", "head", head.size', 'return "incomplete", "head", head.size'),
        _of("ledger/test_verify", "test_two_histories_are_a_fork_whoever_signed_them"),
    ),
    (
        "fork-in-tiles-passed-over",
        "a copied folder of another history passes",
        Edit(f"{ROOM}.folder:_roots", "tree.root(head.size).hex() != head.root.lower()", "False"),
        _of("ledger/test_folder", "test_two_histories_are_a_fork"),
    ),
    (
        "slice-without-start",
        "what came before a part is made up",
        Edit(f"{ROOM}.verify:_tied", "if first and not _grew(", "if False and not _grew("),
        PART_FORGED,
    ),
    (
        "slice-without-end",
        "a part that no signature covers is proved by the one behind it",
        Edit(f"{ROOM}.verify:_tied", "if not _grew(part.stop", "if False and not _grew(part.stop"),
        PART_FORGED,
    ),
    (
        "unproved-is-ok",
        "a part under no signed head is told as proved",
        Edit(f"{ROOM}.verify:_tied", 'return "incomplete", "unproved", part.start', "return None"),
        PART_UNSIGNED,
    ),
    (
        "unlinked-is-witnessed",
        "a remembered head that nobody compared counts",
        Edit(f"{ROOM}.verify:_judge", 'return "incomplete", "unlinked", reading.part.start', 'return "ok", "", None'),
        _of("ledger/test_part", "test_a_remembered_head_that_cannot_be_compared_witnesses_nothing"),
    ),
    (
        "end-of-a-part-unsaid",
        "a changed first line is told as a cut",
        Edit(f"{ROOM}.export:_headed", "and header.sum == _sum(header)", ""),
        _of("ledger/test_part", "test_a_changed_end_is_no_cut"),
    ),
    (
        "note-unsigned",
        "anybody writes a head",
        Edit(f"{ROOM}.note:read_note", "not verify(public, note.text.encode(), signature) or", ""),
        _of("ledger/test_note", "test_every_byte_changed_is_no_note_and_no_cut"),
    ),
    (
        "proof-without-its-log",
        "an entry of another log is proved here",
        Edit(f"{ROOM}.evidence:check_evidence", "if entry.log != point.log:", "if False:"),
        _of("ledger/test_evidence", "test_what_does_not_fit_is_named"),
    ),
    (
        "proof-without-a-signature",
        "a head that nobody signed proves",
        Edit(f"{ROOM}.evidence:check_evidence", "if not verify_checkpoint(point, held):", "if False:"),
        _of("ledger/test_evidence", "test_another_key_is_tampering"),
    ),
    (
        "paper-unchecked",
        "a head that was typed wrong is another head",
        Edit(f"{ROOM}.paper:read_paper", "_check(number, groups[:-1]) != groups[-1]", "False"),
        _of("ledger/test_paper", "test_every_letter_typed_wrong_is_found_in_its_line"),
    ),
    (
        "cosignature-of-anything",
        "what a witness signed stands for another head",
        Edit(f"{ROOM}.cosign:Cosignature.body", "self.size, self.root, self.at", "self.at"),
        _of("ledger/test_cosign", "test_no_field_can_be_changed"),
    ),
    (
        "cosignature-sent-down",
        "that somebody above looked at a log is told below",
        Edit("casemate.access.witness:_every", "flow.classes()]", "flow.gate.classes.everything()]"),
        _of("access/test_witness", "test_what_is_signed_above_is_nowhere_below"),
    ),
    (
        "witness-forgets",
        "a history that was taken back is signed again",
        Edit("casemate.access.witness:seen", "if given.of == key_id(of)]", "if False]"),
        _of("access/test_witness", "test_what_was_seen_cannot_be_taken_back"),
    ),
    (
        "redacted-from-above",
        "what vanishes below says that somebody above is there",
        Edit("casemate.access.redaction:redact", "if log != flow.access.id:", "if False:"),
        _of("access/test_redaction", "test_nobody_above_takes_away_what_lies_below"),
    ),
    (
        "redacted-by-one",
        "one officer destroys what was said",
        Edit("casemate.accounts.agreed:agreed", "if waiting[0].value.by == me:", "if False:"),
        _of("access/test_redaction", "test_two_officers_say_the_same"),
    ),
    (
        "grown-from-changed-tiles",
        "a changed tile comes to be signed",
        Edit("casemate.access.trees:Tree.tiled", "if tree.root() == root:", "if True:"),
        _of("access/test_trees", "test_damaged_tiles_are_never_grown_from"),
    ),
    (
        "files-unverified",
        "changed files beside whole records are told as whole",
        Edit("casemate.access.tree_files:with_files", "if worst([verdict, found]) is verdict:", "if True:"),
        _of("access/test_trees", "test_bytes_changed_anywhere_are_found_and_named"),
    ),
)  # fmt: skip
