"""What a flow sees of the files in a base and of the bases themselves, as the wires tell it (`models.shelf`).

A file is every document that came from it: those of an archive bear its id. Of one that is visible only in part, its
parts are told, under a title made of them. Counts and bytes are those of visible passages; nothing here is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from casemate.access import HELD, Flow, HeldRecord
from casemate.errors import UnknownKnowledge
from casemate.knowledge.base import BASE, Base, finely, ruling
from casemate.knowledge.documents.described import Described, described
from casemate.knowledge.documents.document import DOCUMENT, PART, Document, Part
from casemate.knowledge.documents.gone import Gone, gone
from casemate.knowledge.index.view import View
from casemate.knowledge.library import ALL, Library
from casemate.models.shelf import BaseSeen, FileSeen
from casemate.objects import Found, Kind, Where
from casemate.words import say

__all__ = ["Piece", "base_seen", "bases_seen", "check", "file_seen", "known", "pieces_named", "pieces_of"]

_ORDER = ("waiting", "unmarked", "quarantined", "ready")


@dataclass(frozen=True, slots=True)
class Piece:
    """A document in a base, as far as it is visible. `file`: where it came from, or its own id."""

    id: str
    file: str
    seen: FileSeen


@dataclass(slots=True)
class _Base:
    """What is visible of one base."""

    records: list[Found[Base]] = field(default_factory=list)
    ready: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    waiting: int = 0
    aside: int = 0
    at: int = 0
    first: int = 0

    def came(self, at: int) -> None:
        self.at = max(self.at, at)
        self.first = min(self.first or at, at)


async def bases_seen(flow: Flow, library: Library) -> list[BaseSeen]:
    """Every base of which something is visible, by name."""
    return await _bases(flow, library, ALL)


async def base_seen(flow: Flow, library: Library, name: str) -> BaseSeen | None:
    """One of them; None where nothing of it is visible."""
    found = await _bases(flow, library, name)
    return found[0] if found else None


async def check(flow: Flow, library: Library, names: tuple[str, ...]) -> None:
    """Raises UnknownKnowledge for a base of which nothing is visible; one in which nothing lies yet is a base too."""
    there = set() if names == (ALL,) else set(await library.bases(flow))
    for name in names:
        if name != ALL and name not in there and await base_seen(flow, library, name) is None:
            raise UnknownKnowledge(name=name[:200])


async def pieces_of(flow: Flow, library: Library, base: str) -> list[Piece]:
    """The documents of a base, and the files that wait to be read.

    What waits is read first: a file that becomes a document meanwhile is then met twice, and not left out.
    """
    removed, said = await gone(flow), await described(flow)
    where = Where((("base", base),))
    held = [h for h in await flow.every(HELD, where) if not removed.rules(h.id, h.label, h.value.principal)]
    wholes = [w for w in await flow.every(DOCUMENT, where) if not removed.rules(w.id, w.label, w.value.added_by)]
    sizes = _sizes(await library.view(flow, (base,)))
    found = [_whole(flow, whole, sizes.get(whole.id, 0), said) for whole in wholes]
    there = {whole.id for whole in wholes}
    for id, size in sizes.items():
        if id not in there:
            found += _parts(await _lying(flow, id, removed), size, said)
    known = {piece.id for piece in found}
    return [*found, *(_held(one) for one in held if one.id not in known)]


async def pieces_named(flow: Flow, base: str, id: str) -> list[Piece]:
    """The documents of a base that came from one file, or are the one of that id; and what of it waits to be read."""
    removed, said = await gone(flow), await described(flow)
    waiting = await _by(flow, HELD, id)  # first, as above
    lying: dict[str, list[Found[Part]]] = {}
    for part in await _by(flow, PART, id):
        if part.value.base == base and not removed.rules(part.id, part.label, part.value.by):
            lying.setdefault(part.id, []).append(part)
    sizes = {one: sum(_size(part.value) for part in parts) for one, parts in lying.items()}
    found: list[Piece] = []
    for whole in await _by(flow, DOCUMENT, id):
        if whole.value.base == base and not removed.rules(whole.id, whole.label, whole.value.added_by):
            found.append(_whole(flow, whole, sizes.get(whole.id, 0), said))
            lying.pop(whole.id, None)
    found += [piece for one, parts in lying.items() for piece in _parts(parts, sizes[one], said)]
    known = {piece.id for piece in found}
    for held in waiting:
        here = held.id not in known and held.value.base == base
        if here and not removed.rules(held.id, held.label, held.value.principal):
            found.append(_held(held))
    return [piece for piece in found if piece.file == id]


async def _by(flow: Flow, kind: Kind[Any], id: str) -> list[Found[Any]]:
    if id.startswith("file-"):
        return await flow.every(kind, Where((("origin", id),)))
    return await flow.read_each(kind, id)


def _size(part: Part) -> int:
    """The bytes of its passages, as a shard stores them."""
    return sum(len(msgspec.msgpack.encode(passage)) for passage in part.passages)


async def known(flow: Flow, documents: Sequence[str]) -> list[FileSeen]:
    """The files that these documents came in, without their sizes; what is not visible is left out."""
    removed, said = await gone(flow), await described(flow)
    found: list[FileSeen] = []
    for id in documents:
        wholes: list[Found[Document]] = await flow.read_each(DOCUMENT, id)
        wholes = [whole for whole in wholes if not removed.rules(id, whole.label, whole.value.added_by)]
        if wholes:
            found.append(_whole(flow, wholes[0], 0, said).seen)
        else:
            found += [piece.seen for piece in _parts(await _lying(flow, id, removed), 0, said)]
    return found


def file_seen(pieces: Iterable[Piece]) -> list[FileSeen]:
    """The files of these pieces, by id: each is as far as the least of its documents is."""
    files: dict[str, list[FileSeen]] = {}
    for piece in pieces:
        files.setdefault(piece.file, []).append(piece.seen)
    return [_joined(id, several) for id, several in sorted(files.items())]


def _joined(id: str, several: list[FileSeen]) -> FileSeen:
    first = min(several, key=lambda one: (_ORDER.index(one.state), one.at, one.document))
    return replace(first, id=id, bytes=sum(one.bytes for one in several))


def _sizes(view: View) -> dict[str, int]:
    """The bytes of the visible passages of each document."""
    found: dict[str, int] = {}
    for shard in view.shards:
        lengths = np.diff(np.asarray(shard.bounds).astype(np.int64))
        sizes = np.bincount(np.asarray(shard.owners).astype(np.int64), weights=lengths, minlength=len(shard.filed))
        for filed, size in zip(shard.filed, sizes.tolist(), strict=True):
            found[filed.document] = found.get(filed.document, 0) + int(size)
    return found


async def _lying(flow: Flow, id: str, removed: Gone) -> list[Found[Part]]:
    parts: list[Found[Part]] = await flow.read_each(PART, id)
    return [part for part in parts if not removed.rules(id, part.label, part.value.by)]


def _whole(flow: Flow, found: Found[Document], size: int, said: Described) -> Piece:
    document, aside = found.value, found.value.state == "quarantined"
    told: dict[str, Any] = dict(document.facts)
    slug = f"knowledge.quarantine.{document.reason}.detail"
    seen = FileSeen(
        id=document.origin or found.id,
        base=document.base,
        document=found.id,
        name=document.name,
        state="quarantined" if aside else "ready",
        reason=say(slug, flow.session.language, **told) if aside else "",
        attributes=said.attributes(found.id, found.label, document.attributes),
        at=document.at,
        bytes=size,
        label=found.label.text,
        slug=document.reason if aside else "",
    )
    return Piece(found.id, seen.id, seen)


def _parts(parts: Sequence[Found[Part]], size: int, said: Described) -> list[Piece]:
    """A document that is visible only in part, as its first part tells it."""
    if not parts:
        return []
    found = min(parts, key=lambda part: part.label.text)
    part = found.value
    seen = FileSeen(
        id=part.origin or found.id,
        base=part.base,
        document=found.id,
        name=part.title,
        state="ready",
        reason="",
        attributes=said.attributes(found.id, found.label, part.attributes),
        at=part.at,
        bytes=size,
        label=found.label.text,
    )
    return [Piece(found.id, seen.id, seen)]


def _held(found: Found[HeldRecord]) -> Piece:
    held = found.value
    seen = FileSeen(
        id=held.origin or found.id,
        base=held.base,
        document=found.id,
        name=held.name,
        state="unmarked" if held.state == "unmarked" else "waiting",
        reason="",
        attributes=held.attributes,
        at=held.at,
        bytes=0,
        label=found.label.text,
    )
    return Piece(found.id, seen.id, seen)


async def _bases(flow: Flow, library: Library, name: str) -> list[BaseSeen]:
    where = None if name == ALL else Where((("base", name),))
    found: dict[str, _Base] = {}
    waiting = await flow.every(HELD, where)  # first: what is read meanwhile is then still counted
    for record in await flow.every(BASE, None if name == ALL else Where((("name", name),))):
        found.setdefault(record.value.name, _Base()).records.append(record)
    view = await library.view(flow, (name,))
    for shard in view.shards:
        into = found.setdefault(shard.base, _Base())
        into.bytes += len(shard.texts)
        for filed in shard.filed:
            into.ready[filed.document] = filed.at
            into.came(filed.at)
    removed = await gone(flow)
    for held in waiting:
        if not removed.rules(held.id, held.label, held.value.principal):
            into = found.setdefault(held.value.base, _Base())
            into.waiting += held.id not in into.ready
            into.came(held.value.at)
    for aside in await flow.every(DOCUMENT, Where((("state", "quarantined"),))):
        document = aside.value
        mine = name in (ALL, document.base) and not removed.rules(aside.id, aside.label, document.added_by)
        if mine:
            into = found.setdefault(document.base, _Base())
            into.aside += 1
            into.came(document.at)
    return [_told(flow, base, found[base]) for base in sorted(found)]


def _told(flow: Flow, name: str, base: _Base) -> BaseSeen:
    record = ruling(base.records, flow.acting)
    ruled = record or Base(name, at=base.first)
    lying = next((one.label.text for one in base.records if one.value is record), flow.acting.text)
    return BaseSeen(
        name=name,
        title=ruled.title or name,
        embedder=ruled.embedder,
        granularity=finely(base.records, flow.acting),
        metadata=ruled.metadata,
        expires_after=ruled.expires_after,
        by=ruled.by,
        at=ruled.at,
        used=max(ruled.at, base.at),
        documents=len(base.ready),
        waiting=base.waiting,
        quarantined=base.aside,
        bytes=base.bytes,
        label=lying,
    )
