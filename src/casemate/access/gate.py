"""The gate: admits a credential, opens a flow for one action at one acting label, and records what it refuses."""

from __future__ import annotations

import contextlib

from casemate.access.core import Core
from casemate.access.flow import Flow
from casemate.errors import Damaged
from casemate.identity import Credential, Principal, Session, SignedHead
from casemate.identity.sigv4_chunks import Chain
from casemate.labels import AccessClass, Label
from casemate.policy import Action, Refuse, Target, decide, trusted
from casemate.policy.veto import Veto

__all__ = ["Gate"]

NOTHING = Target()
READS = frozenset(  # what looks at what just happened
    {"ledger.read", "ledger.verify", "ledger.open", "lineage.read", "spill.report"}
)


class Gate(Core):
    """The only maker of sessions and flows. `veto`, where wiring has set one, is asked about what the rules permit."""

    veto: Veto | None = None

    def admit(self, credential: Credential) -> Session:
        """The session of whoever shows this. Raises Unauthenticated, Expired or Skewed."""
        return self.directory.admit(credential)

    def chain(self, credential: SignedHead) -> Chain:
        """What verifies the chunks of a body whose head this credential signed, once it has been admitted."""
        return self.directory.chain(credential)

    def service(self, room: str, access: AccessClass) -> Session:
        """A room's own session at one access class: there is no ambient authority."""
        principal = Principal(f"service:{room}", f"service:{room}", access.label, frozenset({"service"}))
        return Session(f"{room}", principal, access.label, access.label)

    async def open(
        self, session: Session, action: Action, acting: Label | None = None, target: Target | None = None
    ) -> Flow:
        """A flow for one action, or the refusal recorded and raised.

        The acting label defaults to the ceiling, with no authorization but those that the session cannot lay down: who
        acts with one says so, since what he then makes is for those alone who have it. Where the action asks for
        integrity, what is not trusted stays out of sight.
        """
        at = acting or session.usual
        decision = decide(session, at, action, target or NOTHING)
        if acting is None and isinstance(decision, Refuse) and decision.rule == "integrity":
            at = trusted(at) | session.floor
            decision = decide(session, at, action, target or NOTHING)
        if isinstance(decision, Refuse):
            await self.refuse(session, at, action, decision)
        if self.veto is not None:
            refusal = self.veto.refuses(session, at, action, target or NOTHING)
            if refusal is not None:
                await self.refuse(session, at, action, refusal)
        if action.name in READS:
            with contextlib.suppress(Damaged):  # what can be read is read; `audit.judged` says what cannot
                await self.folded()
        return Flow(self, session, action, at)
