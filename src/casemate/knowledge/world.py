"""A copy of what one acting label sees: for a second index that has never held anything else."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access import Flow
from casemate.knowledge.document import DOCUMENT, PART, SEGMENT, Document, Part
from casemate.knowledge.library import Library
from casemate.knowledge.passage import Passage
from casemate.knowledge.shard import Shard, build, encode
from casemate.labels import Label
from casemate.objects import Found

__all__ = ["World", "copied"]


@dataclass(frozen=True, slots=True)
class World:
    """Visible objects: whole documents, parts, and encoded shards rebuilt from passages, each with its access class."""

    classes: tuple[Label, ...]
    wholes: tuple[Found[Document], ...]
    parts: tuple[Found[Part], ...]
    shards: tuple[tuple[str, str, bytes, int], ...]

    @property
    def documents(self) -> int:
        return len({part.id for part in self.parts})

    @property
    def passages(self) -> int:
        return sum(count for _, _, _, count in self.shards)


async def copied(flow: Flow, library: Library) -> World:
    """The visible world, its postings built anew; a vector is a function of its passage alone and is copied."""
    wholes = await flow.every(DOCUMENT)
    parts = await flow.every(PART)
    segments = await flow.every(SEGMENT)
    bases = sorted({found.value.base for found in segments})
    shards: list[tuple[str, str, bytes, int]] = []
    for base in bases:
        places = sorted({found.ref.class_id for found in segments if found.value.base == base})
        visible = zip(places, await library.shards(flow, (base,)), strict=True)  # one for each class, in this order
        shards += [(place, base, await flow.beside(_anew, each), each.count) for place, each in visible]
    labels = sorted({whole.label for whole in wholes} | {part.label for part in parts}, key=_text)
    return World(tuple(labels), tuple(wholes), tuple(parts), tuple(shards))


def _anew(shard: Shard) -> bytes:
    passages: list[Passage] = shard.passages()
    vectors = [shard.vectors[row].tobytes() for row in range(shard.count)] if shard.vectors.shape[1] else []
    return encode(build(shard.label, passages, vectors))


def _text(label: Label) -> str:
    return label.text
