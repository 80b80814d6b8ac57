"""The tree in files: C2SP tlog-tiles, 256 hashes wide, and what is read out of them: roots, peaks, proofs.

    tile/LEVEL/INDEX         256 hashes of the nodes of height 8 * LEVEL, from INDEX * 256 on
    tile/LEVEL/INDEX.p/W     the first W of them, where the tree has no more yet
    tile/entries/INDEX[.p/W] the entries under a tile of level 0, sealed (`bundle`)
    checkpoint               the newest signed head, as a signed note (`note`)

INDEX is written in groups of three digits, all but the last behind an "x": 1234067 is x001/x234/067. The layout is that
of https://c2sp.org/tlog-tiles; the hash is the profile's, which C2SP fixes to SHA-256, so with SHA-384 the files have
its shape and not its bytes. Pure: a `Read` gives the hashes of a tile, from a file or from wherever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from casemate.errors import Damaged
from casemate.ledger.tree import SHA384, Profile, node_hash, paired

__all__ = [
    "CHECKPOINT_FILE",
    "WIDTH",
    "Place",
    "Read",
    "Tiled",
    "cut",
    "entries_path",
    "grown",
    "path_of",
    "places",
]

WIDTH = 256
HEIGHT = 8
CHECKPOINT_FILE = "checkpoint"
CACHED = 32


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A tile: its level, its index in the level, and how many hashes it holds."""

    level: int
    index: int
    width: int = WIDTH


Read = Callable[[Place], Sequence[bytes]]
"""Gives the hashes of a tile. Raises Absent or Damaged where it cannot."""


def _numbered(index: int, width: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups)) + ("" if width == WIDTH else f".p/{width}")


def path_of(place: Place) -> str:
    """The file of a tile, below the log's folder."""
    return f"tile/{place.level}/{_numbered(place.index, place.width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The file of the entries under tile `index` of level 0."""
    return f"tile/entries/{_numbered(index, width)}"


def places(size: int) -> Iterator[Place]:
    """Every tile of a tree of that size, level by level."""
    level = 0
    while count := size >> HEIGHT * level:
        full, rest = divmod(count, WIDTH)
        yield from (Place(level, index) for index in range(full))
        if rest:
            yield Place(level, full, rest)
        level += 1


def cut(data: bytes, profile: Profile = SHA384) -> list[bytes]:
    """The hashes of a tile's bytes. Raises Damaged where they are no whole hashes."""
    size = profile.size
    if len(data) % size:
        raise Damaged(what="tile")
    return [data[at : at + size] for at in range(0, len(data), size)]


def grown(read: Read, old: int, leaves: Sequence[bytes], profile: Profile = SHA384) -> dict[Place, bytes]:
    """The tiles that are new or longer where a tree of `old` leaves gets these.

    `read` gives the partial ones of before.
    """
    made: dict[Place, bytes] = {}
    level, start, fresh = 0, old, list(leaves)
    while fresh:
        first, have = divmod(start, WIDTH)
        row = [*read(Place(level, first, have)), *fresh] if have else fresh
        above: list[bytes] = []
        for index, at in enumerate(range(0, len(row), WIDTH), first):
            part = row[at : at + WIDTH]
            made[Place(level, index, len(part))] = b"".join(part)
            if len(part) == WIDTH:
                above.append(_top(part, profile))
        level, start, fresh = level + 1, first, above
    return made


def _top(nodes: Sequence[bytes], profile: Profile) -> bytes:
    """The root over a power of two of nodes."""
    while len(nodes) > 1:
        nodes = paired(nodes, profile)
    return nodes[0]


def _split(size: int) -> int:
    """The largest power of two below `size` (size >= 2)."""
    return 1 << ((size - 1).bit_length() - 1)


class Tiled:
    """A tree of that size, read from its tiles as far as a question needs them; the last few stay in memory.

    What it gives is worth what the tiles are: whoever hands it on has compared it with a signed root.
    """

    __slots__ = ("_kept", "_read", "profile", "size")

    def __init__(self, read: Read, size: int, profile: Profile = SHA384) -> None:
        self.size = size
        self.profile = profile
        self._read = read
        self._kept: dict[tuple[int, int], list[list[bytes]]] = {}

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves."""
        size = self.size if size is None else size
        return self._range(0, size) if size else self.profile.empty

    def peaks(self, size: int | None = None) -> list[bytes]:
        """The perfect subtrees of the first `size` leaves, largest first: what a `Frontier` is made of."""
        size = self.size if size is None else size
        found, start = [], 0
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                found.append(self._node(height, start >> height))
                start += 1 << height
        return found

    def leaf(self, index: int) -> bytes:
        """Leaf `index`. Raises ValueError where there is none."""
        if not 0 <= index < self.size:
            raise ValueError("no such leaf")
        return self._node(0, index)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.1: the audit path of leaf `index` in the tree of the first `size`."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ValueError("no such leaf")
        start, stop = 0, size
        path: list[bytes] = []
        while stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                path.append(self._range(middle, stop))
                stop = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.2: that the tree of the first `size` begins with the tree of the first `old`."""
        size = self.size if size is None else size
        if not 0 <= old <= size <= self.size:
            raise ValueError("no such earlier tree")
        if old in (0, size):
            return []
        start, stop, whole = 0, size, True
        path: list[bytes] = []
        while old != stop:
            middle = start + _split(stop - start)
            if old <= middle:
                path.append(self._range(middle, stop))
                stop = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, stop))
        return path[::-1]

    def _range(self, start: int, stop: int) -> bytes:
        """The root over the leaves from `start` to `stop`, as RFC 6962 cuts a tree: `start` is aligned to its size."""
        nodes: list[bytes] = []
        for height in reversed(range((stop - start).bit_length())):
            if stop - start >> height & 1:
                nodes.append(self._node(height, start >> height))
                start += 1 << height
        root = nodes.pop()
        while nodes:
            root = node_hash(nodes.pop(), root, self.profile)
        return root

    def _node(self, height: int, index: int) -> bytes:
        """The root of the perfect subtree of 2**height leaves that is number `index` among its like."""
        level, within = divmod(height, HEIGHT)
        tile, place = divmod(index << within, WIDTH)
        rows = self._rows(level, tile)
        while len(rows) <= within:
            rows.append(paired(rows[-1][: len(rows[-1]) & ~1], self.profile))
        return rows[within][place >> within]

    def _rows(self, level: int, tile: int) -> list[list[bytes]]:
        """A tile and what lies above each two of its hashes, as far as somebody asked."""
        rows = self._kept.get((level, tile))
        if rows is None:
            width = min(WIDTH, (self.size >> HEIGHT * level) - tile * WIDTH)
            row = list(self._read(Place(level, tile, width)))
            if len(row) != width:
                raise Damaged(what="tile")
            if len(self._kept) >= CACHED:
                self._kept.pop(next(iter(self._kept)))
            rows = self._kept[level, tile] = [row]
        return rows
