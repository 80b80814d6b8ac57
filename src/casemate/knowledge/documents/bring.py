"""Bringing a file: held until the loop has read its marks.

What is decided here of how it will be read - how finely it is labelled, which embedder serves it - is seen from the
session's floor, which is the lowest label at which any of it may come to rest: nothing above it may show there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from casemate.access import HELD, Flow, HeldRecord, Hold, need_of
from casemate.errors import BadInput
from casemate.knowledge.base import BASE, Base, finely, named, ruling
from casemate.knowledge.documents.described import Attribute, checked
from casemate.knowledge.documents.document import DOCUMENT, Document, brought_by, key_of, members
from casemate.knowledge.documents.gone import gone
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Where
from casemate.words import say

__all__ = ["Added", "add", "bring", "hold_of", "in_place_of"]

NAME_LIMIT = 255


class Added(msgspec.Struct, frozen=True):
    """What became of a file that was brought: `state` is waiting or known (the very same bytes are there already)."""

    id: str
    name: str
    state: str


async def add(
    flow: Flow,
    name: str,
    base: str,
    data: bytes,
    stated: str = "",
    marks: str = "read",
    need: str = "",
    origin: str = "",
    attributes: Mapping[str, Attribute] | None = None,
    replaces: str = "",
) -> Added:
    """Hold a file until the loop has read its marks. The same bytes in the same base are known, and held only once.

    `need` says who needs to know it: "" is whoever acts with all that the caller acts with. `replaces`: a document of
    the caller's that is gone as soon as this one has come to rest. What lies in quarantine is read again; at its own
    label the new finding takes its place. Raises BadInput, Absent, Refused (`need-stated`).
    """
    if marks not in ("read", "text") or (marks == "text" and not stated):
        raise BadInput(what="Marks are read, or are text where a label is stated.")
    if stated:
        stated = flow.gate.vault.region.label(stated).text
    said = checked(attributes or {}, flow.session.language)
    hold = await hold_of(flow, _last(name), base, stated=stated, marks=marks, origin=origin)
    need = (await need_of(flow, need)).text
    how = f"{marks}\x00{need}" if need else marks
    if origin or said:
        how += f"\x00{origin}\x00{msgspec.json.encode(said, order='sorted').decode()}"
    hold = msgspec.structs.replace(hold, digest=key_of(base, stated, how, data), need=need, attributes=said)
    changes: list[Change] = []
    if replaces:
        hold, changes = await in_place_of(flow, hold, replaces, flow.session.principal.name, flow.floor)
        if not hold.replaces:
            await flow.absent(DOCUMENT, replaces)
    return await _held(flow, hold, data, changes)


async def bring(flow: Flow, hold: Hold, data: bytes, changes: Sequence[Change], by: str, floor: Label) -> Added:
    """Hold a file for somebody, with the floor with which he ordered it (service flows only)."""
    return await _held(flow, hold, data, changes, by, floor)


async def in_place_of(flow: Flow, hold: Hold, id: str, by: str, floor: Label) -> tuple[Hold, list[Change]]:
    """The hold as one that takes the place of a document of his, and what else its commit changes.

    Of each piece that is visible, its label is noted, for there the removal is to land; what still waits waits no
    longer. Where nothing is visible, nothing is replaced. Raises BadInput for a document of another base.
    """
    removed = await gone(flow)
    several = await members(flow, id)
    pieces = [piece for each in several for piece in await brought_by(flow, each, removed, by)]
    if any(piece.value.base != hold.base for piece in pieces):
        raise BadInput(what=say("knowledge.replaces", flow.session.language))
    waits = [piece for piece in pieces if piece.ref.kind == HELD.name and piece.ref.class_id == flow.access.id]
    labels = {piece.label for piece in pieces if floor <= piece.label}
    least = [label for label in labels if not any(other <= label and other is not label for other in labels)]
    held = msgspec.structs.replace(
        hold, replaces=",".join(several) if pieces else "", gone_at=tuple(sorted(label.text for label in least))
    )
    return held, [Delete(HELD, piece.id, expect=piece.version) for piece in waits]


async def _held(
    flow: Flow, hold: Hold, data: bytes, changes: Sequence[Change], by: str = "", floor: Label | None = None
) -> Added:
    """Hold it, unless it is there: what was removed is not."""
    removed = await gone(flow)
    found = await flow.every(DOCUMENT, Where((("digest", hold.digest),)))
    known = [each for each in found if not removed.rules(each.id, each.label, each.value.added_by)]
    held: list[Found[HeldRecord]] = await flow.every(HELD, Where((("digest", hold.digest),)))
    ready = [each for each in known if each.value.state != "quarantined"]
    if hold.replaces:  # only what would replace itself stays what it is
        ready = [each for each in ready if each.id in hold.replaces.split(",")]
        held = [each for each in held if each.value.replaces == hold.replaces]
    if ready:
        return Added(ready[0].id, hold.name, "known")
    if held:
        return Added(held[0].id, hold.name, "waiting")
    ref = await hold.keep(flow, data, *changes, by=by, floor=floor)
    await _read_again(flow, known)
    return Added(ref.id, hold.name, "waiting")


async def _read_again(flow: Flow, known: list[Found[Document]]) -> None:
    """What was refused is read again: the region may list the policy by now."""
    for found in known:
        if found.ref.class_id == flow.access.id and found.value.state == "quarantined":
            await flow.commit(Delete(DOCUMENT, found.id, expect=found.version))


async def hold_of(
    flow: Flow, name: str, base: str, stated: str, marks: str, origin: str, at: Label | None = None
) -> Hold:
    """How a file of that name will be read, as far as a label (the session's floor) sees its base. Raises BadInput."""
    if not name.isprintable() or not 0 < len(name) <= NAME_LIMIT:
        raise BadInput(what=f"A file's name has 1 to {NAME_LIMIT} printable characters.")
    named(base)
    ruled = await _ruled(flow, base, at or flow.floor)
    return Hold(
        name,
        base,
        "",
        stated,
        marks,
        origin=origin,
        granularity=ruled.granularity,
        embedder=ruled.embedder,
    )


async def _ruled(flow: Flow, base: str, floor: Label) -> Base:
    records = await flow.every(BASE, Where((("name", base),)))
    ruled = ruling(records, floor) or Base(base)
    return msgspec.structs.replace(ruled, granularity=finely(records, floor))


def _last(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]
