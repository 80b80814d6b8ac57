"""What a flow is not served because it is frozen.

Custody alone sees what it has frozen. What was used by an answer that had begun before is looked at again when the
answer is to leave (`stands`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemate.access.frozen import FROZEN, Held
from casemate.access.state import State
from casemate.errors import Conflict
from casemate.objects import Found

__all__ = ["CUSTODY", "held_back", "open_to", "sees_all", "stands", "still", "withheld"]

CUSTODY = "service:custody"


def withheld(flow: State) -> Held:
    """What is frozen in the visible classes."""
    return flow.gate.frozen.of([each.id for each in flow.classes()], flow.gate.classes.of(flow.domain).id)


def sees_all(flow: State) -> bool:
    """Whether this is custody itself."""
    return flow.session.principal.id == CUSTODY


def open_to(flow: State, kind: str, found: Iterable[Found[Any]]) -> list[Found[Any]]:
    """Of these objects of a kind, those that are not frozen."""
    items = list(found)
    if not items or kind == FROZEN.name or sees_all(flow):
        return items
    refs = withheld(flow).refs
    return [each for each in items if each.ref not in refs] if refs else items


def held_back(flow: State, class_id: str, digest: str) -> bool:
    """Whether those bytes are frozen for this flow."""
    if sees_all(flow):
        return False
    return (class_id, digest) in withheld(flow).blobs


def stands(flow: State) -> bool:
    """Whether nothing that this request has used was frozen meanwhile."""
    if not flow.used or sees_all(flow):
        return True
    held = withheld(flow)
    return not held.refs or not any(ref in held.refs or ref.id in held.ids for ref in flow.used)


def still(flow: State) -> None:
    """Raises Conflict where something that an answer was made of has been frozen since it began."""
    if not stands(flow):
        raise Conflict(what="answer")
