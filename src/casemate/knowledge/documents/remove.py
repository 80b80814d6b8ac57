"""Taking a document away: whoever brought it says so, at the label at which it lies.

The removal lands exactly at the acting label and rules all that lies there or above; what lies below it stays, since
nothing may flow down. So a whole document is removed at the lowest label at which something of it lies. For anybody
else, and for what is gone already, it is as absent as what never was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.access import HELD, Flow
from casemate.errors import Refused
from casemate.knowledge.documents.described import DESCRIBED, Attribute, DescribedRecord, checked
from casemate.knowledge.documents.document import DOCUMENT, brought_by, members
from casemate.knowledge.documents.gone import GONE, GoneRecord
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Put

__all__ = ["Removed", "describe", "here", "removal", "remove"]


class Removed(msgspec.Struct, frozen=True):
    """A removal. `left`: the labels, as far as they are visible, at which something of the document still lies."""

    id: str
    base: str
    left: tuple[str, ...] = ()


async def remove(flow: Flow, id: str) -> Removed:
    """Remove a document at the acting label and above, or all that came of a file which held several.

    Raises Absent, and Refused where it all lies below.
    """
    ids = await members(flow, id)
    changes: list[Change] = []
    for each in ids:
        pieces = await here(flow, each) if ids == (id,) else _at(flow, await brought_by(flow, each))
        changes += [removal(flow, each, piece.value.base) for piece in pieces[:1]]
        changes += [Delete(HELD, each, expect=piece.version) for piece in pieces if piece.ref.kind == HELD.name]
    if not changes:
        await flow.absent(DOCUMENT, id)
    base = next(change.value.base for change in changes if isinstance(change, Put))
    await flow.commit(*changes, facts={"document": id, "base": base})
    left = {piece.label.text for each in ids for piece in await brought_by(flow, each)}
    return Removed(id, base, tuple(sorted(left)))


async def describe(flow: Flow, id: str, attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """Other attributes, for all of a document that lies at the acting label or above. Raises as `remove`; BadInput."""
    said = checked(attributes, flow.session.language)
    await here(flow, id)
    record = DescribedRecord(flow.session.principal.name, flow.gate.vault.clock.now(), said)
    await flow.commit(Put(DESCRIBED, id, record), facts={"document": id, "attributes": len(said)})
    return said


async def here(flow: Flow, id: str) -> list[Found[Any]]:
    """The pieces of the caller's document that lie exactly at the acting label. Raises Absent, Refused."""
    pieces = await brought_by(flow, id)
    if not pieces:
        await flow.absent(DOCUMENT, id)
    found = _at(flow, pieces)
    if not found:
        asked = _lowest(each.label for each in pieces)
        raise Refused(rule="no-write-down", acting=flow.acting.text, asked=asked.text)
    return found


def _at(flow: Flow, pieces: Iterable[Found[Any]]) -> list[Found[Any]]:
    return [each for each in pieces if flow.acting <= each.label]


def removal(flow: Flow, id: str, base: str) -> Change:
    """The record of a removal, to be committed at the acting label."""
    return Put(GONE, id, GoneRecord(flow.session.principal.name, flow.gate.vault.clock.now(), base))


def _lowest(labels: Iterable[Label]) -> Label:
    return min(labels, key=lambda label: label.text)
