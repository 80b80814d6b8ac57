"""What is asked of the policy, and its two answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from casemate.labels import Label
from casemate.policy.need import Need

__all__ = ["Action", "Decision", "Permit", "Refuse", "Target"]

EVERYBODY = Need()


@dataclass(frozen=True, slots=True)
class Action:
    """A verb on a kind, e.g. Action("read", "document")."""

    verb: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.verb}"


@dataclass(frozen=True, slots=True)
class Target:
    """What the action is done to: nothing yet (None), an object to read, or a label to write at.

    `need` is what one needs to know beside the label that is read. `ceiling` is the accreditation of whatever the value
    would be lent to, and `outside` says that it lies outside the region, so that lending to it is a re-release:
    `originators` must approve that, and `approved` are those who have. `owner` is the principal whose it is.
    """

    reads: Label | None = None
    writes: Label | None = None
    lends: Label | None = None
    ceiling: Label | None = None
    owner: str = ""
    need: Need = EVERYBODY
    outside: bool = False
    originators: frozenset[str] = frozenset()
    approved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes, by this rule."""

    rule: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, by this rule. `facts` come from the caller's own session and request alone."""

    rule: str
    facts: dict[str, str] = field(default_factory=dict)
    face: Literal["refused", "absent"] = "refused"


Decision = Permit | Refuse
