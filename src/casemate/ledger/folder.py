"""The verdict on a log's files: whether tiles, entries and the signed note say the same, and what the records say.

Whoever has a copied folder, the public key and a remembered head needs nothing else. Every hash above level 0 is made
again from those below and compared with its file, so that what is wrong is named by its place. In the region, where the
records are at hand, tiles and entries are compared with them as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from casemate.errors import Damaged
from casemate.ledger.bundle import bundle_state
from casemate.ledger.checkpoint import Head
from casemate.ledger.note import Note, read_note, was_cut
from casemate.ledger.tiles import CHECKPOINT_FILE, HEIGHT, WIDTH, Place, Tiled, cut, entries_path, path_of, places
from casemate.ledger.tree import Profile, paired
from casemate.ledger.verify import State, Verdict

__all__ = ["Files", "verify_folder"]


@dataclass(frozen=True, slots=True)
class Files:
    """A log's files. `read` gives one by its path, or None; `truth` gives what the records say that tile
    `index` of level 0 and the entries under it hold, for so many: (hashes, bundle), where somebody has the records."""

    read: Callable[[str], bytes | None]
    truth: Callable[[int, int], tuple[bytes, bytes]] | None = None


@dataclass(slots=True)
class _Looking:
    """What was found; the first of each weight is kept."""

    files: Files
    profile: Profile
    size: int
    found: dict[State, tuple[str, int]] = field(default_factory=dict)

    def blame(self, state: State, why: str, seq: int) -> None:
        self.found.setdefault(state, (why, seq))

    def tile(self, place: Place, name: Callable[[int], str]) -> bytes | None:
        """The file of a tile; where the tile has grown since, the file that it has become."""
        data = self.files.read(name(place.width))
        for width in range(WIDTH, place.width, -1) if data is None else ():
            wider = self.files.read(name(width))
            if wider is not None:
                return wider
        return data

    def hashes(self, place: Place) -> bytes | None:
        """The hashes of a tile, as far as its file has them all; else None, and it is said why."""
        due, first = place.width * self.profile.size, place.index * WIDTH << HEIGHT * place.level
        exact = self.files.read(path_of(place))
        data = exact if exact is not None else self.tile(place, partial(_named, place))
        if data is None or len(data) < due:
            self.blame("incomplete", "tile", first)
            return None
        if exact is not None and len(exact) != due:
            self.blame("tampered", "tile", first)
        return data[:due]

    def compare(self, given: bytes | None, due: bytes, whole: bool, why: str, seq: int) -> None:
        """A file beside what the records (`whole` or cut off) say: one of them lacks an end, or it is changed."""
        if given is not None and given != due:
            shorter = due.startswith(given) or (not whole and given.startswith(due))
            self.blame("incomplete" if shorter else "tampered", why, seq)

    def bottom(self, place: Place) -> bytes | None:
        """Level 0 and the entries under it; the root over the tile where it is full."""
        first = place.index * WIDTH
        data = self.hashes(place)
        told = self.tile(place, partial(entries_path, place.index))
        if told is None:
            self.blame("incomplete", "entries", first)
        if self.files.truth is not None:
            hashes, entries = self.files.truth(place.index, place.width)
            whole = len(hashes) == place.width * self.profile.size
            self.compare(data, hashes, whole, "tile", first)
            grown = told is not None and not self.exact(place)
            self.compare(told[: len(entries)] if told is not None and grown else told, entries, whole, "entries", first)
        elif told is not None and (state := bundle_state(told, place.width)) != "ok" and self.exact(place):
            self.blame("incomplete" if state == "cut" else "tampered", "entries", first)
        return self.top(data) if data is not None and place.width == WIDTH else None

    def exact(self, place: Place) -> bool:
        return self.files.read(entries_path(place.index, place.width)) is not None

    def top(self, data: bytes) -> bytes:
        row = cut(data, self.profile)
        while len(row) > 1:
            row = paired(row, self.profile)
        return row[0]

    def above(self, level: int, tops: Sequence[bytes | None]) -> list[bytes | None]:
        """A level beside what the level below it makes; the roots over its full tiles."""
        roots: list[bytes | None] = []
        for index, at in enumerate(range(0, len(tops), WIDTH)):
            part = tops[at : at + WIDTH]
            data = self.hashes(Place(level, index, len(part)))
            due = [each for each in part if each is not None]
            if data is not None and len(due) == len(part) and data != b"".join(due):
                self.blame("tampered", "tile", at * WIDTH**level)
            if len(part) == WIDTH:
                roots.append(self.top(data) if data is not None else None)
        return roots


def _named(place: Place, width: int) -> str:
    return path_of(Place(place.level, place.index, width))


def verify_folder(log: str, files: Files, public: bytes, heads: Iterable[Head] = ()) -> Verdict:
    """The verdict on the files of a log ("" = whatever log the note names), up to its signed note."""
    data = files.read(CHECKPOINT_FILE)
    if data is None:
        return Verdict("incomplete", log, why="checkpoint", seq=0)
    note = read_note(data, public)
    if note is None or log not in ("", note.log):
        cut_off = note is None and was_cut(data, public)
        return Verdict("incomplete" if cut_off else "tampered", log, why="checkpoint", seq=0)
    looking = _Looking(files, note.profile, note.size)
    tops: list[bytes | None] = []
    for place in places(note.size):
        if place.level:
            break
        top = looking.bottom(place)
        if place.width == WIDTH:
            tops.append(top)
    level = 1
    while tops:
        tops, level = looking.above(level, tops), level + 1
    remembered = [head for head in heads if head.log == note.log]
    if not looking.found:
        _roots(looking, note, remembered)
    return _told(looking, note, bool(remembered))


def _roots(looking: _Looking, note: Note, remembered: list[Head]) -> None:
    """The signed root, and every remembered one, beside those that the tiles give."""

    def read(place: Place) -> list[bytes]:
        data = looking.hashes(place)
        if data is None:
            raise Damaged(what="tile")
        return cut(data, looking.profile)

    tree = Tiled(read, note.size, note.profile)
    try:
        if tree.root() != note.root:
            looking.blame("tampered", "root", note.size)
            return
        for head in remembered:
            if head.size > note.size:
                looking.blame("incomplete", "missing", note.size)
            elif tree.root(head.size).hex() != head.root.lower():
                looking.blame("forked", "head", head.size)
    except Damaged:  # a file that was there has gone since, and was blamed for it
        return


def _told(looking: _Looking, note: Note, witnessed: bool) -> Verdict:
    for state in ("tampered", "forked", "incomplete"):
        found = looking.found.get(state)
        if found is not None:
            return Verdict(state, note.log, why=found[0], seq=found[1], witnessed=witnessed, solo=note.solo)
    return Verdict("ok", note.log, note.size, note.at, unread=note.size, witnessed=witnessed, solo=note.solo)
