"""A second opinion that can only refuse: asked once of a request that `decide` has permitted, never of a row. A port.

What it is told are facts of the caller's own session and request: who he is, his roles and clearance, the session's
range, the acting label, the action and whose it is that is named. Nothing of any object, of other sessions or of the
world above: so its answer tells nothing that the caller does not know, and needs no label of its own. It is told
nothing secret either: no credential, no text. A service of the region acts for nobody and is not asked about; neither
is a public page's visitor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from casemate.identity import ROLES, Session
from casemate.labels import Label
from casemate.policy.actions import ACTIONS
from casemate.policy.decision import Action, Refuse, Target

__all__ = ["Asked", "LabelFacts", "Veto", "asked", "schema"]

VISITOR = "visitor"  # whose flow opens the pages that anybody may see


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """A label in parts: "us:SECRET", "us:SCI=SI" and "us:REL=FRA" for each element, agencies, authorizations."""

    text: str
    levels: tuple[str, ...]
    categories: tuple[str, ...]
    releasable: tuple[str, ...]
    agencies: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a veto is told. `owner` is "" where what is named is nobody's or is not known; `mine`, where it is his."""

    principal: str
    name: str
    roles: tuple[str, ...]
    clearance: LabelFacts
    session: str
    floor: LabelFacts
    ceiling: LabelFacts
    acting: LabelFacts
    action: str
    owner: str
    mine: bool


class Veto(Protocol):
    """Must answer at once, from memory, and refuse where it cannot tell."""

    def refuses(self, session: Session, acting: Label, action: Action, target: Target) -> Refuse | None:
        """Why not, or None. Its facts are of its own policy and of what it was told."""
        ...


def asked(session: Session, acting: Label, action: Action, target: Target) -> Asked | None:
    """The facts, or None where nobody is to be asked."""
    principal = session.principal
    if "service" in principal.roles or session.id == VISITOR:
        return None
    return Asked(
        principal=principal.id,
        name=principal.name,
        roles=tuple(sorted(principal.roles)),
        clearance=_facts(principal.clearance),
        session=session.id,
        floor=_facts(session.floor),
        ceiling=_facts(session.ceiling),
        acting=_facts(acting),
        action=action.name,
        owner=target.owner,
        mine=target.owner == principal.id,
    )


def _facts(label: Label) -> LabelFacts:
    levels, categories, releasable = [], [], []
    for policy, element in label.elements:
        levels.append(f"{policy}:{element.level_name}")
        categories += [f"{policy}:{category}={token}" for category, token in sorted(element.restrictive)]
        releasable += [f"{policy}:{category}={to}" for category, every in element.permissive for to in sorted(every)]
    agencies, needs = tuple(sorted(label.agencies)), tuple(sorted(label.needs))
    return LabelFacts(label.text, tuple(levels), tuple(categories), tuple(releasable), agencies, needs)


def schema() -> str:
    """The entity model that policies are written for, as a Cedar schema: these actions, and no other."""
    actions = ",\n    ".join(f'"{name}"' for name in sorted(ACTIONS))
    roles = ", ".join(ROLES)
    return f"""// The entity model of Casemate. Facts are those of the caller's own session and request.
namespace Casemate {{
  type Label = {{
    text: String,            // canonical: "agency=LOCAL + us:SECRET//REL=USA"
    levels: Set<String>,     // "us:SECRET"
    categories: Set<String>, // "us:SCI=SI"
    releasable: Set<String>, // "us:REL=FRA"
    agencies: Set<String>,
    needs: Set<String>,      // authorizations
  }};
  entity Principal = {{
    name: String,
    roles: Set<String>,      // {roles}
    clearance: Label,
  }};
  entity Request = {{
    owner: String,           // the principal whose it is that is named, or ""
    mine: Bool,
  }};
  action
    {actions}
  appliesTo {{
    principal: [Principal],
    resource: [Request],
    context: {{ session: String, floor: Label, ceiling: Label, acting: Label }},
  }};
}}
"""
