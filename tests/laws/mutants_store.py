"""Mutants of the store: one line broken, named after what it lets pass, and the test that sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw

from casemate.engines import sqlite_schema
from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


ENGINES = "casemate.engines"
MACHINE = _test("contracts/test_machine", "test_every_engine_does_what_the_model_does[sqlite]")
PROMISED = "test_what_a_failed_sync_left_unpromised_no_retry_promises"


@contextmanager
def _unsynced() -> Iterator[None]:
    """Whoever asks for FULL gets NORMAL."""
    demand = sqlite_schema._demand

    def demanded(db: apsw.Connection, pragma: str, value: str, read_back: str | int) -> None:
        demand(db, pragma, *(("NORMAL", 1) if value == "FULL" else (value, read_back)))

    with patch.object(sqlite_schema, "_demand", demanded):
        yield


# name, leak, the line, what stands in its place, the killer
SHARES, FILLED = "contracts/test_shares", "access/test_filled"
TABLE = (
    (
        "share-counts-all-classes",
        "what lies at one label fills the share of another",
        Edit(f"{ENGINES}.sqlite_uses:Uses.charged", "self._of(db, class_id) + more", "sum(self._kept.values()) + more"),
        _test(SHARES, "test_a_class_that_is_full_takes_nothing_from_another[sqlite]"),
    ),
    (
        "share-counts-what-was-refused",
        "what was refused takes room all the same",
        Edit(f"{ENGINES}.sqlite_uses:Uses.charged", "after = {", "after = self._now = self._now | {"),
        _test(SHARES, "test_in_a_group_only_the_one_that_is_full_is_refused[sqlite]"),
    ),
    (
        "share-told-from-below",
        "what comes from below is refused where it is full above",
        Edit("casemate.store.share:limits", "class_id not in batch.spares", "True"),
        _test(FILLED, "test_a_label_that_is_full_is_noticed_by_nobody_below"),
    ),
    (
        "deleted-and-still-counted",
        "what was removed takes room for ever",
        Edit(f"{ENGINES}.sqlite_apply:_delete", "- found[3]", "- 0"),
        _test(SHARES, "test_what_is_full_still_forgets_deletes_shrinks_and_records[sqlite]"),
    ),
    (
        "redacted-and-still-counted",
        "what was redacted takes room for ever",
        Edit(f"{ENGINES}.sqlite_apply:_forget", "- gone", "- 0"),
        _test(SHARES, "test_what_is_full_still_forgets_deletes_shrinks_and_records[sqlite]"),
    ),
    (
        "share-lost-with-the-power",
        "what was written and what is counted are not of one transaction",
        Edit(f"{ENGINES}.sqlite:SqliteWriter._commit", "self._uses.noted(self._cursor)", "pass"),
        MACHINE,
    ),
    (
        "end-refused-by-a-share",
        "what was begun has no end in the ledger",
        Edit("casemate.access.core:Core.append", "if not owed:", "if True:"),
        _test(FILLED, "test_what_has_begun_is_written_to_its_end"),
    ),
    (
        "begun-without-a-record",
        "something is done of which nothing is written down, or the reserve of a label is used up for ever",
        Edit("casemate.access.core:Core.append", "if not owed:", "if False:"),
        _test(FILLED, "test_where_nothing_can_be_written_down_nothing_begins"),
    ),
    (
        "removal-refused-by-a-share",
        "what fills a label cannot be removed from it",
        Edit("casemate.access.commit:_land", " or flow.action.verb in GIVES_BACK", ""),
        _test(FILLED, "test_what_is_removed_redacted_or_revoked_goes_on_and_makes_room"),
    ),
    (
        "drift-unnamed",
        "a count that is not what lies there is whole",
        Edit("casemate.engines.move:_counted", "is_ != said", "False"),
        _test("engines/test_uses", "test_a_count_that_drifted_is_named_and_made_again"),
    ),
    (
        "unchecked-row-served",
        "a row that was changed in the store is served",
        Edit("casemate.store.row:check", "not same(row_digest(put, row.version, row.seq), row.digest)", "False"),
        _test("engines/test_sqlite_damage", "test_every_byte_of_a_rows_sealed_content_is_watched"),
    ),
    (
        "damage-written-below",
        "that a row was read above is told below",
        Edit(
            "casemate.access.quarantine:_one",
            "place.at or gate.classes.of(gate.vault.region.ceiling)",
            "gate.classes.of(gate.vault.region.floor)",
        ),
        _test("access/test_quarantine", "test_it_is_written_down_where_the_reader_acts_and_silent_below"),
    ),
    (
        "ack-before-sync",
        "what was acknowledged is lost with the power",
        _unsynced,
        _test("faults/test_powerloss", "test_nothing_acknowledged_is_lost_with_the_power"),
    ),
    (
        "key-replayed-twice",
        "a batch that is sent again is no repetition",
        Edit(f"{ENGINES}.sqlite_apply:apply", "if earlier is not None:", "if False:"),
        MACHINE,
    ),
    (
        "half-a-batch",
        "a batch that is refused leaves something behind",
        Edit(f"{ENGINES}.sqlite:SqliteWriter._one", 'self._cursor.execute("ROLLBACK TO batch")', "pass"),
        _test("contracts/test_committer", "test_a_conflict_undoes_the_whole_batch_and_no_other[sqlite]"),
    ),
    (
        "sweep-despite-damage",
        "what a damaged row names is swept",
        Edit("casemate.custody.scrub:Scrub._looked", "marked.sure and one.name", "one.name"),
        _test("custody/test_scrub", "test_where_a_row_is_damaged_nothing_is_swept"),
    ),
    (
        "found-blob-trusted",
        "a blob whose name another process never synced is promised",
        Edit(f"{ENGINES}.files:FileBlobs._write", "self._kept(path)", "pass"),
        _test("engines/test_files", f"{PROMISED}[1-0]"),
    ),
    (
        "unsynced-name-left",
        "a name that did not get to the disk stays for the next to trust in",
        Edit(f"{ENGINES}.files_publish:_named", "path.unlink(missing_ok=True)", "pass"),
        _test("engines/test_files", f"{PROMISED}[4-0]"),
    ),
    (
        "process-goes-on",
        "a process promises something after a sync that failed",
        Edit(f"{ENGINES}.files:FileBlobs._failed", 'self._lost("blobs")', "pass"),
        _test("engines/test_files", f"{PROMISED}[3-0]"),
    ),
    (
        "damage-waits-for-above",
        "much damage above keeps what was met below from being written down",
        Edit("casemate.access.damaged:Damages.met", "len(waiting)", "sum(map(len, self._waiting.values()))"),
        _test("access/test_quarantine", "test_no_damage_above_keeps_what_was_met_below_from_being_written"),
    ),
    (
        "delivery-refused-by-a-full-share",
        "whoever delivers upward learns that the label above is full",
        Edit(f"{ENGINES}.files:FileBlobs._write", "if not delivered:", "if True:"),
        _test("access/test_filled", "test_what_is_raised_into_a_full_label_is_told_as_into_an_empty_one"),
    ),
)
