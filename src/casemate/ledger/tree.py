"""The Merkle tree of RFC 6962 section 2.1 over SHA-384: leaf and node hashes, the root, and a frontier that appends.

RFC 6962 names SHA-256; the construction is the same, the hash is this house's, so proofs are of our own logs only.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.crypto import DIGEST_SIZE, digest

__all__ = ["EMPTY", "Frontier", "leaf_hash", "node_hash", "root_of"]

EMPTY = digest(b"")


def leaf_hash(data: bytes) -> bytes:
    """SHA-384(0x00 || data)."""
    return digest(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-384(0x01 || left || right)."""
    return digest(b"\x01" + left + right)


class Frontier:
    """A tree that only grows: its size and the roots of its perfect subtrees, largest first."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != DIGEST_SIZE for peak in self.peaks):
            raise ValueError("a frontier has one peak for each bit of its size")

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; returns its index."""
        index = self.size
        node = leaf
        carry = index
        while carry & 1:
            node = node_hash(self.peaks.pop(), node)
            carry >>= 1
        self.peaks.append(node)
        self.size = index + 1
        return index

    def root(self) -> bytes:
        """The root of the tree as it stands; SHA-384 of nothing where it is empty."""
        if not self.peaks:
            return EMPTY
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()
