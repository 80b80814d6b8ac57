"""Proofs about a tree: that a leaf is in it, and that it grew out of an earlier one.

Made after RFC 6962 sections 2.1.1 and 2.1.2, checked after RFC 9162 sections 2.1.3.2 and 2.1.4.2. Whoever checks
needs the roots and the proof only.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.crypto import same
from casemate.ledger.tree import SHA384, Profile, node_hash, root_of

__all__ = ["consistency_proof", "inclusion_proof", "verify_consistency", "verify_inclusion"]


def _split(size: int) -> int:
    """The largest power of two below `size` (size >= 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int, profile: Profile = SHA384) -> list[bytes]:
    """The audit path of leaf `index`, from the leaf up. Raises ValueError where there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise ValueError("no such leaf")
    start, stop = 0, len(leaves)
    path: list[bytes] = []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(root_of(leaves[middle:stop], profile))
            stop = middle
        else:
            path.append(root_of(leaves[start:middle], profile))
            start = middle
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, profile: Profile = SHA384
) -> bool:
    """Whether `leaf` is leaf `index` of the tree of that size and root."""
    if not 0 <= index < size:
        return False
    node, here, last = leaf, index, size - 1
    for other in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            node = node_hash(other, node, profile)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, other, profile)
        here, last = here >> 1, last >> 1
    return last == 0 and same(node, root)


def consistency_proof(leaves: Sequence[bytes], old: int, profile: Profile = SHA384) -> list[bytes]:
    """That the tree over `leaves` begins with the tree over its first `old`. Raises ValueError beyond its size."""
    size = len(leaves)
    if not 0 <= old <= size:
        raise ValueError("no such earlier tree")
    if old in (0, size):
        return []
    start, stop, whole = 0, size, True
    path: list[bytes] = []
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(root_of(leaves[middle:stop], profile))
            stop = middle
        else:
            path.append(root_of(leaves[start:middle], profile))
            start, whole = middle, False
    if not whole:
        path.append(root_of(leaves[start:stop], profile))
    return path[::-1]


def verify_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes], profile: Profile = SHA384
) -> bool:
    """Whether the tree of `size` and `root` begins with the tree of `old` and `old_root`."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not proof and same(old_root, root)
    if old == 0:
        return not proof and same(old_root, profile.empty)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = node_hash(other, first, profile), node_hash(other, second, profile)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, other, profile)
        here, last = here >> 1, last >> 1
    return last == 0 and same(first, old_root) and same(second, root)
