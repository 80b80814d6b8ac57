"""The decision itself, rule by rule, in this order; the first that says no is the answer.

1. `acting-label`: floor <= acting label <= ceiling <= clearance.
2. `no-rule`: the action stands in the table.
3. `role`: the principal holds a role that the action names; for what is another's, a role that may.
4. `no-read-up`: what is read is dominated by the acting label; else absent.
5. `no-write-down`: what is written is labelled at least as high as the acting label.
6. `accreditation`: what is lent is dominated by the ceiling of what it is lent to.
"""

from __future__ import annotations

from casemate.identity import Session
from casemate.labels import Label
from casemate.policy.actions import ACTIONS
from casemate.policy.decision import Action, Decision, Permit, Refuse, Target

__all__ = ["decide"]


def decide(session: Session, acting: Label, action: Action, target: Target) -> Decision:
    """Pure: the same arguments give the same answer."""
    if not (session.floor <= acting <= session.ceiling <= session.principal.clearance):
        return Refuse(
            "acting-label",
            {"acting": acting.text, "floor": session.floor.text, "ceiling": session.ceiling.text},
        )
    rule = ACTIONS.get(action.name)
    if rule is None:
        return Refuse("no-rule", {"action": action.name})
    roles = session.principal.roles
    if not roles & rule.roles:
        return Refuse("role", {"action": action.name, "roles": ", ".join(sorted(rule.roles))})
    if target.owner not in ("", session.principal.id) and not roles & rule.others:
        return Refuse("owner", {"action": action.name}, face="absent")
    return _mandatory(acting, action, target)


def _mandatory(acting: Label, action: Action, target: Target) -> Decision:
    if target.reads is not None and not target.reads <= acting:
        return Refuse("no-read-up", {"acting": acting.text}, face="absent")
    if target.writes is not None and not acting <= target.writes:
        return Refuse("no-write-down", {"acting": acting.text, "asked": target.writes.text})
    if target.lends is not None and (target.ceiling is None or not target.lends <= target.ceiling):
        return Refuse("accreditation", {"acting": target.lends.text})
    return Permit(action.name)
