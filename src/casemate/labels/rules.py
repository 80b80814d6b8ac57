"""What the source says of a mark as a whole: levels, what a control requires and excludes, what takes its place.

It judges a mark's tokens, not how they are written. `higher` is what contradictory parts leave: never less than either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from casemate.labels.mark import Finding, Mark, Severity
from casemate.labels.policy import Category, Control, Policy

__all__ = ["Breach", "breaches", "check", "higher"]

Values = dict[str, list[str]]


class Breach(NamedTuple):
    """What a control, or a category, does against the source. `drop`: its mark stands higher without it."""

    rule: str
    severity: Severity
    category: str
    control: Control
    facts: tuple[tuple[str, str], ...]
    drop: bool = False


_NONE: list[Breach] = []


def check(policy: Policy, mark: Mark) -> tuple[Finding, ...]:
    """The findings on a mark that no text bears: without a place, nor a fix."""
    values = {name: list(tokens) for name, tokens in mark.values}
    found = breaches(policy, mark.level, values, mark.owners)
    return tuple(Finding(each.rule, each.severity, 0, 0, each.facts, each.control.source) for each in found)


def breaches(policy: Policy, level: str, values: Mapping[str, list[str]], owners: tuple[str, ...]) -> list[Breach]:
    """Everything that the source says against a level, its values and its owners together."""
    present = {token for tokens in values.values() for token in tokens} | values.keys()
    foreign = policy.foreign
    at = foreign.levels[level][2] if owners and foreign and level in foreign.levels else level
    found: list[Breach] = []
    if owners and foreign and _joint(policy, owners):
        found += _breaches("", foreign.whole, foreign.joint, level, present)
    for name, tokens in values.items():
        category = policy.by_name[name]
        if category.whole is not None:
            found += _breaches(name, category.whole, name, at, present)
        if category.listing and name != category.held_as:
            if category.permissive:
                found += _listed(category, tokens, level)
            continue
        for token in tokens:
            control = category.tokens.get(token)
            if control is None:
                family = category.family(token)
                if family is None:
                    continue
                control = family.like
            if control.checked:
                found += _breaches(name, control, token, at, present)
                if control.children:
                    found += _alone(name, control, tokens)
    return found


def _joint(policy: Policy, owners: tuple[str, ...]) -> bool:
    foreign = policy.foreign
    return foreign is not None and (foreign.joint in owners or policy.by_name[foreign.codes].owner in owners)


def _breaches(category: str, control: Control, name: str, level: str, present: set[str]) -> list[Breach]:
    """What a control of that name does against the source: mostly nothing, which is found out quickly."""
    wrong = control.levels and level not in control.levels
    if not wrong and not control.requires and not control.wants and present.isdisjoint(control.rivals):
        return _NONE
    return list(_all(category, control, name, level, present))


def _all(category: str, control: Control, name: str, level: str, present: set[str]) -> Iterator[Breach]:
    if control.levels and level not in control.levels:
        unwritten = control.evicted and bool(present)
        yield Breach("level", "error", category, control, (("control", name), ("level", level)), drop=unwritten)
    if control.requires:
        missing = [each for each in control.requires if each not in present]
        if missing:
            facts = (("control", name), ("needed", ", ".join(missing)))
            yield Breach("requires", "error", category, control, facts)
    for other in control.excludes:
        if other in present:
            yield Breach("excludes", "error", category, control, (("control", name), ("other", other)))
    if control.evicted_with and not control.evicted_with.isdisjoint(present):
        other = min(control.evicted_with & present)
        yield Breach("excludes", "warning", category, control, (("control", name), ("other", other)), drop=True)
    if control.wants and present.isdisjoint(control.wants):
        facts = (("control", name), ("needed", " or ".join(control.wants)))
        yield Breach("requires", "note", category, control, facts)


def _alone(category: str, control: Control, tokens: Iterable[str]) -> Iterator[Breach]:
    if control.children and not any(token.startswith(f"{control.name}-") for token in tokens):
        severity: Severity = "error" if control.children == "error" else "note"
        facts = (("control", control.name), ("needed", "a compartment"))
        yield Breach("requires" if severity == "error" else "legacy", severity, category, control, facts)


def _listed(category: Category, tokens: list[str], level: str) -> Iterator[Breach]:
    """Recipients that may not be named at this level."""
    for token in tokens:
        control = category.tokens.get(token)
        if control is not None and control.levels and level not in control.levels:
            yield Breach("level", "error", category.name, control, (("control", token), ("level", level)))


def higher(policy: Policy, values: Values, found: Iterable[Breach]) -> Values:
    """The values that breaches leave: what is required is added, what would release more than another part is not."""
    raised = {name: list(tokens) for name, tokens in values.items()}
    for each in found:
        if each.severity != "error":
            continue
        if each.rule == "requires":
            for token in dict(each.facts)["needed"].split(", "):
                _require(policy, raised, token)
    _close(policy, raised)
    return raised


def _require(policy: Policy, values: Values, token: str) -> None:
    for category in policy.categories:
        if token in category.tokens and not category.permissive:
            values.setdefault(category.name, [])
            if token not in values[category.name]:
                values[category.name].append(token)
            return


def _close(policy: Policy, values: Values) -> None:
    """What closes a category to all but its owner stands; what would open it, or take its place, does not."""
    present = [(name, token) for name, tokens in values.items() for token in tokens]
    for name, token in present:
        control = policy.by_name[name].tokens.get(token)
        if control is None:
            continue
        for other in control.excludes if control.closes else ():
            _remove(policy, values, other)
        rivals = {each for _, each in present} | values.keys()
        if not control.held and not control.closes and not rivals.isdisjoint(control.excludes):
            _remove(policy, values, token)


def _remove(policy: Policy, values: Values, name: str) -> None:
    if name in policy.by_name:
        values.pop(name, None)
        return
    for category, tokens in list(values.items()):
        if name in tokens:
            tokens.remove(name)
            if not tokens:
                del values[category]
