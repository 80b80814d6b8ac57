from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.ledger import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.ledger.test_tree import definition


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*path(index, leaves[:split]), definition(leaves[split:])]
    return [*path(index - split, leaves[split:]), definition(leaves[:split])]


def subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2, as it is written there."""
    if old == len(leaves):
        return [] if whole else [definition(leaves)]
    split = split_of(len(leaves))
    if old <= split:
        return [*subproof(old, leaves[:split], whole), definition(leaves[split:])]
    return [*subproof(old - split, leaves[split:], whole=False), definition(leaves[:split])]


def split_of(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_has_the_path_of_the_rfc_and_it_verifies(size: int) -> None:
    leaves = leaves_of(size)
    root = root_of(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert proof == path(index, leaves)
        assert verify_inclusion(leaves[index], index, size, proof, root)


@pytest.mark.parametrize("size", range(34))
def test_every_earlier_tree_has_the_proof_of_the_rfc_and_it_verifies(size: int) -> None:
    leaves = leaves_of(size)
    for old in range(size + 1):
        proof = consistency_proof(leaves, old)
        if old > 0:
            assert proof == subproof(old, leaves, whole=True)
        assert verify_consistency(old, root_of(leaves[:old]), size, root_of(leaves), proof)


@given(st.data())
def test_no_other_leaf_place_size_root_or_path_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = root_of(leaves)
    proof = inclusion_proof(leaves, index)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, EMPTY)
    assert not verify_inclusion(leaves[index], index, size, [*proof, EMPTY], root)
    assert not any(verify_inclusion(leaves[index], other, size, proof, root) for other in range(size) if other != index)
    for place in range(len(proof)):
        assert not verify_inclusion(leaves[index], index, size, proof[:place] + proof[place + 1 :], root)
        changed = [*proof[:place], leaf_hash(proof[place]), *proof[place + 1 :]]
        assert not verify_inclusion(leaves[index], index, size, changed, root)


@given(st.data())
def test_a_changed_beginning_or_proof_is_never_consistent(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 40))
    old = data.draw(st.integers(1, size - 1))
    leaves = leaves_of(size)
    root, old_root = root_of(leaves), root_of(leaves[:old])
    proof = consistency_proof(leaves, old)
    assert not verify_consistency(old, leaf_hash(old_root), size, root, proof)
    assert not verify_consistency(old, old_root, size, leaf_hash(root), proof)
    assert not verify_consistency(old, old_root, size, root, [*proof, EMPTY])
    for place in range(len(proof)):
        assert not verify_consistency(old, old_root, size, root, proof[:place] + proof[place + 1 :])
        changed = [*proof[:place], leaf_hash(proof[place]), *proof[place + 1 :]]
        assert not verify_consistency(old, old_root, size, root, changed)


def test_places_and_sizes_that_cannot_be_are_refused_or_no() -> None:
    leaves = leaves_of(3)
    for index in (-1, 3):
        with pytest.raises(ValueError, match="no such leaf"):
            inclusion_proof(leaves, index)
        assert not verify_inclusion(leaves[0], index, 3, [], root_of(leaves))
    for old in (-1, 4):
        with pytest.raises(ValueError, match="no such earlier tree"):
            consistency_proof(leaves, old)
        assert not verify_consistency(old, EMPTY, 3, root_of(leaves), [])


def test_the_same_and_the_empty_tree_need_no_proof_and_take_none() -> None:
    leaves = leaves_of(5)
    root = root_of(leaves)
    assert verify_consistency(5, root, 5, root, [])
    assert not verify_consistency(5, root, 5, root, [EMPTY])
    assert not verify_consistency(5, EMPTY, 5, root, [])
    assert verify_consistency(0, EMPTY, 5, root, [])
    assert not verify_consistency(0, EMPTY, 5, root, [EMPTY])
    assert not verify_consistency(0, root, 5, root, [])
    assert not verify_consistency(3, root_of(leaves[:3]), 5, root, [])
    assert node_hash(leaves[0], leaves[1]) == root_of(leaves[:2])
