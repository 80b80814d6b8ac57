"""Who could read this, and why not: every rule of `decide` that concerns reading, asked of one principal. Pure.

`decide` stops at the first rule that says no. Here all of them are told, and a no by labels is taken apart: which
level, which category, whose agency, which authorization is missing. The principal acts as high as he may, with all that
he may. It says yes exactly where `decide` would permit; the tests hold it to that. It must never be asked about a
principal, nor told of a label or a need, that the asker does not see: who that is, is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from casemate.identity import Principal
from casemate.labels import Element, Label
from casemate.policy.actions import ACTIONS
from casemate.policy.need import Need

__all__ = ["Explained", "Why", "explain"]

What = Literal["level", "category", "released", "agency", "authorization", "expression", "role", "unknown"]


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for a no: the rule of `decide`, what is missing, and in which words of which policy.

    level: `asked` is the level's name, `has` the principal's. category: `asked` are tokens that he lacks. released:
    `asked` is to whom it is released, `has` for whom he stands. agency, authorization: what he lacks; expression: what
    is not satisfied. role: `asked` are the roles that may.
    """

    rule: str
    what: What
    policy: str = ""
    category: str = ""
    asked: str = ""
    has: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """Yes, or every reason for a no in the order of the rules; `rule` is the first, as `decide` would give it."""

    principal: str
    reads: bool
    why: tuple[Why, ...] = field(default=())

    @property
    def rule(self) -> str:
        return self.why[0].rule if self.why else ""


def explain(principal: Principal, label: Label, need: Need, action: str = "document.read") -> Explained:
    """Whether he could do that with what bears this label and is for those who need to know."""
    why = (*_action(action), *_labels(label, principal.clearance), *_needs(label, need, principal))
    rule = ACTIONS.get(action)
    if rule is not None and principal.roles.isdisjoint(rule.roles):
        why = (*why, Why("role", "role", asked=", ".join(sorted(rule.roles)), has=", ".join(sorted(principal.roles))))
    return Explained(principal.name, not why, why)


def _action(action: str) -> Iterator[Why]:
    if action not in ACTIONS:
        yield Why("no-rule", "unknown", asked=action)


def _labels(label: Label, clearance: Label) -> Iterator[Why]:
    """What of the label, its needs apart, the clearance does not dominate."""
    held = dict(clearance.elements)
    for policy, asked in label.elements:
        yield from _element(policy, asked, held.get(policy, _BOTTOM))
    agencies = label.agencies - clearance.agencies
    if agencies:
        yield Why("no-read-up", "agency", asked=", ".join(sorted(agencies)), has=", ".join(sorted(clearance.agencies)))


_BOTTOM = Element(0, "")


def _element(policy: str, asked: Element, has: Element) -> Iterator[Why]:
    if asked.level > has.level:
        yield Why("no-read-up", "level", policy, asked=asked.level_name, has=has.level_name)
    missing: dict[str, list[str]] = {}
    for category, token in sorted(asked.restrictive - has.restrictive):
        missing.setdefault(category, []).append(token)
    for category, tokens in missing.items():
        yield Why("no-read-up", "category", policy, category, ", ".join(tokens))
    own = dict(has.permissive)
    for category, to in asked.permissive:
        stands = own.get(category)
        if stands is None or not stands <= to:
            told = ", ".join(sorted(stands or ()))
            yield Why("no-read-up", "released", policy, category, ", ".join(sorted(to)), told)


def _needs(label: Label, need: Need, principal: Principal) -> Iterator[Why]:
    has = principal.clearance.needs
    lacking = label.needs - has
    if lacking:
        yield Why("need", "authorization", asked=", ".join(sorted(lacking)), has=", ".join(sorted(has)))
    if not need.allows(has):
        yield Why("need", "expression", asked=need.text, has=", ".join(sorted(has)))
