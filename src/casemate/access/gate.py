"""The gate: admits a credential, opens a flow for one action at one acting label, and records what it refuses."""

from __future__ import annotations

import contextlib

from casemate.access.core import Core
from casemate.access.flow import Flow
from casemate.errors import Damaged
from casemate.identity import Credential, Principal, Session
from casemate.labels import AccessClass, Label
from casemate.policy import Action, Refuse, Target, decide

__all__ = ["Gate"]

NOTHING = Target()
READS = frozenset({"ledger.read", "ledger.verify", "ledger.open"})  # what looks at what just happened


class Gate(Core):
    """The only maker of sessions and flows."""

    def admit(self, credential: Credential) -> Session:
        """The session of whoever shows this. Raises Unauthenticated, Expired or Skewed."""
        return self.directory.admit(credential)

    def service(self, room: str, access: AccessClass) -> Session:
        """A room's own session at one access class: there is no ambient authority."""
        principal = Principal(f"service:{room}", f"service:{room}", access.label, frozenset({"service"}))
        return Session(f"{room}", principal, access.label, access.label)

    async def open(
        self, session: Session, action: Action, acting: Label | None = None, target: Target | None = None
    ) -> Flow:
        """A flow for one action, or the refusal recorded and raised. The acting label defaults to the ceiling."""
        at = session.ceiling if acting is None else acting
        decision = decide(session, at, action, target or NOTHING)
        if isinstance(decision, Refuse):
            await self.refuse(session, at, action, decision)
        if action.name in READS:
            with contextlib.suppress(Damaged):  # what can be read is read; `audit.judged` says what cannot
                await self.folded()
        return Flow(self, session, action, at)
