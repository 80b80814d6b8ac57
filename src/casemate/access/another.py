"""To see as another sees: for the principal himself, or for an auditor whose ceiling dominates his, with a reason."""

from __future__ import annotations

from typing import TypeVar

from casemate.access.record import Note
from casemate.access.state import State
from casemate.identity import Session
from casemate.labels import Label
from casemate.policy import Action, Refuse, Target, decide

__all__ = ["as_seen_by"]

S = TypeVar("S", bound=State)
ASK = Action("ask", "answer")


async def as_seen_by(flow: S, name: str, at: Label | None, reason: str) -> S:
    """A flow of that principal at `at` (None: where he usually acts), below the caller's acting label; an entry first.

    Whoever asks as himself gets his own session. A name that nobody bears is refused like one that may not be used.
    What the caller brought keeps its label, and what the flow records or warms is the caller's: the other one cannot
    notice it. Whoever may not ask sees nothing.
    """
    caller = flow.session.principal
    own = name in ("", caller.name)
    if own:
        session, label = flow.session, at or flow.acting
    else:
        found = flow.gate.directory.named(name)
        auditor = "auditor" in caller.roles and bool(reason.strip())
        if found is None or not auditor or not found.clearance.without_needs <= flow.acting:
            await flow.refuse(Refuse("as-another"))
        session = Session(
            f"as/{flow.session.id}",
            found,
            flow.gate.vault.region.floor,
            found.clearance,
            flow.session.language,
            on_behalf_of=caller.name,
        )
        label = at or session.usual
    decision = decide(session, label, ASK, Target())
    if isinstance(decision, Refuse):
        await flow.refuse(decision if own or decision.rule != "role" else Refuse("as-another"))
    seen = type(flow)(flow.gate, session, flow.action, label)
    seen.floor = session.floor | flow.floor
    if not seen.floor <= label <= flow.acting:
        facts = {"acting": label.text, "floor": seen.floor.text, "ceiling": flow.acting.text}
        await flow.refuse(Refuse("acting-label", facts))
    seen.under(flow)
    if not own:
        told = (("as", name), ("at", label.text), ("reason", reason))
        await flow.note(Note(flow.action.name, "as-another", facts=told))
    return seen
