"""A log's tree in files: how it grows, how it is made again, and how it is read.

Truth is in the records. A file that is missing is made from them, a root that does not fit is computed from them, and
nothing that is read here is handed on before it has been compared with a signed root.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from casemate.access.vault import Vault
from casemate.errors import Damaged
from casemate.ledger import (
    CHECKPOINT_FILE,
    SHA384,
    WIDTH,
    Checkpoint,
    Frontier,
    Place,
    Tiled,
    bundle,
    cut,
    entries_of,
    entries_path,
    grown,
    packed,
    path_of,
    places,
    read_note,
    sign_note,
)
from casemate.store import Tiles

__all__ = ["Tree"]

STEP = 4096
PAGE = 64


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree of one log. All of it blocks."""

    vault: Vault
    log: str

    def tiled(self, size: int, root: bytes) -> Tiled:
        """The tree of that size, which has that root: from its files, or else from the records. Raises Damaged."""
        for read in (self.read, self.made):
            tree = Tiled(read, size)
            try:
                if tree.root() == root:
                    return tree
            except Damaged:
                continue
        raise Damaged(what="ledger")

    def frontier(self, point: Checkpoint) -> Frontier:
        """What goes on growing from a checkpoint."""
        return Frontier(point.size, self.tiled(point.size, bytes.fromhex(point.root)).peaks())

    def read(self, place: Place) -> list[bytes]:
        """The hashes of a tile: from its file, or the file that it has become, or the records."""
        tiles, due = self.vault.tiles, place.width * SHA384.size
        for width in (place.width, WIDTH) if tiles is not None else ():
            data = tiles.read(self.log, path_of(Place(place.level, place.index, width))) if tiles else None
            if data is not None and len(data) >= due:
                return cut(data[:due])
        return self.made(place)

    def made(self, place: Place) -> list[bytes]:
        """The hashes of a tile as the records have them. Raises Damaged where they have fewer."""
        if place.level:
            below = range(place.index * WIDTH, place.index * WIDTH + place.width)
            return [_top(self.made(Place(place.level - 1, index))) for index in below]
        start = place.index * WIDTH
        leaves = self.vault.reader.leaves(self.log, start, start + place.width)
        if len(leaves) != place.width:
            raise Damaged(what="ledger")
        return leaves

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The sealed entries, as they lie in files."""
        for at in range(start, stop, PAGE):
            for stored in self.vault.reader.entries(self.log, at, min(stop, at + PAGE)):
                yield packed(stored.id, stored.sealed)

    def truth(self, index: int, width: int) -> tuple[bytes, bytes]:
        """What the records say that tile `index` of level 0, and the entries under it, hold."""
        start = index * WIDTH
        leaves = self.vault.reader.leaves(self.log, start, start + width)
        return b"".join(leaves), bundle(self.entries(start, start + len(leaves)))

    # ---- writing -----------------------------------------------------------------------------------------------

    def laid(self, upto: int) -> int:
        """How far the files reach that are all there; what is missing of them is made from the records."""
        tiles = self.vault.tiles
        if tiles is None:
            return upto
        data = tiles.read(self.log, CHECKPOINT_FILE)
        note = read_note(data, self.vault.signer.public) if data is not None else None
        if note is None or note.size > upto:
            return 0
        held = tiles.held(self.log)
        for place in places(note.size):
            if path_of(place) not in held:
                tiles.write(self.log, {path_of(place): b"".join(self.made(place))})
            if not place.level and entries_path(place.index, place.width) not in held:
                start = place.index * WIDTH
                entries = bundle(self.entries(start, start + place.width))
                tiles.write(self.log, {entries_path(place.index, place.width): entries})
        return note.size

    def grow(self, old: int, size: int) -> Iterator[int]:
        """Write the tiles that a tree gets as it grows, some at a time; how far each time."""
        tiles = self.vault.tiles
        assert tiles is not None
        while old < size:
            stop = min(size, old + STEP)
            leaves = self.vault.reader.leaves(self.log, old, stop)
            if len(leaves) != stop - old:
                raise Damaged(what="ledger")
            made = {path_of(place): data for place, data in grown(self.read, old, leaves).items()}
            tiles.write(self.log, made | self._bundles(tiles, old, stop))
            self._drop(tiles, old, stop)
            old = stop
            yield old

    def sign(self, point: Checkpoint) -> None:
        """Write the head as a signed note, when its tiles are there."""
        if self.vault.tiles is not None:
            root = bytes.fromhex(point.root)
            note = sign_note(self.vault.signer, self.log, point.size, root, point.at, point.solo)
            self.vault.tiles.write(self.log, {CHECKPOINT_FILE: note})

    def _bundles(self, tiles: Tiles, old: int, size: int) -> dict[str, bytes]:
        """The entries under the tiles of level 0 that have grown; what was in a file already is taken from there."""
        files: dict[str, bytes] = {}
        for index in range(old // WIDTH, (size + WIDTH - 1) // WIDTH):
            start, stop = index * WIDTH, min(size, (index + 1) * WIDTH)
            have = max(0, old - start)
            before = tiles.read(self.log, entries_path(index, have)) if have else b""
            if before is None or _count(before) != have:
                have, before = 0, b""
            files[entries_path(index, stop - start)] = before + bundle(self.entries(start + have, stop))
        return files

    def _drop(self, tiles: Tiles, old: int, size: int) -> None:
        """Remove the partial tiles whose place a longer one has taken."""
        now = _edge(size)
        gone = [place for place in _edge(old) if place not in now]
        tiles.remove(self.log, [path_of(place) for place in gone])
        tiles.remove(self.log, [entries_path(place.index, place.width) for place in gone if not place.level])


def _edge(size: int) -> list[Place]:
    """The partial tiles of a tree of that size."""
    counts = [size >> 8 * level for level in range((size.bit_length() + 7) // 8)]
    return [Place(level, count // WIDTH, count % WIDTH) for level, count in enumerate(counts) if count % WIDTH]


def _count(data: bytes) -> int:
    try:
        return len(entries_of(data))
    except Damaged:
        return -1


def _top(leaves: list[bytes]) -> bytes:
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()
