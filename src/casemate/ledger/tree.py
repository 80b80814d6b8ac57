"""The Merkle tree of RFC 6962 section 2.1: leaf and node hashes, the root, and a frontier that appends.

RFC 6962 names SHA-256; the construction is the same whatever the hash. A `Profile` names it: `SHA384` is the house's
(CNSA 2.0), `SHA256` that of C2SP and of everybody else's witnesses. Whoever gives none means SHA-384.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256, sha384
from typing import Any

from casemate.crypto import DIGEST_SIZE, digest

__all__ = [
    "EMPTY",
    "PROFILES",
    "SHA256",
    "SHA384",
    "Frontier",
    "Profile",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "paired",
    "root_of",
]


@dataclass(frozen=True, slots=True)
class Profile:
    """A hash by name, the bytes that it gives, and the root of nothing."""

    name: str
    size: int
    hash: Callable[[bytes], Any] = field(repr=False)
    empty: bytes = field(repr=False)


SHA384 = Profile("sha384", DIGEST_SIZE, sha384, digest(b""))
SHA256 = Profile("sha256", 32, sha256, sha256(b"").digest())
PROFILES = {profile.name: profile for profile in (SHA384, SHA256)}
EMPTY = SHA384.empty


def leaf_hash(data: bytes, profile: Profile = SHA384) -> bytes:
    """H(0x00 || data)."""
    found: bytes = profile.hash(b"\x00" + data).digest()
    return found


def node_hash(left: bytes, right: bytes, profile: Profile = SHA384) -> bytes:
    """H(0x01 || left || right)."""
    found: bytes = profile.hash(b"\x01" + left + right).digest()
    return found


def leaf_hashes(data: Iterable[bytes], profile: Profile = SHA384) -> list[bytes]:
    """The leaf hash of each, without a call of ours between two of them."""
    hash_ = profile.hash
    return [hash_(b"\x00" + each).digest() for each in data]


def paired(nodes: Sequence[bytes], profile: Profile = SHA384) -> list[bytes]:
    """The nodes above an even number of them, in one go."""
    hash_, two = profile.hash, iter(nodes)
    return [hash_(b"\x01" + left + right).digest() for left, right in zip(two, two, strict=True)]


class Frontier:
    """A tree that only grows: its size and the roots of its perfect subtrees, largest first."""

    __slots__ = ("peaks", "profile", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = (), profile: Profile = SHA384) -> None:
        self.size = size
        self.peaks = list(peaks)
        self.profile = profile
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != profile.size for peak in self.peaks):
            raise ValueError("a frontier has one peak for each bit of its size")

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; returns its index."""
        index = self.size
        node = leaf
        carry = index
        while carry & 1:
            node = node_hash(self.peaks.pop(), node, self.profile)
            carry >>= 1
        self.peaks.append(node)
        self.size = index + 1
        return index

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes: the same tree as one by one, level by level, with one pass of hashing for each level."""
        level, held, row = 0, self.size, list(leaves)
        peaks: list[bytes] = self.peaks
        above: list[bytes] = []
        self.size = held + len(row)
        while row:
            if held >> level & 1:
                row.insert(0, peaks.pop())
            if len(row) & 1:
                above.append(row.pop())
            row = paired(row, self.profile)
            level += 1
        self.peaks = peaks + above[::-1]

    def root(self) -> bytes:
        """The root of the tree as it stands; the hash of nothing where it is empty."""
        if not self.peaks:
            return self.profile.empty
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node, self.profile)
        return node


def root_of(leaves: Iterable[bytes], profile: Profile = SHA384) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier(profile=profile)
    frontier.extend(list(leaves))
    return frontier.root()
