"""To see as another sees: for the principal himself, or for an auditor whose ceiling dominates his, with a reason."""

from __future__ import annotations

from typing import TypeVar

from casemate.access.record import Note
from casemate.access.state import State
from casemate.identity import Session
from casemate.labels import Label
from casemate.policy import Refuse, Target, decide

__all__ = ["as_seen_by"]

S = TypeVar("S", bound=State)


async def as_seen_by(flow: S, name: str, at: Label | None, reason: str) -> S:
    """A flow of that principal at `at` (his ceiling where None), below the caller's own acting label; an entry first.

    Whoever asks as himself gets his own session. A name that nobody bears is refused like one that may not be used.
    """
    caller = flow.session.principal
    if name in ("", caller.name):
        session, label = flow.session, at or flow.acting
    else:
        found = flow.gate.directory.named(name)
        auditor = "auditor" in caller.roles and bool(reason.strip())
        if found is None or not auditor or not found.clearance <= flow.acting:
            await flow.gate.refuse(flow.session, flow.acting, flow.action, Refuse("as-another"))
        session = Session(
            f"as/{flow.session.id}",
            found,
            flow.gate.vault.region.floor,
            found.clearance,
            flow.session.language,
            on_behalf_of=caller.name,
        )
        label = at or found.clearance
    decision = decide(session, label, flow.action, Target())
    if isinstance(decision, Refuse) and decision.rule != "role":
        await flow.gate.refuse(flow.session, flow.acting, flow.action, decision)
    if session is not flow.session:
        facts = (("as", name), ("at", label.text), ("reason", reason))
        await flow.gate.record(flow.session, flow.access, Note(flow.action.name, "as-another", facts=facts))
    seen = type(flow)(flow.gate, session, flow.action, label)
    seen.begun = flow.begun
    return seen
