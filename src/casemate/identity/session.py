"""Who asks: a principal and the session that acts for him. Only the gate makes sessions."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.labels import Label

__all__ = ["ROLES", "Principal", "Session"]

ROLES = ("user", "officer", "auditor", "operator", "releaser")


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or service: its clearance is the highest label that it may see, with its authorizations (`needs`)."""

    id: str
    name: str
    clearance: Label
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Session:
    """A principal at work between a floor and a ceiling: floor <= acting label <= ceiling <= clearance."""

    id: str
    principal: Principal
    floor: Label
    ceiling: Label
    language: str = "en"
    on_behalf_of: str = ""

    @property
    def usual(self) -> Label:
        """Where it acts unless it says otherwise: its ceiling, with no authorization but those that its floor bears."""
        ceiling = self.ceiling
        return ceiling.without_needs | self.floor if ceiling.needs else ceiling
