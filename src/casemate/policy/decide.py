"""The decision itself, rule by rule, in this order; the first that says no is the answer.

Mandatory, by labels:
 1. `acting-label`: floor <= acting label <= ceiling <= clearance. The authorizations with which a request acts are part
    of its label (`Label.needs`); where nothing else stands in the way, it is `acting-needs`.
 2. `no-rule`: the action stands in the table.
 3. `no-read-up`: what is read is dominated by the acting label; else absent.
 4. `no-write-down`: what is written is labelled at least as high as the acting label.
 5. `accreditation`: what is lent is dominated by the ceiling of what it is lent to. A need to know is asked of whoever
    reads, not of an engine inside the region; one outside must be accredited for it by name.
 6. `integrity`: an act that changes the region is done at a label that is trusted enough. Whatever a session has let in
    may have been written to make it act: a document, a tool's result or a model's words can ask for a grant, and the
    label of a request that saw them says that they are no basis for one (Biba: no write up in integrity). Where the
    region does not list the policy `integrity`, no label bears it and nothing is asked.
 7. `orcon`: what leaves the region or its class, and is controlled by originators, has the approval of each of them.
By need to know:
 8. `need`: the acting authorizations satisfy what is read; else absent.
By roles:
 9. `role`: the principal holds a role that the action names.
10. `owner`: for what is another's, he holds a role that may; else absent.

Labels come first because the others could tell: were the role asked first, whoever lacks it would be told `role` of
what is hidden and `absent` of what never was. And no role, however it was granted, is ever weighed against a label.
"""

from __future__ import annotations

from casemate.identity import Session
from casemate.labels import Label
from casemate.policy.actions import ACTIONS, Rule
from casemate.policy.decision import Action, Decision, Permit, Refuse, Target
from casemate.policy.trust import distrust

__all__ = ["decide"]

_PERMITS = {name: Permit(name) for name in ACTIONS}


def decide(session: Session, acting: Label, action: Action, target: Target) -> Decision:
    """Pure: the same arguments give the same answer."""
    principal = session.principal
    if not (session.floor <= acting <= session.ceiling <= principal.clearance):
        return _outside(session, acting)
    name = action.name
    rule = ACTIONS.get(name)
    if rule is None:
        return Refuse("no-rule", {"action": name})
    refusal = _mandatory(acting, rule, target) or _needed(acting, target)
    if refusal is not None:
        return refusal
    roles = principal.roles
    if roles.isdisjoint(rule.roles):
        return Refuse("role", {"action": name, "roles": ", ".join(sorted(rule.roles))})
    if target.owner not in ("", principal.id) and roles.isdisjoint(rule.others):
        return Refuse("owner", {"action": name}, face="absent")
    return _PERMITS[name]


def _outside(session: Session, acting: Label) -> Refuse:
    """Why that is not between what the session may act at."""
    floor, ceiling = session.floor, session.ceiling
    if floor <= acting and not acting.needs <= ceiling.needs and acting.without_needs <= ceiling:
        return Refuse("acting-needs", {"needs": ", ".join(sorted(acting.needs - ceiling.needs))})
    return Refuse("acting-label", {"acting": acting.text, "floor": floor.text, "ceiling": ceiling.text})


def _mandatory(acting: Label, rule: Rule, target: Target) -> Refuse | None:
    if target.reads is not None and not target.reads.without_needs <= acting:
        return Refuse("no-read-up", {"acting": acting.text}, face="absent")
    if target.writes is not None and not acting <= target.writes:
        return Refuse("no-write-down", {"acting": acting.text, "asked": target.writes.text})
    if target.lends is not None and not _accredited(target.lends, target):
        return Refuse("accreditation", {"acting": target.lends.text})
    if rule.integrity is not None and distrust(acting) > rule.integrity:
        return Refuse("integrity", {"acting": acting.text})
    if target.outside and not target.originators <= target.approved:
        return Refuse("orcon", {"originators": ", ".join(sorted(target.originators - target.approved))})
    return None


def _accredited(lends: Label, target: Target) -> bool:
    asked = lends if target.outside else lends.without_needs
    return target.ceiling is not None and asked <= target.ceiling


def _needed(acting: Label, target: Target) -> Refuse | None:
    reads = target.reads
    if (reads is None or reads.needs <= acting.needs) and target.need.allows(acting.needs):
        return None
    return Refuse("need", {"acting": acting.text}, face="absent")
