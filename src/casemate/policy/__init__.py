"""May this session do this? A pure decision with a rule and a reason; nothing here reads or remembers.

MAC first (labels), then the need to know, then roles. Default deny: an action that no rule knows is refused. A refusal
has two faces: where the object is not visible, its face is `absent`, and the caller is told what he would be told of an
id that never was.
"""

from __future__ import annotations

from casemate.policy.actions import ACTIONS, Rule
from casemate.policy.decide import decide
from casemate.policy.decision import Action, Decision, Permit, Refuse, Target
from casemate.policy.need import Need, authorizations
from casemate.policy.origin import originators
from casemate.policy.trust import distrusting, trusted

__all__ = [
    "ACTIONS",
    "Action",
    "Decision",
    "Need",
    "Permit",
    "Refuse",
    "Rule",
    "Target",
    "authorizations",
    "decide",
    "distrusting",
    "originators",
    "trusted",
]
