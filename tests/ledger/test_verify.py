from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from casemate.crypto import KeySigner
from casemate.ledger import EMPTY, Head, Record, Verdict, leaf_hash, root_of, sign_checkpoint, verify
from tests.ledger.histories import LOG, PUBLIC, checkpoint, entry, history, record

RECORDS = history(9)
POINTS = [checkpoint(RECORDS, 4), checkpoint(RECORDS, 7)]


def head(records: list[Record], size: int) -> Head:
    return Head(LOG, size, root_of(each.leaf for each in records[:size]).hex())


def test_a_whole_log_is_ok_up_to_its_last_checkpoint() -> None:
    verdict = verify(LOG, RECORDS, POINTS, PUBLIC)
    assert verdict == Verdict("ok", LOG, entries=7, at=entry(6).at, beyond=2)


def test_without_a_checkpoint_nothing_is_proved() -> None:
    assert verify(LOG, RECORDS, [], PUBLIC) == Verdict("ok", LOG, entries=0, beyond=9)


def test_an_empty_log_is_ok() -> None:
    assert verify(LOG, [], [], PUBLIC) == Verdict("ok", LOG)
    assert verify(LOG, [], [checkpoint([])], PUBLIC).state == "ok"


def test_a_remembered_head_proves_and_witnesses() -> None:
    remembered = head(RECORDS, 9)
    verdict = verify(LOG, RECORDS, POINTS, PUBLIC, [msgspec.structs.replace(remembered, root=remembered.root.upper())])
    assert (verdict.state, verdict.entries, verdict.beyond, verdict.witnessed) == ("ok", 9, 0, True)


def test_a_head_of_another_log_says_nothing_here() -> None:
    verdict = verify(LOG, RECORDS, POINTS, PUBLIC, [Head("class_b", 3, EMPTY.hex())])
    assert (verdict.state, verdict.witnessed) == ("ok", False)


def test_a_log_signed_by_a_single_officer_says_so() -> None:
    assert verify(LOG, RECORDS, [checkpoint(RECORDS, solo=True)], PUBLIC).solo
    assert not verify(LOG, RECORDS, POINTS, PUBLIC).solo


def test_text_that_cannot_be_read_is_counted_and_its_leaf_still_proved() -> None:
    hidden = [replace(each, data=None) if each.seq in (2, 6) else each for each in RECORDS]
    verdict = verify(LOG, hidden, POINTS, PUBLIC)
    assert (verdict.state, verdict.entries, verdict.unread, verdict.at) == ("ok", 7, 2, entry(5).at)


def test_nothing_readable_has_no_time() -> None:
    hidden = [replace(each, data=None) for each in RECORDS]
    assert verify(LOG, hidden, POINTS, PUBLIC) == Verdict("ok", LOG, entries=7, beyond=2, unread=9)


def altered(seq: int, **change: object) -> list[Record]:
    return [replace(each, **change) if each.seq == seq else each for each in RECORDS]  # type: ignore[arg-type]


def rewritten(seq: int) -> list[Record]:
    """An entry changed together with its leaf, as someone would who can write to the store."""
    return [record(seq, entry(seq, principal="eve")) if each.seq == seq else each for each in RECORDS]


@pytest.mark.parametrize(
    ("records", "why", "seq"),
    [
        (altered(3, data=b"{}"), "leaf", 3),
        (altered(3, leaf=EMPTY), "leaf", 3),
        (altered(3, data=b"{}", leaf=leaf_hash(b"{}")), "entry", 3),
        ([*RECORDS[:3], record(3, entry(3, log="class_b")), *RECORDS[4:]], "log", 3),
        ([*RECORDS[:3], *RECORDS[2:]], "order", 2),
        ([*RECORDS[:3], RECORDS[4], RECORDS[3], *RECORDS[5:]], "order", 3),
        (rewritten(3), "root", 4),
        (rewritten(5), "root", 7),
    ],
)
def test_row_31_tampering_is_named_with_its_place(records: list[Record], why: str, seq: int) -> None:
    verdict = verify(LOG, records, POINTS, PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("tampered", why, seq)
    assert (verdict.entries, verdict.at) == (0, None)


def test_the_first_fault_is_the_one_named() -> None:
    records = [replace(each, leaf=EMPTY) if each.seq in (2, 5) else each for each in RECORDS]
    assert verify(LOG, records, POINTS, PUBLIC).seq == 2


def test_a_change_beyond_the_last_checkpoint_is_seen_by_a_remembered_head_alone() -> None:
    assert verify(LOG, rewritten(8), POINTS, PUBLIC).state == "ok"
    assert verify(LOG, rewritten(8), POINTS, PUBLIC, [head(RECORDS, 9)]).state == "forked"


@pytest.mark.parametrize(
    "point",
    [
        msgspec.structs.replace(POINTS[0], signature="00" * 64),
        msgspec.structs.replace(POINTS[0], at=1),
        sign_checkpoint(KeySigner(bytes(32)), LOG, 4, bytes.fromhex(POINTS[0].root), 1),
        checkpoint(RECORDS, 4, log="class_b"),
    ],
)
def test_a_checkpoint_that_is_not_ours_is_tampering(point) -> None:  # type: ignore[no-untyped-def]
    verdict = verify(LOG, RECORDS, [point, POINTS[1]], PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("tampered", "signature", 4)


def test_row_31_entries_cut_off_the_end_are_incomplete() -> None:
    verdict = verify(LOG, RECORDS[:6], POINTS, PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("incomplete", "missing", 6)
    assert (verdict.entries, verdict.at, verdict.beyond) == (4, entry(3).at, 2)


def test_row_31_a_rollback_of_log_and_checkpoints_is_seen_by_a_remembered_head_alone() -> None:
    assert verify(LOG, RECORDS[:5], POINTS[:1], PUBLIC).state == "ok"
    verdict = verify(LOG, RECORDS[:5], POINTS[:1], PUBLIC, [head(RECORDS, 9)])
    assert (verdict.state, verdict.why, verdict.seq) == ("incomplete", "missing", 5)


@pytest.mark.parametrize("missing", range(8))
def test_an_entry_taken_out_of_the_middle_leaves_a_gap(missing: int) -> None:
    records = [each for each in RECORDS if each.seq != missing]
    verdict = verify(LOG, records, POINTS, PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("incomplete", "gap", missing)


def test_the_first_of_two_gaps_is_named_and_what_follows_is_still_read() -> None:
    records = [each for each in RECORDS if each.seq not in (2, 5)]
    assert verify(LOG, records, POINTS, PUBLIC).seq == 2
    records[-1] = replace(records[-1], leaf=EMPTY)
    assert verify(LOG, records, POINTS, PUBLIC).why == "leaf"


def test_two_histories_are_a_fork_whoever_signed_them() -> None:
    other = [*RECORDS[:3], *history(9, principal="eve")[3:]]
    own = [checkpoint(other, 4), checkpoint(other, 9)]
    assert verify(LOG, other, own, PUBLIC).state == "ok"
    verdict = verify(LOG, other, own, PUBLIC, [head(RECORDS, 3), head(RECORDS, 7)])
    assert (verdict.state, verdict.why, verdict.seq) == ("forked", "head", 7)


def test_two_signed_checkpoints_of_one_size_are_a_fork() -> None:
    other = history(9, principal="eve")
    verdict = verify(LOG, RECORDS, [POINTS[0], checkpoint(other, 4)], PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("forked", "checkpoints", 4)
    assert verify(LOG, RECORDS, [POINTS[0], POINTS[0]], PUBLIC).state == "ok"


def test_a_head_beyond_the_log_is_compared_with_the_checkpoint_of_its_size() -> None:
    other = history(9, principal="eve")
    assert verify(LOG, RECORDS[:5], POINTS, PUBLIC, [head(other, 7)]).state == "forked"
    assert verify(LOG, RECORDS[:5], POINTS, PUBLIC, [head(RECORDS, 7)]).state == "incomplete"


def paired() -> list[Record]:
    return [
        record(0, entry(0, "begin")),
        record(1, entry(1, "begin")),
        record(2, entry(2, "refused")),
        record(3, entry(3, "complete", ref="ent_0")),
        record(4, entry(4, "failed", ref="ent_99")),
    ]


def test_a_begin_without_an_end_is_interrupted_and_the_tree_is_whole() -> None:
    records = paired()
    verdict = verify(LOG, records, [checkpoint(records)], PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("interrupted", "begin", 1)
    assert (verdict.interrupted, verdict.entries, verdict.at) == (("ent_1",), 5, entry(4).at)


def test_a_begin_that_is_known_to_run_is_not_interrupted() -> None:
    records = paired()
    verdict = verify(LOG, records, [checkpoint(records)], PUBLIC, running={"ent_1"})
    assert (verdict.state, verdict.interrupted) == ("ok", ())


def test_missing_entries_weigh_more_than_missing_ends() -> None:
    records = paired()
    verdict = verify(LOG, records[:3], [checkpoint(records)], PUBLIC)
    assert (verdict.state, verdict.interrupted) == ("incomplete", ("ent_0", "ent_1"))
