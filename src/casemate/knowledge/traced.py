"""What custody is told of this room: how documents, their parts and passages, and the segments that hold them hang
together, and what becomes of them when one was higher than it said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from casemate.access import HELD, Flow, HeldRecord
from casemate.custody.kinds import Link, Onto, Traced, Untraced
from casemate.errors import Damaged
from casemate.ids import fresh
from casemate.knowledge.base import BASE
from casemate.knowledge.documents.described import DESCRIBED
from casemate.knowledge.documents.document import DOCUMENT, MEMBERS, PART, SEGMENT, Part, Segment, key_of
from casemate.knowledge.documents.gone import GONE, gone
from casemate.knowledge.index.make import without
from casemate.knowledge.index.shard import Shard, decode, encode
from casemate.knowledge.segments.rewrite import FENCE, Fence
from casemate.knowledge.watching.source import ITEM, SOURCE, TOLD
from casemate.labels import AccessClass
from casemate.objects import Change, Delete, Found, Put
from casemate.policy import Need

__all__ = ["TRACED"]


async def _there(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """Without what was removed; of what waits, and of descriptions, a removal says nothing."""
    removed = await gone(flow)
    by = {DOCUMENT.name: "added_by", PART.name: "by"}
    return [one for one in found if not removed.rules(one.id, one.label, getattr(one.value, by[one.ref.kind]))]


async def _own(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """What waits is told to whoever sees it; nobody reads it before its marks are read."""
    del flow
    return list(found)


async def _inside(flow: Flow, found: Found[Segment]) -> Iterable[tuple[str, str]]:
    shard = await _shard(flow, found)
    return [(PART.name, filed.document) for filed in shard.filed] if shard is not None else []


async def _shard(flow: Flow, found: Found[Segment]) -> Shard | None:
    """A segment's shard; None where it cannot be read, so that one that is damaged stops nothing."""
    try:
        raw = await flow.blob(found.ref.class_id, found.value.blob)
        plane = await flow.blob(found.ref.class_id, found.value.vectors) if found.value.vectors else b""
        return await flow.beside(decode, raw, plane, found.label, found.value.base)
    except Damaged:
        return None


async def _take_out(flow: Flow, access: AccessClass, going: Sequence[Found[Any]]) -> tuple[list[Change], list[str]]:
    """The segments of one class without these documents, fenced like every rewriting; and the bytes that then go."""
    ids = {one.id for one in going if one.ref.kind in (PART.name, DOCUMENT.name)}
    changes: list[Change] = []
    blobs: list[str] = []
    for found in await flow.every(SEGMENT) if ids else ():
        if found.ref.class_id != access.id:
            continue
        shard = await _shard(flow, found)
        if shard is None or not ids & {filed.document for filed in shard.filed}:
            continue
        left: Shard = await flow.beside(without, shard, ids)
        changes.append(Delete(SEGMENT, found.id, expect=found.version))
        blobs += [blob for blob in (found.value.blob, found.value.vectors) if blob]
        if left.count:
            raw, plane = await flow.beside(encode, left)
            pour = flow.gate.vault.blobs.write
            blob = await pour(access.id, raw)
            vectors = await pour(access.id, plane) if plane else ""
            segment = Segment(found.value.base, blob, left.count, vectors=vectors, embedder=left.embedder)
            changes.append(Put(SEGMENT, f"seg_{blob[:32]}", segment))
    fences: list[Change] = []
    for base in sorted({one.value.base for one in going if one.ref.kind in (PART.name, DOCUMENT.name)}):
        here = [each.version for each in await flow.read_each(FENCE, base) if each.ref.class_id == access.id]
        token = fresh("fnc", flow.gate.vault.entropy, f"fence/{access.id}")
        fences.append(Put(FENCE, base, Fence(token), expect=here[0] if here else 0))
    return [*fences, *changes] if changes else [], blobs


async def _raised(flow: Flow, onto: Onto, found: Found[Any]) -> list[Put]:
    """The file brought anew at the higher label; where none was kept, the words of it that lie anywhere."""
    value = found.value
    if isinstance(value, HeldRecord):
        data = await flow.blob(found.ref.class_id, value.blob) if value.blob else b""
        return [await _brought(flow, onto, found.id, value.name, value, value.principal, data)] if data else []
    data = await flow.blob(found.ref.class_id, value.source) if value.source else b""
    if data:
        return [await _brought(flow, onto, found.id, value.name, value, value.added_by, data)]
    words = _words_of(await flow.read_each(PART, found.id))
    named = f"{value.name}.txt" if words else value.name
    return [await _brought(flow, onto, found.id, named, value, value.added_by, words, "text")] if words else []


async def _raised_part(flow: Flow, onto: Onto, found: Found[Part]) -> list[Put]:
    """A part comes again with its whole; where the whole stays what it is, the part is brought by itself."""
    wholes = await flow.read_each(DOCUMENT, found.id)
    if any(not onto.label <= whole.label for whole in wholes):
        return []
    words = _words_of([found])
    name = f"{found.value.title[:200]}.txt"
    return [await _brought(flow, onto, found.id, name, found.value, found.value.by, words, "text")]


async def _brought(flow: Flow, onto: Onto, id: str, name: str, old: Any, by: str, data: bytes, marks: str = "") -> Put:
    label = onto.label.text
    marks = marks or old.marks
    held = HeldRecord(
        name=name,
        base=old.base,
        floor=label,
        blob=await onto.pour(data),
        digest=key_of(old.base, label, marks, data),
        stated=label,
        marks=marks,
        principal=by,
        at=flow.gate.vault.clock.now(),
        need=Need.all_of(onto.label.needs).text,
        attributes=old.attributes,
    )
    return Put(HELD, fresh("doc", flow.gate.vault.entropy, f"raise/{onto.access.id}/{id}"), held, expect=0)


async def _anew(flow: Flow, onto: Onto, found: Found[Any]) -> list[Put]:
    """It is said again of what is brought anew, or not at all."""
    del flow, onto, found
    return []


def _words_of(parts: Iterable[Found[Part]]) -> bytes:
    several = sorted(parts, key=lambda part: part.label.text)
    return "\n\n".join(passage.text for part in several for passage in part.value.passages).encode()


def _passages(part: Part) -> Iterable[str]:
    return [part.title, *(f"{passage.heading}\n{passage.text}" for passage in part.passages)]


def _described(value: Any) -> Iterable[str]:
    return [said for said in value.attributes.values() if isinstance(said, str)]


TRACED: tuple[Traced | Untraced, ...] = (
    Traced(
        HELD,
        (Link("file", "origin"), Link("transfer.bundle", "origin")),
        title=lambda held: held.name,
        shown=_own,
        raised=_raised,
        touched=True,
    ),
    Traced(
        DOCUMENT,
        (Link(HELD.name, "id"), Link("file", "origin"), Link("transfer.bundle", "origin"), Link(BASE.name, "base")),
        title=lambda document: document.title or document.name,
        shown=_there,
        raised=_raised,
    ),
    Traced(
        PART,
        (Link(DOCUMENT.name, "id"), Link(HELD.name, "id"), Link("file", "origin"), Link("transfer.bundle", "origin")),
        title=lambda part: part.title,
        shown=_there,
        words=_passages,
        raised=_raised_part,
    ),
    Traced(
        DESCRIBED,
        (Link(DOCUMENT.name, "id"), Link(PART.name, "id")),
        words=_described,
        raised=_anew,
    ),
    Traced(
        SEGMENT,
        (Link(PART.name, "base", "base"),),
        title=lambda segment: segment.base,
        inside=_inside,
        take_out=_take_out,
    ),
    Traced(BASE, title=lambda base: base.title or base.name, fixed=True),
    Untraced(MEMBERS, "it says by their ids which documents came of one file, and nothing of what is in them"),
    Untraced(GONE, "it says by its id that a document was removed"),
    Untraced(FENCE, "it holds a random token"),
    Untraced(SOURCE, "it is an order: where to look, and how often"),
    Untraced(ITEM, "it says which version of a file was brought, so that the same bytes are not brought again"),
    Untraced(TOLD, "it counts files"),
)
