"""A copy of what one acting label sees: for a second index that has never held anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.access import Flow
from casemate.knowledge.documents.document import DOCUMENT, PART, Document, Part
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import Shard, encode
from casemate.knowledge.library import ALL, Library
from casemate.labels import Label
from casemate.objects import Found

__all__ = ["Copy", "World", "copied"]


@dataclass(frozen=True, slots=True)
class Copy:
    """A shard's bytes, built anew, and the access class in which it lies."""

    place: str
    base: str
    embedder: str
    index: bytes
    vectors: bytes
    passages: int


@dataclass(frozen=True, slots=True)
class World:
    """Visible objects: whole documents, parts, and shards rebuilt from passages."""

    classes: tuple[Label, ...]
    wholes: tuple[Found[Document], ...]
    parts: tuple[Found[Part], ...]
    shards: tuple[Copy, ...]

    @property
    def documents(self) -> int:
        return len({part.id for part in self.parts})

    @property
    def passages(self) -> int:
        return sum(copy.passages for copy in self.shards)


async def copied(flow: Flow, library: Library) -> World:
    """The visible world, its postings built anew; a vector is a function of its passage alone and is copied."""
    removed = await gone(flow)
    wholes = [f for f in await flow.every(DOCUMENT) if not removed.rules(f.id, f.label, f.value.added_by)]
    parts = [f for f in await flow.every(PART) if not removed.rules(f.id, f.label, f.value.by)]
    groups: dict[tuple[str, str, str], list[Shard]] = {}
    for place, shard in await library.placed(flow, (ALL,)):
        groups.setdefault((place, shard.base, shard.embedder), []).append(shard)
    shards = [await flow.beside(_anew, key[0], groups[key]) for key in sorted(groups)]
    labels = sorted({whole.label for whole in wholes} | {part.label for part in parts}, key=_text)
    return World(tuple(labels), tuple(wholes), tuple(parts), tuple(shards))


def _anew(place: str, shards: Sequence[Shard]) -> Copy:
    """One shard of the passages of several, as if they had come together."""
    first = shards[0]
    passages = [passage for shard in shards for passage in shard.passages()]
    vectors = [row.tobytes() for shard in shards for row in shard.vectors]
    filed = [each for shard in shards for each in shard.filed]
    made = build(first.label, passages, vectors, filed, first.embedder)
    return Copy(place, first.base, first.embedder, *encode(made), made.count)


def _text(label: Label) -> str:
    return label.text
