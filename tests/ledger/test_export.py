from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.crypto import generate, public_of
from casemate.ledger import Export, Head, read_export, root_of, verify_export, write_export
from tests.ledger.histories import LOG, PUBLIC, checkpoint, history

RECORDS = history(4)
EXPORT = write_export(LOG, RECORDS, [checkpoint(RECORDS, 2), checkpoint(RECORDS)], PUBLIC)


def test_an_export_is_read_back_and_verifies() -> None:
    points = (checkpoint(RECORDS, 2), checkpoint(RECORDS))
    assert read_export(EXPORT) == Export(LOG, PUBLIC, points, tuple(RECORDS))
    verdict = verify_export(EXPORT, PUBLIC)
    assert (verdict.state, verdict.entries, verdict.log) == ("ok", 4, LOG)


def test_texts_that_are_kept_back_leave_an_export_that_verifies() -> None:
    hidden = [replace(each, data=None) for each in RECORDS]
    verdict = verify_export(write_export(LOG, hidden, [checkpoint(RECORDS)], PUBLIC), PUBLIC)
    assert (verdict.state, verdict.entries, verdict.unread) == ("ok", 4, 4)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_every_byte_changed_in_turn_is_tampering(mask: int) -> None:
    for place in range(len(EXPORT)):
        changed = bytearray(EXPORT)
        changed[place] ^= mask
        assert verify_export(bytes(changed), PUBLIC).state == "tampered", place


@pytest.mark.parametrize("byte", [b"\n", b" ", b"}", b"0", b'"'])
def test_every_byte_replaced_by_one_with_a_meaning_is_tampering(byte: bytes) -> None:
    for place in range(len(EXPORT)):
        if EXPORT[place : place + 1] != byte:
            changed = EXPORT[:place] + byte + EXPORT[place + 1 :]
            assert verify_export(changed, PUBLIC).state == "tampered", place


def test_every_cut_is_incomplete() -> None:
    for size in range(len(EXPORT)):
        assert verify_export(EXPORT[:size], PUBLIC).state == "incomplete", size


def test_a_line_taken_out_is_never_ok() -> None:
    lines = EXPORT.splitlines(keepends=True)
    states = [verify_export(b"".join(lines[:number] + lines[number + 1 :]), PUBLIC).state for number in range(5)]
    assert states == ["tampered", "tampered", "tampered", "incomplete", "incomplete"]


def test_a_cut_tells_how_far_it_proves() -> None:
    lines = EXPORT.splitlines(keepends=True)
    verdict = verify_export(b"".join(lines[:4]) + lines[4][:9], PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq, verdict.entries) == ("incomplete", "cut", 3, 2)


def test_another_key_is_tampering_whether_it_signed_or_not() -> None:
    assert verify_export(EXPORT, public_of(generate())).state == "tampered"
    unsigned = write_export(LOG, RECORDS, [], PUBLIC)
    assert verify_export(unsigned, PUBLIC).state == "ok"
    assert verify_export(unsigned, public_of(generate())).why == "key"


def test_two_histories_are_a_fork() -> None:
    other = history(4, principal="eve")
    export = write_export(LOG, other, [checkpoint(other)], PUBLIC)
    remembered = Head(LOG, 4, root_of(each.leaf for each in RECORDS).hex())
    assert verify_export(export, PUBLIC).state == "ok"
    assert verify_export(export, PUBLIC, [remembered]).state == "forked"


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"nonsense\n",
        EXPORT.replace(b'"casemate_ledger":1', b'"casemate_ledger":2'),
        EXPORT.replace(PUBLIC.hex().encode(), b"00"),
        EXPORT.replace(PUBLIC.hex().encode(), PUBLIC.hex().upper().encode()),
        EXPORT.replace(RECORDS[0].leaf.hex().encode(), b"00"),
        EXPORT + b"\n",
        EXPORT + EXPORT,
    ],
)
def test_what_is_no_export_is_never_ok(data: bytes) -> None:
    assert verify_export(data, PUBLIC).state == "tampered"
