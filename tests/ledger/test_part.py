"""A part of a log verifies alone, and says incomplete rather than tampered where only a part is given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replace_fields

from casemate.crypto import generate, public_of
from casemate.ledger import (
    SHA256,
    Checkpoint,
    Head,
    Place,
    Record,
    Tiled,
    Verdict,
    leaf_hash,
    part_of,
    read_export,
    root_of,
    sign_note,
    verify_export,
    write_part,
)
from tests.ledger.histories import LOG, PUBLIC, SIGNER, checkpoint, entry, history, record

RECORDS = history(40)
LEAVES = [each.leaf for each in RECORDS]
POINTS = [checkpoint(RECORDS, size) for size in (7, 12, 20, 40)]


def tree_of(leaves: list[bytes]) -> Tiled:
    return Tiled(lambda place: leaves[: place.width], len(leaves))


def exported(start: int, stop: int, records: list[Record] = RECORDS, points: list[Checkpoint] = POINTS) -> bytes:
    part, chosen = part_of(tree_of([each.leaf for each in records]), start, stop, points)
    return write_part(LOG, records[start:stop], chosen, PUBLIC, part)


PART = exported(10, 15)


@given(st.integers(0, 39), st.integers(1, 40))
def test_every_part_verifies_alone(start: int, count: int) -> None:
    stop = min(40, start + count)
    verdict = verify_export(exported(start, stop), PUBLIC)
    assert verdict == Verdict("ok", LOG, entries=stop, beyond=0, at=verdict.at)


def test_a_part_carries_the_checkpoints_before_in_and_behind_it() -> None:
    export = read_export(PART)
    assert [point.size for point in export.checkpoints] == [7, 12, 20]
    assert (export.part.start, export.part.stop, len(export.part.peaks)) == (10, 15, 2)
    assert [each.seq for each in export.records] == [10, 11, 12, 13, 14]
    assert export.part.before
    assert export.part.after


@pytest.mark.parametrize("mask", [0x01, 0x04, 0x20, 0x80])
def test_every_byte_changed_in_turn_is_tampering(mask: int) -> None:
    for place in range(mask % 2, len(PART), 2):
        changed = bytearray(PART)
        changed[place] ^= mask
        assert verify_export(bytes(changed), PUBLIC).state == "tampered", place


def test_every_cut_is_incomplete() -> None:
    for size in range(0, len(PART), 3):
        assert verify_export(PART[:size], PUBLIC).state == "incomplete", size


def test_entries_that_are_left_out_are_incomplete_or_tampering_and_never_ok() -> None:
    head, *lines = PART.splitlines(keepends=True)
    assert verify_export(b"".join([head, *lines[:3]]), PUBLIC).state == "incomplete"
    assert verify_export(b"".join([head, *lines[1:]]), PUBLIC).state == "tampered"
    assert verify_export(b"".join([head, *lines, lines[-1]]), PUBLIC).state == "tampered"


def test_a_part_of_which_nothing_is_signed_is_incomplete() -> None:
    verdict = verify_export(exported(10, 15, points=[]), PUBLIC)
    assert (verdict.state, verdict.why, verdict.entries) == ("incomplete", "unproved", 0)
    verdict = verify_export(exported(10, 15, points=POINTS[:1]), PUBLIC)
    assert (verdict.state, verdict.why) == ("incomplete", "unproved")


def test_a_beginning_that_was_made_up_is_tampering() -> None:
    """What came before is told as another tree than the one that was signed."""
    other = history(40, principal="eve")
    part, chosen = part_of(tree_of(LEAVES), 10, 15, POINTS)
    forged = replace(part, peaks=tuple(tree_of([each.leaf for each in other]).peaks(10)))
    assert verify_export(write_part(LOG, RECORDS[10:15], chosen, PUBLIC, forged), PUBLIC).state == "tampered"
    behind = [point for point in chosen if point.size > 15]
    assert verify_export(write_part(LOG, RECORDS[10:15], behind, PUBLIC, forged), PUBLIC).why == "proof"
    before = [point for point in chosen if point.size < 10]
    assert verify_export(write_part(LOG, RECORDS[10:15], before, PUBLIC, forged), PUBLIC).why == "proof"
    for without in (replace(part, before=()), replace(part, after=())):
        assert verify_export(write_part(LOG, RECORDS[10:15], chosen, PUBLIC, without), PUBLIC).why == "proof"


def test_a_part_of_another_history_is_a_fork() -> None:
    other = history(40, principal="eve")
    points = [checkpoint(other, size) for size in (7, 12, 20, 40)]
    forged = exported(10, 15, other, points)
    assert verify_export(forged, PUBLIC).state == "ok"
    for size in (7, 12, 13, 20):
        verdict = verify_export(forged, PUBLIC, [Head(LOG, size, root_of(LEAVES[:size]).hex())])
        assert (verdict.state, verdict.why, verdict.seq) == ("forked", "head", size)


def test_a_remembered_head_that_cannot_be_compared_witnesses_nothing() -> None:
    for size in (3, 30):
        verdict = verify_export(PART, PUBLIC, [Head(LOG, size, root_of(LEAVES[:size]).hex())])
        assert (verdict.state, verdict.why, verdict.witnessed) == ("incomplete", "unlinked", False)
    heads = [Head(LOG, size, root_of(LEAVES[:size]).hex()) for size in (3, 12)]
    assert verify_export(PART, PUBLIC, heads).witnessed


def test_what_ends_behind_the_part_is_not_interrupted() -> None:
    records = [record(n, entry(n, "begin" if n == 4 else "done", "ent_4" if n == 8 else "")) for n in range(10)]
    points = [checkpoint(records, 10)]
    assert verify_export(exported(3, 6, records, points), PUBLIC).state == "ok"
    records = [record(n, entry(n, "begin" if n == 4 else "done")) for n in range(10)]
    points = [checkpoint(records, 10)]
    assert verify_export(exported(3, 10, records, points), PUBLIC).state == "interrupted"


def test_another_hash_is_proved_by_a_note() -> None:
    records = [Record(each.seq, leaf_hash(each.data or b"", SHA256), each.data) for each in RECORDS]
    leaves = [each.leaf for each in records]
    tree = Tiled(lambda place: leaves[: place.width], 40, SHA256)
    part, _ = part_of(tree, 10, 40, [])
    note = sign_note(SIGNER, LOG, 40, tree.root(), 5, profile=SHA256)
    data = write_part(LOG, records[10:], [], PUBLIC, part, [note])
    assert verify_export(data, PUBLIC).state == "ok"
    for place in range(0, len(data), 23):
        assert verify_export(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], PUBLIC).state == "tampered"
    assert verify_export(data, public_of(generate())).state == "tampered"
    assert verify_export(write_part(LOG, records[10:], [], PUBLIC, part), PUBLIC).why == "unproved"
    for other in (
        sign_note(SIGNER, "class_b", 40, tree.root(), 5, profile=SHA256),
        sign_note(SIGNER, LOG, 40, leaves[0], 5, profile=SHA256),
        sign_note(SIGNER, LOG, 40, root_of(LEAVES), 5),
    ):
        assert verify_export(write_part(LOG, records[10:], [], PUBLIC, part, [other]), PUBLIC).state == "tampered"


def test_there_is_no_part_beyond_a_tree() -> None:
    for start, stop in ((-1, 3), (3, 3), (5, 4), (0, 41)):
        with pytest.raises(ValueError, match="no such part"):
            part_of(tree_of(LEAVES), start, stop, POINTS)


def test_the_width_that_a_tile_is_asked_for_is_its_own() -> None:
    asked: list[Place] = []

    def read(place: Place) -> list[bytes]:
        asked.append(place)
        return LEAVES[: place.width]

    assert Tiled(read, 40).root() == root_of(LEAVES)
    assert asked == [Place(0, 0, 40)]


def test_a_changed_end_is_no_cut() -> None:
    """A first line that claims more than there is, and a file that was cut, look alike but for its digest."""
    for said, claimed in ((b'"stop":15', b'"stop":16'), (b'"start":10', b'"start":12')):
        assert PART.count(said) == 1
        assert verify_export(PART.replace(said, claimed), PUBLIC).state == "tampered"


def test_a_head_that_was_signed_and_is_no_hash_proves_nothing() -> None:
    part, chosen = part_of(tree_of(LEAVES), 10, 15, POINTS)
    unsigned = replace_fields(POINTS[0], root="no hash")
    before = replace_fields(unsigned, signature=SIGNER.sign(unsigned.body()).hex())
    found = write_part(LOG, RECORDS[10:15], [before, *(point for point in chosen if point.size > 7)], PUBLIC, part)
    verdict = verify_export(found, PUBLIC)
    assert (verdict.state, verdict.why, verdict.seq) == ("tampered", "proof", 10)
