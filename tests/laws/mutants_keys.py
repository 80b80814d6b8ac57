"""Mutants of keys and sealing: a promise about what lies on the disk broken, with what sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROWS = "casemate.access.rows"
STORE = "casemate.engines.key_store"
CLASS = "casemate.engines.key_store_class"


def _rows(name: str) -> Tested:
    return Tested(f"tests/access/test_rows.py::{name}")


def _store(name: str) -> Tested:
    return Tested(f"tests/engines/test_key_store.py::{name}")


# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "id-in-the-open",
        "whoever takes the disk reads what objects are called",
        Edit(f"{ROWS}:Rows.named", 'short(self._sealer.blind(class_id, f"{kind}#", id)[:_BITS])', "id"),
        _rows("test_neither_an_id_nor_a_parent_nor_a_batch_lies_in_the_open"),
    ),
    (
        "parent-in-the-open",
        "whoever takes the disk reads what was made of what",
        Edit(f"{ROWS}:Rows.put", "self.named(p.class_id, p.kind, p.id)", "p.id"),
        _rows("test_neither_an_id_nor_a_parent_nor_a_batch_lies_in_the_open"),
    ),
    (
        "batch-in-the-open",
        "whoever takes the disk reads what a caller named his request",
        Edit(f"{ROWS}:Rows.key", 'short(self._sealer.blind(domain, "batch", text)[:_BITS])', "text"),
        _rows("test_neither_an_id_nor_a_parent_nor_a_batch_lies_in_the_open"),
    ),
    (
        "one-blind-for-all",
        "whoever takes the disk sees which objects of two labels are called alike",
        Edit(f"{ROWS}:Rows.named", "blind(class_id,", 'blind("",'),
        _rows("test_neither_an_id_nor_a_parent_nor_a_batch_lies_in_the_open"),
    ),
    (
        "conflict-in-the-stores-words",
        "nobody can tell which of his objects changed meanwhile",
        Edit(f"{ROWS}:Rows.told", 'Conflict(what=f"{kind} {change.id}")', "conflict"),
        _rows("test_a_conflict_is_told_in_the_callers_words"),
    ),
    (
        "entry-id-in-the-open",
        "a leaf can be guessed at by whoever knows who asks and when",
        Edit("casemate.access.record:Recorder.named", 'short(self._vault.sealer.blind("", "entry", id)[:_ID])', "id"),
        _rows("test_an_entrys_own_id_is_in_no_file_and_salts_its_leaf"),
    ),
    (
        "one-key-for-all",
        "the key of one label opens every other",
        Edit(f"{CLASS}:ClassKeys.wrap", "recipient.wrap(key, class_id.encode())", 'recipient.wrap(key, b"")'),
        _store("test_each_class_has_a_key_of_its_own"),
    ),
    (
        "key-of-anybodys",
        "whoever writes into keys/ brings the region to seal under a key of his",
        Edit(f"{CLASS}:ClassKeys._opened", "same(hmac(self._macs[place], body), mac)", "True"),
        _store("test_no_byte_of_a_key_file_may_differ"),
    ),
    (
        "tombstone-ignored",
        "a key that was destroyed is drawn again, and the label goes on as if nothing had been",
        Edit(f"{STORE}:KeyStore._load", "self._classes.path(class_id, GONE).exists()", "False"),
        _store("test_a_destruction_that_was_cut_short_is_one"),
    ),
    (
        "lost-key-drawn-anew",
        "where a key is lost a label goes on under another, and what lies there is no longer found",
        Edit(f"{STORE}:KeyStore._data_key", "and self._written(class_id)", "and False"),
        _store("test_a_class_that_was_written_to_never_gets_a_second_key"),
    ),
    (
        "lost-key-asked-of-nobody",
        "the key store is told by nobody what the records know",
        Edit("casemate.wiring.store:written_in", "any(row.id == class_id for row in rows)", "False"),
        Tested("tests/wiring/test_checks.py::test_a_key_that_the_records_miss_is_named_to_whoever_may_know_of_it"),
    ),
    (
        "destroyed-here-alone",
        "another process goes on opening what was destroyed",
        Edit(f"{STORE}:KeyStore.destroyed", "self.forget()", "pass"),
        _store("test_a_destroyed_key_is_gone_for_good_in_every_process"),
    ),
    (
        "ed25519-alone-suffices",
        "whoever breaks the older algorithm signs as the region",
        Edit("casemate.crypto.sign:verify", "if lattice:", "if lattice and not classic:"),
        Tested("tests/crypto/test_sign.py::test_of_two_signatures_both_must_hold"),
    ),
    (
        "mldsa-alone-suffices",
        "whoever breaks the newer algorithm signs as the region",
        Edit("casemate.crypto.sign:verify", "if classic:", "if classic and not lattice:"),
        Tested("tests/crypto/test_sign.py::test_of_two_signatures_both_must_hold"),
    ),
    (
        "destroyed-by-one",
        "a single officer destroys what two should",
        Edit("casemate.accounts.class_keys:destroy_key", "if done is None:", "if False:"),
        Tested("tests/doors/native/test_class_keys.py::test_where_two_are_asked_for_one_is_not_enough"),
    ),
)
