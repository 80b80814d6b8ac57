"""The banner of a document of any other policy: the join of its portions, written by the policy's own projection.

The highest level, all RESTRICTIVE tokens, the PERMISSIVE ones that are common. A name that no site has declared is no
part of a label, and still stands in the banner: it must never be dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from casemate.labels.label import Element
from casemate.labels.mark import Mark
from casemate.labels.marking import ordered
from casemate.labels.policy import Policy
from casemate.labels.projection import mark_of
from casemate.labels.rollup.reason import Reason

__all__ = ["plain"]

Weighed = Mapping[Mark, Sequence[int]]


def plain(policy: Policy, weighed: Weighed, elements: Sequence[Element]) -> tuple[Mark, list[Reason]]:
    """The banner over these marks of one policy, and the reasons. `elements`: what each of them says of access."""
    written = mark_of(policy, reduce(Element.join, elements))
    borne: dict[tuple[str, str], list[int]] = {}
    for mark, at in weighed.items():
        for category, tokens in mark.values:
            for token in tokens:
                borne.setdefault((category, token), []).extend(at)
    restrictive = [category for category in policy.categories if not category.permissive]
    undeclared = {c.name: [t for name, t in borne if name == c.name and t not in c.tokens] for c in restrictive}
    values = dict(written.values)
    for name, names in undeclared.items():
        values[name] = (*values.get(name, ()), *names)
    kept = tuple((c.name, values[c.name]) for c in policy.categories if values.get(c.name))
    banner = ordered(policy, Mark(policy.name, written.level, kept, written.owners))
    return banner, _reasons(policy, weighed, banner, borne)


def _reasons(
    policy: Policy, weighed: Weighed, banner: Mark, borne: Mapping[tuple[str, str], list[int]]
) -> list[Reason]:
    at_level = sorted(index for mark, at in weighed.items() if mark.level == banner.level for index in at)
    found = [Reason("level", "put", banner.level, policy.source, tuple(at_level), policy.name)]
    shown = {(name, token) for name, tokens in banner.values for token in tokens}
    for name, token in sorted(shown | borne.keys()):
        category = policy.by_name[name]
        where = tuple(sorted(borne.get((name, token), ())))
        put = (name, token) in shown
        rule = "common" if category.permissive else "union" if put else "superseded"
        found.append(Reason(rule, "put" if put else "taken", token, policy.source, where, policy.name))
    return found
