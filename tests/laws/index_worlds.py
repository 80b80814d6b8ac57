"""The law of the visible world at the index: a history of documents, told by a store and by the visible part alone.

A case is a history: documents with passages at several labels are brought, brought anew, removed, raised and merged.
The store side keeps what a region keeps: segments of every class, cut, merged and compacted as it happened, and the
records of what is gone. The other side knows only what the acting label dominates, and builds one shard of each class
from nothing. Whatever a question gives must be the same, byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from casemate.engines.hashing import hashed
from casemate.ids import short
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build, merge, without
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Element, Label, make_label

__all__ = ["BASES", "LABELS", "WORDS", "History", "Piece", "generate", "told"]

WORDS = (
    "convoy harbour fuel escort storm signal depot lantern radar bridge the of navire combustible tempete balise "
    "doxalvine seven north quay cipher"
).split()
BASES = ("port", "fleet")
MEDIA = ("text/plain", "application/pdf")
EMBEDDERS = ("hashing", "other")
DAY = 86_400_000_000


def _label(level: int, *tokens: str) -> Label:
    return make_label({"test": Element(level, f"LEVEL {level}", frozenset(("GROUP", token) for token in tokens))})


LABELS = (_label(0), _label(1, "A"), _label(2, "A"), _label(1, "B"), _label(2, "A", "B"))


@dataclass(frozen=True)
class Piece:
    """A passage as it lies: its class, what is filed with it, and its vector."""

    label: Label
    base: str
    embedder: str
    passage: Passage
    filed: Filed
    vector: bytes


Place = tuple[Label, str, str]


@dataclass
class History:
    """`segments`: what the store holds, by place; `gone`: removals, each at the label at which it was said."""

    seed: int
    acting: Label
    segments: dict[Place, list[Shard]] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    gone: list[tuple[str, Label]] = field(default_factory=list)
    embed: Callable[[str], bytes] = hashed

    def everything(self) -> list[Shard]:
        """Every shard of the region, hidden ones too, as they lie."""
        return [without(shard, self.left_out(shard.label)) for place in self.segments.values() for shard in place]

    def visible(self) -> list[Shard]:
        """What the store gives to the acting label: as cut as it lies, in an order of the store's own."""
        found = [shard for shard in self.everything() if shard.label <= self.acting and shard.count]
        random.Random(self.seed).shuffle(found)
        return found

    def alone(self) -> list[Shard]:
        """What somebody builds who has never had anything but what the acting label sees."""
        places: dict[Place, list[Piece]] = {}
        removed = [(document, at) for document, at in self.gone if at <= self.acting]
        for piece in self.pieces:
            away = any(piece.passage.document == document and at <= piece.label for document, at in removed)
            if piece.label <= self.acting and not away:
                places.setdefault((piece.label, piece.base, piece.embedder), []).append(piece)
        return [_shard(place, pieces) for place, pieces in places.items()]

    def left_out(self, label: Label) -> frozenset[str]:
        """The documents that are gone for a class of that label."""
        return frozenset(document for document, at in self.gone if at <= label)

    def telling(self, words: Sequence[str]) -> bool:
        """Whether something hidden holds a word of the question: else the case says little."""
        hidden = (piece.passage.indexed.split() for piece in self.pieces if not piece.label <= self.acting)
        return any(set(words).intersection(text) for text in hidden)


def told(at: int, rng: random.Random) -> tuple[str, ...]:
    """Some words, common ones more often."""
    return tuple(WORDS[min(int(rng.expovariate(0.22)), len(WORDS) - 1)] for _ in range(at))


def generate(seed: int, embed: Callable[[str], bytes] = hashed) -> History:
    """A history of up to nine deeds. `embed` makes the vectors of one of the two embedders."""
    rng = random.Random(seed)
    history = History(seed, rng.choice(LABELS), embed=embed)
    documents: list[tuple[str, str]] = []
    for number in range(rng.randint(2, 9)):
        deed = rng.random()
        if deed < 0.62 or not documents:
            _bring(history, rng, number, documents)
        elif deed < 0.72:
            _remove(history, rng.choice(documents)[0], rng.choice(LABELS))
        elif deed < 0.82:  # an update: the new one comes, the old one goes
            old, _ = rng.choice(documents)
            _bring(history, rng, number, documents)
            _remove(history, old, rng.choice(LABELS))
        elif deed < 0.88:
            _raise(history, rng, number, documents)
        else:
            _compact(history, rng)
    return history


def _bring(history: History, rng: random.Random, number: int, documents: list[tuple[str, str]]) -> None:
    document, base, at = f"doc_{number}_{rng.randrange(99)}", rng.choice(BASES), rng.randrange(60) * DAY
    documents.append((document, base))
    attributes = {"rank": float(rng.randrange(4)), "author": rng.choice(("ann", "bob"))} if rng.random() < 0.7 else {}
    media, embedder = rng.choice(MEDIA), rng.choice(EMBEDDERS)
    for label in rng.sample(LABELS, rng.choice((1, 1, 2, 3))):
        title = " ".join(told(2, rng))
        filed = Filed(document, title, at, media, rng.choice(("en", "fr", "")), attributes)
        _lay(history, [_piece(history, rng, label, base, embedder, filed, n) for n in range(rng.randint(1, 4))])


def _piece(
    history: History, rng: random.Random, label: Label, base: str, embedder: str, filed: Filed, ordinal: int
) -> Piece:
    text, heading = " ".join(told(rng.randint(1, 14), rng)), " ".join(told(rng.randint(0, 2), rng))
    id = "psg_" + short(random.Random(f"{filed.document}/{ordinal}/{label.text}").randbytes(16))
    passage = Passage(id, filed.document, ordinal, filed.title, heading, "", 0, text)
    vector = history.embed(passage.indexed) if embedder == "hashing" else hashed(passage.indexed[::-1])
    return Piece(label, base, embedder, passage, filed, vector if rng.random() < 0.9 else b"")


def _lay(history: History, pieces: list[Piece]) -> None:
    """Into the store, as one segment or several; and into what is known of each class."""
    history.pieces += pieces
    place = (pieces[0].label, pieces[0].base, pieces[0].embedder)
    history.segments.setdefault(place, []).append(_stored(_shard(place, pieces)))


def _shard(place: Place, pieces: Sequence[Piece]) -> Shard:
    label, base, embedder = place
    vectors = [piece.vector for piece in pieces]
    filed = {piece.filed.document: piece.filed for piece in pieces}
    return build(label, [p.passage for p in pieces], vectors, list(filed.values()), embedder, base)


def _stored(shard: Shard) -> Shard:
    """Written and read again."""
    return decode(*encode(shard), shard.label, shard.base)


def _remove(history: History, document: str, at: Label) -> None:
    history.gone.append((document, at))


def _raise(history: History, rng: random.Random, number: int, documents: list[tuple[str, str]]) -> None:
    """A document is brought anew one level higher, and is gone where it lay."""
    old, base = rng.choice(documents)
    moved = [piece for piece in history.pieces if piece.passage.document == old]
    if not moved:
        return
    low = rng.choice(moved).label
    high = rng.choice([label for label in LABELS if low <= label])
    document = f"doc_{number}_raised"
    documents.append((document, base))
    chosen = [piece for piece in moved if piece.label is low]
    filed = Filed(document, chosen[0].filed.title, chosen[0].filed.at, chosen[0].filed.media)
    embedder = chosen[0].embedder
    _lay(history, [_piece(history, rng, high, chosen[0].base, embedder, filed, n) for n in range(len(chosen))])
    _remove(history, old, low)


def _compact(history: History, rng: random.Random) -> None:
    """Some segments of a class become one; what is gone by now may be left out for good."""
    for place, shards in history.segments.items():
        if len(shards) > 1 and rng.random() < 0.7:
            kept = shards if rng.random() < 0.5 else [without(each, history.left_out(place[0])) for each in shards]
            history.segments[place] = [_stored(merge(kept))]
