"""What the region keeps of a document: the whole at its own label, and per label the part that may be read there.

A file's name was chosen by somebody who knew all of it, so it stays with the whole. A part bears a title made of what
is visible at its label.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import HELD, Arriving, Flow, HeldRecord, Releasable
from casemate.access.settle import came_as
from casemate.crypto import digest
from casemate.knowledge.documents import near
from casemate.knowledge.documents.described import Attribute
from casemate.knowledge.documents.gone import Gone, gone, gone_of
from casemate.knowledge.reading.passage import Passage
from casemate.objects import Found, Kind, Put

__all__ = [
    "DOCUMENT",
    "MEMBERS",
    "PART",
    "RELEASABLE",
    "SEGMENT",
    "Document",
    "Members",
    "Part",
    "Segment",
    "brought_by",
    "key_of",
    "listed",
    "members",
    "opened",
    "waiting",
]

RELEASED = "released"  # the base of what came down: its own base above is not told


class Document(msgspec.Struct, frozen=True):
    """A whole document. `state`: ready or quarantined; `reason` and `facts` say why it was quarantined.

    `floor`: of one in quarantine, the lowest label at which any of it may come to rest. `notes`: what of the file could
    not be read, in English sentences.
    """

    name: str
    base: str
    title: str
    digest: str
    state: str = "ready"
    reason: str = ""
    facts: dict[str, str | int] = {}
    passages: int = 0
    added_by: str = ""
    at: int = 0
    source: str = ""
    origin: str = ""
    media: str = ""
    attributes: dict[str, Attribute] = {}
    marks: str = "read"
    replaces: str = ""
    floor: str = ""
    notes: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """What of a document lies at exactly one label. `sketch`: see `near`; its bands are found by equality."""

    base: str
    title: str
    passages: tuple[Passage, ...]
    by: str = ""
    at: int = 0
    media: str = ""
    language: str = ""
    attributes: dict[str, Attribute] = {}
    origin: str = ""
    sketch: tuple[int, ...] = ()

    @property
    def near0(self) -> str:
        return near.bands(self.sketch)[0]

    @property
    def near1(self) -> str:
        return near.bands(self.sketch)[1]

    @property
    def near2(self) -> str:
        return near.bands(self.sketch)[2]

    @property
    def near3(self) -> str:
        return near.bands(self.sketch)[3]


class Segment(msgspec.Struct, frozen=True):
    """An encoded shard of one knowledge base in one access class."""

    base: str
    blob: str
    passages: int
    vectors: str = ""
    embedder: str = ""


class Members(msgspec.Struct, frozen=True):
    """The documents that came of one file which held several; its id is the file's, where it was brought."""

    base: str
    documents: tuple[str, ...]
    by: str


def _source(document: Document) -> tuple[str, ...]:
    return (document.source,) if document.source else ()


def _shard(segment: Segment) -> tuple[str, ...]:
    return tuple(blob for blob in (segment.blob, segment.vectors) if blob)


def _brought_as(id: str, document: Document) -> tuple[tuple[str, str], ...]:
    return (*came_as(id, document.origin), ("knowledge.base", document.base))


def _part_of(id: str, part: Part) -> tuple[tuple[str, str], ...]:
    return (("document", id), *came_as(id, part.origin))


DOCUMENT = Kind(
    "document",
    Document,
    indexed=("base", "digest", "state", "origin", "replaces"),
    blobs=_source,
    sources=_brought_as,
)
PART = Kind("document.part", Part, indexed=("base", "origin", "near0", "near1", "near2", "near3"), sources=_part_of)
MEMBERS = Kind("document.members", Members)
SEGMENT = Kind("segment", Segment, indexed=("base",), blobs=_shard)


def key_of(base: str, stated: str, how: str, data: bytes) -> str:
    """By what the same bytes brought in the same way are found again."""
    return digest(f"{base}\x00{stated}\x00{how}\x00".encode() + data).hex()


async def listed(flow: Flow) -> tuple[list[Found[Document]], list[Found[Part]]]:
    """The whole documents that are visible, and the parts of those that are visible only in part."""
    removed = await gone(flow)
    wholes = [f for f in await flow.every(DOCUMENT) if not removed.rules(f.id, f.label, f.value.added_by)]
    whole = {found.id for found in wholes}
    parts: dict[str, Found[Part]] = {}
    for found in await flow.every(PART):
        if found.id not in whole and not removed.rules(found.id, found.label, found.value.by):
            parts.setdefault(found.id, found)
    return wholes, list(parts.values())


async def opened(flow: Flow, id: str) -> tuple[Found[Document] | None, list[Found[Part]]]:
    """What may be read of a document at the acting label. Raises Absent where that is nothing."""
    whole, parts = await _visible(flow, id, await gone_of(flow, id))
    if not parts and whole is None:
        await flow.absent(DOCUMENT, id)
    return whole, parts


async def _visible(flow: Flow, id: str, removed: Gone) -> tuple[Found[Document] | None, list[Found[Part]]]:
    parts: list[Found[Part]] = await flow.read_each(PART, id)
    wholes: list[Found[Document]] = await flow.read_each(DOCUMENT, id)
    parts = [each for each in parts if not removed.rules(id, each.label, each.value.by)]
    wholes = [each for each in wholes if not removed.rules(id, each.label, each.value.added_by)]
    return (wholes[0] if wholes else None), parts


async def waiting(flow: Flow) -> list[Found[HeldRecord]]:
    """Files whose marks have not been read yet, and those that bear none and wait for somebody to state a label."""
    return [found for found in await flow.every(HELD) if not found.value.withdrawn]


async def brought_by(flow: Flow, id: str, removed: Gone | None = None, by: str = "") -> list[Found[Any]]:
    """The visible pieces of a document that the caller (or he) brought: its whole, its parts, the file that waits."""
    whole, parts = await _visible(flow, id, await gone_of(flow, id) if removed is None else removed)
    held = await flow.read_each(HELD, id)
    name = by or flow.session.principal.name
    pieces: list[Found[Any]] = [each for each in parts if each.value.by == name]
    pieces += [each for each in ([whole] if whole else []) if each.value.added_by == name]
    return pieces + [each for each in held if each.value.principal == name]


async def members(flow: Flow, id: str) -> tuple[str, ...]:
    """The documents that came of a file of the caller's, by the file's id; that id itself where it held one."""
    name = flow.session.principal.name
    for found in await flow.read_each(MEMBERS, id):
        if found.value.by == name or "service" in flow.session.principal.roles:
            return found.value.documents
    return (id,)


def _text(part: Part, passage: str) -> str | None:
    """The passages under their headings, or one of them; None where there is none of that id."""
    chosen = [each for each in part.passages if passage in ("", each.id)]
    lines: list[str] = []
    heading = ""
    for each in chosen:
        if each.heading != heading and not passage:
            heading = each.heading
            lines.append(heading)
        lines.append(each.text)
    return "\n\n".join(filter(None, lines)) if chosen else None


def _arrived(arriving: Arriving) -> Put:
    """A released text as a document that waits to be read: at the target whole, its marks being words of it by now."""
    label, name = arriving.label.text, f"{arriving.id}.txt"
    held = HeldRecord(
        name=name,
        base=RELEASED,
        floor=label,
        blob=arriving.blob,
        digest=key_of(RELEASED, label, "text", arriving.text.encode()),
        stated=label,
        marks="text",
        principal=arriving.by,
        at=arriving.at,
    )
    return Put(HELD, arriving.id, held, expect=0)


RELEASABLE = Releasable(PART, _text, _arrived, "doc", pours=True)
