"""What the region keeps of a document: the whole at its own label, and per label the part that may be read there.

A file's name was chosen by somebody who knew all of it, so it stays with the whole. A part bears a title made of what
is visible at its label.
"""

from __future__ import annotations

import msgspec

from casemate.access import HELD, Arriving, Flow, HeldRecord, Hold, Releasable, need_of
from casemate.crypto import digest
from casemate.errors import BadInput
from casemate.knowledge.passage import Passage
from casemate.objects import Delete, Found, Kind, Put, Where

__all__ = [
    "DOCUMENT",
    "PART",
    "RELEASABLE",
    "SEGMENT",
    "Added",
    "Document",
    "Part",
    "Segment",
    "add",
    "listed",
    "opened",
    "waiting",
]

NAME_LIMIT = 255
BASE_LIMIT = 64
RELEASED = "released"  # the base of what came down: its own base above is not told


class Document(msgspec.Struct, frozen=True):
    """A whole document. `state`: ready or quarantined; `reason` and `facts` say why it was quarantined."""

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


class Part(msgspec.Struct, frozen=True):
    """What of a document lies at exactly one label."""

    base: str
    title: str
    passages: tuple[Passage, ...]


class Segment(msgspec.Struct, frozen=True):
    """An encoded shard of one knowledge base in one access class."""

    base: str
    blob: str
    passages: int


DOCUMENT = Kind("document", Document, indexed=("base", "digest", "state"))
PART = Kind("document.part", Part, indexed=("base",))
SEGMENT = Kind("segment", Segment, indexed=("base",))


class Added(msgspec.Struct, frozen=True):
    """What became of a file that was brought: `state` is waiting or known (the very same bytes are there already)."""

    id: str
    name: str
    state: str


async def add(
    flow: Flow, name: str, base: str, data: bytes, stated: str = "", marks: str = "read", need: str = ""
) -> Added:
    """Hold a file until the loop has read its marks. The same bytes in the same base are known, and held only once.

    `need` says who needs to know it: "" is whoever acts with all that the caller acts with. What lies in quarantine is
    read again; at its own label the new finding takes its place.
    """
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    if not name.isprintable() or not 0 < len(name) <= NAME_LIMIT:
        raise BadInput(what=f"A file's name has 1 to {NAME_LIMIT} printable characters.")
    if not base.replace("-", "").replace("_", "").isalnum() or len(base) > BASE_LIMIT or base in ("all", "none"):
        raise BadInput(what=f"A knowledge base's name has 1 to {BASE_LIMIT} letters, digits, - or _; not all or none.")
    if marks not in ("read", "text") or (marks == "text" and not stated):
        raise BadInput(what="Marks are read, or are text where a label is stated.")
    if stated:
        stated = flow.gate.vault.region.label(stated).text
    need = (await need_of(flow, need)).text
    key = _key(base, stated, f"{marks}\x00{need}" if need else marks, data)
    known = await flow.every(DOCUMENT, Where((("digest", key),)))
    held = await flow.scan(HELD, Where((("digest", key),)), limit=1)
    ready = [found for found in known if found.value.state != "quarantined"]
    if ready:
        return Added(ready[0].id, name, "known")
    if held.items:
        return Added(held.items[0].id, name, "waiting")
    ref = await flow.hold(Hold(name, base, key, stated, marks, need), data)
    for found in known:  # what was refused is read again: the region may list the policy by now
        if found.ref.class_id == flow.access.id:
            await flow.commit(Delete(DOCUMENT, found.id, expect=found.version))
    return Added(ref.id, name, "waiting")


def _key(base: str, stated: str, marks: str, data: bytes) -> str:
    """By what the same bytes brought in the same way are found again."""
    return digest(f"{base}\x00{stated}\x00{marks}\x00".encode() + data).hex()


async def listed(flow: Flow) -> tuple[list[Found[Document]], list[Found[Part]]]:
    """The whole documents that are visible, and the parts of those that are visible only in part."""
    wholes = await flow.every(DOCUMENT)
    whole = {found.id for found in wholes}
    parts: dict[str, Found[Part]] = {}
    for found in await flow.every(PART):
        if found.id not in whole:
            parts.setdefault(found.id, found)
    return wholes, list(parts.values())


async def opened(flow: Flow, id: str) -> tuple[Found[Document] | None, list[Found[Part]]]:
    """What may be read of a document at the acting label. Raises Absent where that is nothing."""
    parts: list[Found[Part]] = await flow.read_each(PART, id)
    wholes: list[Found[Document]] = await flow.read_each(DOCUMENT, id)
    if not parts and not wholes:
        await flow.absent(DOCUMENT, id)
    return (wholes[0] if wholes else None), parts


async def waiting(flow: Flow) -> list[Found[HeldRecord]]:
    """Files whose marks have not been read yet, and those that bear none and wait for somebody to state a label."""
    return await flow.every(HELD)


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
        digest=_key(RELEASED, label, "text", arriving.text.encode()),
        stated=label,
        marks="text",
        principal=arriving.by,
        at=arriving.at,
    )
    return Put(HELD, arriving.id, held, expect=0)


RELEASABLE = Releasable(PART, _text, _arrived, "doc", pours=True)
