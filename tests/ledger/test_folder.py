"""A log's files by themselves and beside the records: every byte is held, every cut is a cut, a fork is a fork."""

from __future__ import annotations

import random

import pytest

from casemate.crypto import generate, public_of
from casemate.ledger import (
    CHECKPOINT_FILE,
    WIDTH,
    Files,
    Head,
    Place,
    bundle,
    cut,
    entries_path,
    grown,
    leaf_hash,
    packed,
    path_of,
    places,
    root_of,
    sign_note,
    verify_folder,
)
from tests.laws.long import leave
from tests.ledger.histories import LOG, PUBLIC, SIGNER

SIZE = 600


def leaves_of(size: int, salt: bytes = b"") -> list[bytes]:
    return [leaf_hash(salt + number.to_bytes(4, "big")) for number in range(size)]


def sealed(number: int) -> bytes:
    return packed(f"id{number:05d}", b"sealed %d" % number)


def folder_of(size: int, salt: bytes = b"") -> dict[str, bytes]:
    leaves = leaves_of(size, salt)
    tiles = grown(lambda place: [], 0, leaves)
    files = {path_of(place): data for place, data in tiles.items()}
    for place in places(size):
        if not place.level:
            start = place.index * WIDTH
            files[entries_path(place.index, place.width)] = bundle(sealed(n) for n in range(start, start + place.width))
    files[CHECKPOINT_FILE] = sign_note(SIGNER, LOG, size, root_of(leaves), 7)
    return files


def truth(index: int, width: int, size: int = SIZE) -> tuple[bytes, bytes]:
    start, stop = index * WIDTH, min(size, index * WIDTH + width)
    return b"".join(leaves_of(size)[start:stop]), bundle(sealed(n) for n in range(start, stop))


def judged(files: dict[str, bytes], *heads: Head, records: int = 0) -> tuple[str, str, int | None]:
    told = (lambda index, width: truth(index, width, records)) if records else None
    verdict = verify_folder(LOG, Files(files.get, told), PUBLIC, heads)
    return verdict.state, verdict.why, verdict.seq


FILES = folder_of(SIZE)


def test_a_folder_is_ok_up_to_its_note_with_and_without_records() -> None:
    verdict = verify_folder("", Files(FILES.get), PUBLIC)
    assert (verdict.state, verdict.log, verdict.entries, verdict.at, verdict.unread) == ("ok", LOG, SIZE, 7, SIZE)
    assert judged(FILES, records=SIZE)[0] == "ok"
    assert judged(FILES, records=SIZE + 9)[0] == "ok"


def changed_everywhere(places_: list[tuple[str, int]], records: int) -> None:
    for path, place in places_:
        data = bytearray(FILES[path])
        data[place] ^= 1 << (place % 8)
        assert judged(FILES | {path: bytes(data)}, records=records)[0] == "tampered", (path, place)


EVERYWHERE = [(path, place) for path, data in sorted(FILES.items()) for place in range(len(data))]


@pytest.mark.parametrize("records", [0, SIZE])
def test_bytes_changed_anywhere_are_tampering(records: int) -> None:
    """A seeded part of them; every one in the long run."""
    seed = random.SystemRandom().randrange(1 << 30)
    chosen = random.Random(seed).sample(EVERYWHERE, 250)
    print(f"\nbytes of tiles, entries and checkpoint: {len(chosen)} of {len(EVERYWHERE)} from seed {seed}")
    changed_everywhere(chosen, records)


@pytest.mark.long
def test_every_byte_of_every_file_changed_in_turn_is_tampering() -> None:
    changed_everywhere(EVERYWHERE, 0)
    leave("ledger_bytes", bytes=len(EVERYWHERE), files=len(FILES), found=len(EVERYWHERE))


@pytest.mark.parametrize("records", [0, SIZE])
def test_every_file_cut_or_gone_is_incomplete(records: int) -> None:
    rng = random.Random(1)
    for path, data in FILES.items():
        for size in (0, 1, len(data) - 1, *(rng.randrange(len(data)) for _ in range(6))):
            assert judged(FILES | {path: data[:size]}, records=records)[0] == "incomplete", (path, size)
        gone = {name: held for name, held in FILES.items() if name != path}
        assert judged(gone, records=records)[0] == "incomplete", path


@pytest.mark.parametrize("records", [0, SIZE])
def test_every_file_that_is_longer_is_tampering(records: int) -> None:
    for path, data in FILES.items():
        if path != CHECKPOINT_FILE:
            assert judged(FILES | {path: data + data[:48]}, records=records)[0] == "tampered", path


def test_what_is_wrong_is_named_by_its_place() -> None:
    for path, seq in (("tile/0/001", 256), ("tile/entries/002.p/88", 512)):
        data = FILES[path]
        assert judged(FILES | {path: data[:5] + bytes([data[5] ^ 1]) + data[6:]})[2] in (seq, 0)
    assert judged(FILES | {"tile/0/001": FILES["tile/0/001"][:9]}) == ("incomplete", "tile", 256)


def test_a_tile_that_has_grown_since_serves_the_older_head() -> None:
    """A folder that is copied while it grows: the note is older than the tiles."""
    later = {path: data for path, data in folder_of(700).items() if path != CHECKPOINT_FILE}
    assert judged({**later, CHECKPOINT_FILE: FILES[CHECKPOINT_FILE]})[0] == "ok"
    assert judged({**later, CHECKPOINT_FILE: FILES[CHECKPOINT_FILE]}, records=700)[0] == "ok"


def test_two_histories_are_a_fork() -> None:
    other = folder_of(SIZE, b"other")
    assert judged(other)[0] == "ok"
    for size in (1, 300, SIZE):
        head = Head(LOG, size, root_of(leaves_of(SIZE)[:size]).hex().upper())
        assert judged(other, head) == ("forked", "head", size)
        assert judged(FILES, head)[0] == "ok"
    assert judged(FILES, Head("class_b", 5, "00"))[0] == "ok"


def test_a_tile_that_goes_while_one_looks_is_incomplete() -> None:
    for path, seq in (("tile/0/001", 256), ("tile/1/000.p/2", 0)):
        asked: list[str] = []

        def read(name: str, asked: list[str] = asked, path: str = path) -> bytes | None:
            asked.append(name)
            return None if name == path and asked.count(path) > 1 else FILES.get(name)

        verdict = verify_folder(LOG, Files(read), PUBLIC, [Head(LOG, 300, root_of(leaves_of(300)).hex())])
        assert (verdict.state, verdict.why, verdict.seq) == ("incomplete", "tile", seq)


def test_a_full_tile_above_the_leaves_is_held_to_them_and_to_what_lies_above() -> None:
    """65,536 entries fill a tile of level 1."""
    size = WIDTH * WIDTH
    files = folder_of(size)
    assert judged(files)[0] == "ok"
    for path in ("tile/1/000", "tile/2/000.p/1"):
        data = bytes([files[path][0] ^ 1]) + files[path][1:]
        assert judged(files | {path: data}) == ("tampered", "tile", 0)
    assert judged({name: data for name, data in files.items() if name != "tile/1/000"})[0] == "incomplete"


def test_a_folder_that_was_put_back_is_incomplete_before_a_remembered_head() -> None:
    early = folder_of(300)
    assert judged(early)[0] == "ok"
    assert judged(early, Head(LOG, SIZE, root_of(leaves_of(SIZE)).hex())) == ("incomplete", "missing", 300)


def test_records_that_were_cut_off_are_incomplete_and_others_are_tampering() -> None:
    assert judged(FILES, records=550)[0] == "incomplete"
    assert judged(folder_of(SIZE, b"other"), records=SIZE)[0] == "tampered"


def test_a_root_that_no_tile_gives_is_tampering() -> None:
    note = sign_note(SIGNER, LOG, SIZE, leaf_hash(b""), 7)
    assert judged(FILES | {CHECKPOINT_FILE: note}) == ("tampered", "root", SIZE)


def test_another_key_or_log_is_tampering() -> None:
    assert verify_folder(LOG, Files(FILES.get), public_of(generate())).state == "tampered"
    assert verify_folder("class_b", Files(FILES.get), PUBLIC).state == "tampered"


def test_an_empty_log_has_a_note_alone() -> None:
    assert judged(folder_of(0)) == ("ok", "", None)


def test_tiles_that_grew_step_by_step_are_the_same_files() -> None:
    tiles: dict[Place, bytes] = {}
    leaves, at = leaves_of(SIZE), 0
    while at < SIZE:
        tiles.update(grown(lambda place: cut(tiles[place]), at, leaves[at : at + 70]))
        at = min(SIZE, at + 70)
    assert all(FILES[path_of(place)] == tiles[place] for place in places(SIZE))


def test_tiles_above_the_leaves_are_made_again() -> None:
    """With the records at hand too: a hash above them is in no record."""
    for place in (0, 50, 95):
        data = bytearray(FILES["tile/1/000.p/2"])
        data[place] ^= 1
        for records in (0, SIZE):
            found = judged(FILES | {"tile/1/000.p/2": bytes(data)}, records=records)
            assert found == ("tampered", "tile", 0)
