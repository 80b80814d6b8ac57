from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.ledger import EMPTY, Frontier, leaf_hash, node_hash, root_of

LEAVES = st.lists(st.binary(max_size=8).map(leaf_hash), max_size=70)


def definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, as it is written there, over leaf hashes."""
    if not leaves:
        return hashlib.sha384(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha384(b"\x01" + definition(leaves[:split]) + definition(leaves[split:])).digest()


def test_leaf_and_node_hashes_are_told_apart_by_their_first_byte() -> None:
    assert leaf_hash(b"x") == hashlib.sha384(b"\x00x").digest()
    assert node_hash(b"l", b"r") == hashlib.sha384(b"\x01lr").digest()
    assert definition([]) == EMPTY


@given(LEAVES)
def test_the_root_is_the_one_that_rfc_6962_defines(leaves: list[bytes]) -> None:
    assert root_of(leaves) == definition(leaves)


@given(LEAVES)
def test_a_frontier_can_be_put_down_and_taken_up_again(leaves: list[bytes]) -> None:
    frontier = Frontier()
    for index, leaf in enumerate(leaves):
        assert frontier.append(leaf) == index
        frontier = Frontier(frontier.size, frontier.peaks)
    assert (frontier.size, frontier.root()) == (len(leaves), definition(leaves))


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert Frontier().root() == EMPTY


@pytest.mark.parametrize(("size", "peaks"), [(-1, []), (1, []), (3, [EMPTY]), (1, [b"short"]), (0, [EMPTY])])
def test_a_frontier_that_cannot_be_is_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="one peak for each bit"):
        Frontier(size, peaks)
