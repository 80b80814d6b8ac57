"""What was put aside, and what whoever brought it decides of it.

    quarantined -> a label is stated, and its marks are read again under it
                -> its marks are text, and all of it has the stated label
                -> removed

The bytes are brought anew, with the floor at which they came: whatever is decided, nothing of them comes to rest below
it, and the session that decides adds its own.
"""

from __future__ import annotations

from typing import Literal

from casemate.access import HELD, Flow, HeldRecord
from casemate.errors import BadInput, Refused
from casemate.knowledge.documents.bring import add
from casemate.knowledge.documents.document import DOCUMENT, Document, brought_by
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.remove import here, remove
from casemate.labels import Label
from casemate.objects import Delete, Found
from casemate.words import say

__all__ = ["Decision", "review", "under_review"]

Decision = Literal["restate", "text", "remove"]


async def under_review(flow: Flow) -> tuple[list[Found[Document]], list[Found[HeldRecord]]]:
    """What lies in quarantine, and the files that wait for somebody to state a label, as far as they are visible."""
    removed = await gone(flow)
    found = [each for each in await flow.every(DOCUMENT) if each.value.state == "quarantined"]
    aside = [each for each in found if not removed.rules(each.id, each.label, each.value.added_by)]
    return aside, [each for each in await flow.every(HELD) if each.value.state == "unmarked"]


async def review(flow: Flow, id: str, decision: Decision, stated: str) -> str:
    """Decide about what the caller brought: the id under which it is read again, or that which is gone.

    Raises Absent, BadInput, Refused (`marks-of-origin`, `no-write-down`).
    """
    pieces = await here(flow, id)
    if decision == "remove":
        return (await remove(flow, id)).id
    if not stated:
        raise BadInput(what=say("knowledge.review.label", flow.session.language))
    label = flow.gate.vault.region.label(stated)
    marks = "text" if decision == "text" else "read"
    found = pieces[0]
    if found.ref.kind == HELD.name:
        await flow.restate(id, label, marks)
        return id
    if found.ref.kind != DOCUMENT.name or found.value.state != "quarantined":
        raise BadInput(what=say("knowledge.review.ready", flow.session.language))
    return await _again(flow, found, label, marks)


async def _again(flow: Flow, found: Found[Document], label: Label, marks: str) -> str:
    old = found.value
    flow.bear(flow.gate.vault.region.policies.parse(old.floor or found.label.text))
    label = label.with_needs(flow.floor.needs)
    if not flow.floor <= label <= flow.acting:
        raise Refused(rule="marks-of-origin", floor=flow.floor.text, held=flow.acting.text, asked=label.text)
    data = await flow.blob(found.ref.class_id, old.source)
    replaces = old.replaces if old.replaces and await brought_by(flow, old.replaces) else ""
    said = old.attributes
    added = await add(
        flow, old.name, old.base, data, label.text, marks, origin=old.origin, attributes=said, replaces=replaces
    )
    await flow.commit(Delete(DOCUMENT, found.id, expect=found.version), facts={"again": added.id})
    return added.id
