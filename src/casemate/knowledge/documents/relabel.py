"""A document whose label was too low: its bytes are brought anew at the higher label, and it is gone at its own.

Both are one commit. What is delivered upward is held there, and read as a document that was brought at that label: no
part of it comes to rest lower. Nothing is ever relabelled downward: that is a release, with its own door.
"""

from __future__ import annotations

import msgspec

from casemate.access import HELD, Flow, HeldRecord, Hold
from casemate.errors import BadInput, Refused
from casemate.knowledge.documents.bring import hold_of
from casemate.knowledge.documents.document import DOCUMENT, Document, brought_by, key_of
from casemate.knowledge.documents.remove import here, removal
from casemate.labels import Label
from casemate.objects import Change, Delete, Found
from casemate.words import say

__all__ = ["Relabelled", "relabel"]


class Relabelled(msgspec.Struct, frozen=True):
    """`id` is the document's at its new label, where it is read in the background; `gone` its old one.

    `left`: the visible labels at which parts of the old one still lie, to be removed by acting there.
    """

    id: str
    gone: str
    left: tuple[str, ...] = ()


async def relabel(flow: Flow, id: str, to: Label) -> Relabelled:
    """Raise a document that the caller brought. Raises Absent, BadInput, Refused (`no-write-down`)."""
    pieces = await here(flow, id)
    if to is flow.acting:
        raise BadInput(what=say("knowledge.relabel.same", flow.session.language))
    if not flow.acting <= to:
        raise Refused(rule="no-write-down", acting=flow.acting.text, asked=to.text)
    wholes = [each for each in pieces if each.ref.kind in (DOCUMENT.name, HELD.name)]
    data = await _bytes(flow, wholes[0]) if wholes else b""
    if not data:
        raise BadInput(what=say("knowledge.relabel.part", flow.session.language))
    found = wholes[0]
    hold = await _hold(flow, found, to, data)
    changes: list[Change] = [removal(flow, id, found.value.base)]
    if found.ref.kind == HELD.name:
        changes.append(Delete(HELD, id, expect=found.version))
    ref = await hold.raised(flow, to, data, *changes)
    left = {each.label.text for each in await brought_by(flow, id)}
    return Relabelled(ref.id, id, tuple(sorted(left)))


async def _hold(flow: Flow, found: Found[Document] | Found[HeldRecord], to: Label, data: bytes) -> Hold:
    old = found.value
    hold = await hold_of(flow, old.name, old.base, to.text, old.marks, old.origin)
    digest = key_of(old.base, to.text, old.marks, data)
    return msgspec.structs.replace(hold, digest=digest, attributes=old.attributes)


async def _bytes(flow: Flow, found: Found[Document] | Found[HeldRecord]) -> bytes:
    """The file's own bytes, where they are kept: b"" for a document of a file that held many."""
    blob = found.value.blob if isinstance(found.value, HeldRecord) else found.value.source
    return await flow.blob(found.ref.class_id, blob) if blob else b""
