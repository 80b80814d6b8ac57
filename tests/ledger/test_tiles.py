from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Damaged, TooLarge
from casemate.ledger import (
    ENTRY_BOUND,
    Frontier,
    Place,
    Tiled,
    bundle,
    consistency_proof,
    cut,
    entries_of,
    entries_path,
    grown,
    inclusion_proof,
    leaf_hash,
    packed,
    path_of,
    places,
    root_of,
    unpacked,
)
from casemate.ledger.bundle import bundle_state

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(600)]
STEPS = st.lists(st.integers(1, 300), min_size=1, max_size=6)


def laid(steps: list[int]) -> tuple[dict[Place, bytes], int]:
    """Tiles as they come to be, step by step; older partial ones stay."""
    tiles: dict[Place, bytes] = {}
    at = 0
    for step in steps:
        leaves = LEAVES[at : at + step]
        tiles.update(grown(lambda place: cut(tiles[place]), at, leaves))
        at += len(leaves)
    return tiles, at


def tiled(tiles: dict[Place, bytes], size: int) -> Tiled:
    return Tiled(lambda place: cut(tiles[place]), size)


def test_paths_are_those_of_tlog_tiles() -> None:
    assert path_of(Place(0, 1234067)) == "tile/0/x001/x234/067"
    assert path_of(Place(1, 0, 112)) == "tile/1/000.p/112"
    assert path_of(Place(2, 999)) == "tile/2/999"
    assert entries_path(1000, 5) == "tile/entries/x001/000.p/5"


def test_the_tiles_of_a_tree() -> None:
    assert list(places(0)) == []
    assert list(places(1)) == [Place(0, 0, 1)]
    assert list(places(256)) == [Place(0, 0), Place(1, 0, 1)]
    assert list(places(70000))[-3:] == [Place(1, 0), Place(1, 1, 17), Place(2, 0, 1)]


@given(STEPS)
def test_whatever_the_steps_the_tiles_are_the_trees(steps: list[int]) -> None:
    tiles, size = laid(steps)
    assert {place: tiles[place] for place in places(size)} == {
        place: laid([600])[0].get(place, tiles[place]) for place in places(size)
    }
    tree = tiled(tiles, size)
    assert tree.root() == root_of(LEAVES[:size])
    assert Frontier(size, tree.peaks()).root() == tree.root()


@given(STEPS, st.data())
def test_proofs_from_tiles_are_those_from_leaves(steps: list[int], data: st.DataObject) -> None:
    tiles, whole = laid(steps)
    tree = tiled(tiles, whole)
    size = data.draw(st.integers(1, whole))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert tree.inclusion(index, size) == inclusion_proof(LEAVES[:size], index)
    assert tree.consistency(old, size) == consistency_proof(LEAVES[:size], old)
    assert tree.leaf(index) == LEAVES[index]
    assert tree.root(size) == root_of(LEAVES[:size])
    assert Frontier(size, tree.peaks(size)).root() == tree.root(size)


@given(st.integers(0, 300), st.integers(0, 300))
def test_extending_is_appending(old: int, more: int) -> None:
    one, other = Frontier(), Frontier()
    for leaf in LEAVES[: old + more]:
        one.append(leaf)
    other.extend(LEAVES[:old])
    other.extend(LEAVES[old : old + more])
    assert (one.size, one.peaks) == (other.size, other.peaks)


def test_what_is_not_there_is_refused() -> None:
    tiles, size = laid([9])
    tree = tiled(tiles, size)
    for index in (-1, 9):
        with pytest.raises(ValueError, match="no such leaf"):
            tree.inclusion(index)
        with pytest.raises(ValueError, match="no such leaf"):
            tree.leaf(index)
    for old, whole in ((-1, 9), (10, 9), (3, 10)):
        with pytest.raises(ValueError, match="no such earlier tree"):
            tree.consistency(old, whole)
    with pytest.raises(Damaged):
        cut(bytes(49))
    with pytest.raises(Damaged):
        Tiled(lambda place: [], 9).root()


def test_only_the_last_tiles_stay_in_memory() -> None:
    many = [leaf_hash(number.to_bytes(4, "big")) for number in range(256 * 40)]
    tiles = grown(lambda place: [], 0, many)
    asked: list[Place] = []

    def read(place: Place) -> list[bytes]:
        asked.append(place)
        return cut(tiles[place])

    tree = Tiled(read, len(many))
    for index in range(0, len(many), 256):
        assert tree.leaf(index) == many[index]
    before = len(asked)
    assert tree.leaf(len(many) - 1) == many[-1]
    assert tree.leaf(0) == many[0]
    assert len(asked) == before + 1


ENTRIES = [packed(f"id{number}", bytes([number]) * (3 * number)) for number in range(5)]


def test_bundles_are_read_back() -> None:
    assert entries_of(bundle(ENTRIES)) == ENTRIES
    assert unpacked(ENTRIES[3]) == ("id3", bytes([3]) * 9)
    assert bundle_state(bundle(ENTRIES), 5) == "ok"


def test_every_byte_of_a_bundle_is_held_and_every_cut_is_a_cut() -> None:
    data = bundle(ENTRIES)
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert bundle_state(bytes(changed), 5) == "changed", (place, bit)
        assert bundle_state(data[:place], 5) == "cut", place
    assert bundle_state(data + data[: 2 + len(ENTRIES[0])], 5) == "changed"


def test_what_is_too_large_or_no_entry_is_refused() -> None:
    with pytest.raises(TooLarge):
        packed("id", bytes(ENTRY_BOUND))
    with pytest.raises(TooLarge):
        packed("i" * 256, b"")
    with pytest.raises(TooLarge):
        bundle([bytes(ENTRY_BOUND + 1)])
    with pytest.raises(Damaged):
        entries_of(b"\x00\x09ab")
    for data in (b"", bytes(30), ENTRIES[2][:-1]):
        with pytest.raises(Damaged):
            unpacked(data)
    with pytest.raises(Damaged):
        unpacked(_renamed())


def _renamed() -> bytes:
    """A sound check over an id that is no text."""
    from casemate.crypto import digest

    rest = b"\x00\x0c\x01\xff"
    return digest(rest)[:8] + rest
