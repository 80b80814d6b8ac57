"""Between what is written and what governs access: a mark's label, and the mark that a label is written as.

Both are projections. A mark may say more than access needs (whose source it is, to whom it may be shown): a label does
not hold it. A label may hold what no marking says: its mark is never below it, and never opens more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.label import Element
from casemate.labels.mark import Mark
from casemate.labels.marking import ordered
from casemate.labels.policy import SAME, Category, Control, Policy

__all__ = ["Projection", "canonical", "evicted", "mark_of"]

_Elements = dict[str, Element]


@dataclass(frozen=True, slots=True)
class Projection:
    """From marks to elements of labels. A mark of one policy may say something in another: NATO's in a US document."""

    policies: Mapping[str, Policy]

    def elements(self, mark: Mark) -> _Elements:
        """The elements that a mark says. MarkingError if it says what no label can hold."""
        elements, whys = self.understood(mark)
        if whys:
            raise MarkingError(marking=shown(mark.level), why=whys[0])
        return elements

    def understood(self, mark: Mark, *, closed: bool = False) -> tuple[_Elements, list[str]]:
        """What of a mark a label can hold, and why not the rest, which then opens nothing to anyone. Never raises.

        `closed`: it opens nothing to anyone anyway, because the marking is in doubt.
        """
        policy = self.policies[mark.policy]
        whys = list(_unheld(policy, mark))
        elements: _Elements = {}
        for name, level, tokens in _brought(policy, mark):
            if name in self.policies:
                elements[name] = _other(policy, self.policies[name], level, tokens)
            else:
                whys.append(f"no policy {name} to hold it")
        own = _element(policy, mark, closed=closed or bool(whys))
        if own is not None:
            elements[policy.name] = own
        return elements, whys


def _unheld(policy: Policy, mark: Mark) -> Iterator[str]:
    if policy.foreign and mark.owners == (policy.foreign.joint,):
        yield f"{policy.foreign.joint} alone does not say whose"
    for name, tokens in mark.values:
        category = policy.by_name[name]
        if tokens == (SAME,):
            yield f"{category.listing.same if category.listing else name} alone does not say to whom"
        elif not category.listing:
            for token in tokens:
                if token not in category.tokens and not (category.only and token == category.owner):
                    yield f"unknown control {shown(token)}: no site declares it"


def _brought(policy: Policy, mark: Mark) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(policy, level of ours, tokens) that other policies are to hold."""
    if policy.foreign is None:
        return
    controls = tuple(t for name, tokens in mark.values if policy.by_name[name].foreign for t in tokens)
    owner = policy.foreign.others.get(mark.owners[0]) if len(mark.owners) == 1 else None
    if owner is not None:
        yield owner.policy, mark.level, controls
        return
    if controls:
        for other in policy.foreign.others.values():
            yield other.policy, mark.level, controls
        return
    for name, tokens in mark.values:
        for token in tokens:
            if token in policy.by_name[name].brings:
                other_policy, level = policy.by_name[name].brings[token]
                yield other_policy, level, ()


def _other(policy: Policy, other: Policy, level: str, tokens: tuple[str, ...]) -> Element:
    """An element of the other policy: the level that it names so, its own tokens, and its owner alone."""
    assert policy.foreign is not None
    names = next(each.levels[level] for each in policy.foreign.others.values() if each.policy == other.name)
    rank = next((at for at, each in enumerate(other.levels) if names[0] in each.banner.values()), len(other.levels) - 1)
    held = frozenset((c.name, token) for c in other.categories for token in tokens if token in c.held())
    opened = tuple(sorted((c.name, frozenset([c.owner])) for c in other.categories if c.permissive and c.owned(rank)))
    return Element(rank, other.levels[rank].name, held, opened)


def _element(policy: Policy, mark: Mark, *, closed: bool) -> Element | None:
    """The policy's own element; None if another owner's policy says it all."""
    foreign = policy.foreign
    elsewhere = foreign is not None and len(mark.owners) == 1 and mark.owners[0] in foreign.others
    said = [(policy.by_name[name], tokens) for name, tokens in mark.values if not policy.by_name[name].foreign]
    if elsewhere and not said:
        return None
    rank = 0 if elsewhere else policy.rank(mark.level) or 0
    held: set[tuple[str, str]] = set()
    opened: dict[str, frozenset[str]] = {}
    shut: set[str] = set()
    decided = {category.whole.decides for category, _ in said if category.whole}
    if foreign is not None and mark.owners and not elsewhere:
        held.add((foreign.sources, policy.by_name[foreign.sources].held_as))
    for category, tokens in said:
        into = category.name if category.permissive else category.into
        if into:
            target = policy.by_name[into]
            opened[into] = _allowed(target, category, tokens)
        elif category.held_as:
            held.add((category.name, category.held_as))
        else:
            kept = category.held()
            held.update((category.name, token) for token in tokens if token in kept)
            controls = [control for control in map(category.tokens.get, tokens) if control is not None]
            shut.update(control.closes for control in controls)
            decided.update(control.decides for control in controls)
    for category in policy.categories:
        if not category.permissive:
            continue
        if category.name in opened or category.name in shut | decided or category.owned(rank):
            alone = closed or category.name in shut or category.name not in opened
            if alone and opened.get(category.name) != frozenset():
                opened[category.name] = frozenset([category.owner])
    return Element(rank, policy.levels[rank].name, frozenset(held), tuple(sorted(opened.items())))


def _allowed(target: Category, category: Category, tokens: tuple[str, ...]) -> frozenset[str]:
    if category.exact and target.owner not in tokens:
        return frozenset()  # every set holds its owner: the next above one that may not is nobody's
    reached = {target.owner}
    for token in tokens:
        if token in target.tokens:
            reached |= category.expand.get(token, {token})
    return frozenset(reached)


def mark_of(policy: Policy, element: Element) -> Mark:
    """The mark that an element is written as.

    A set that cannot be written is written as the owner alone. What gives no access rule is not written where all of it
    is held: that is a clearance, which covers it, and not a source that says it.
    """
    values: dict[str, list[str]] = {}
    open_to = dict(element.permissive)
    covered = bool(policy.free) and policy.free <= element.restrictive
    for category in policy.categories:
        if category.permissive:
            continue
        held = sorted(token for name, token in element.restrictive if name == category.name)
        names = [token for token in held if not (covered and (category.name, token) in policy.free)]
        shown = [token for token in names if not _unwritten(category, token, names, element)]
        if shown:
            values[category.name] = shown
    for category in policy.categories:
        if category.permissive and category.name in open_to:
            _open(policy, category, open_to[category.name], values, element.level)
    return ordered(policy, Mark(policy.name, element.level_name, tuple((n, tuple(t)) for n, t in values.items())))


def _unwritten(category: Category, token: str, names: list[str], element: Element) -> bool:
    below = category.tree and any(other.startswith(f"{token}-") for other in names)
    return evicted(category.tokens[token], element) and not below


def evicted(control: Control, element: Element) -> bool:
    """Whether the source takes this control out of a marking of that element."""
    beside = any(token in control.evicted_with for _, token in element.restrictive)
    return control.evicted and (element.level_name not in control.levels or beside)


def _open(
    policy: Policy, category: Category, allowed: frozenset[str], values: dict[str, list[str]], level: int
) -> None:
    if category.listing and {category.owner} < allowed:
        group = next((name for name in sorted(category.expand) if category.expand[name] == allowed), "")
        others = [group] if group else sorted(allowed - {category.owner})
        values[category.name] = [category.owner, *others] if category.listing.owner_first else others
    elif category.only:
        values[category.name] = [category.owner]
    elif category.only_as:
        _shut(policy, category.name, category.only_as, values, level)


def _shut(policy: Policy, name: str, only: tuple[str, str], values: dict[str, list[str]], level: int) -> None:
    """The token that says "its owner alone", unless another that is written says it too: SBU NOFORN."""
    closing = [
        (category, control)
        for category in policy.categories
        for control in map(category.tokens.get, values.get(category.name, ()))
        if control is not None and control.closes == name
    ]
    if closing and level == 0:
        return
    for category, control in closing:
        tokens = [control.split if token == control.name else token for token in values[category.name]]
        values[category.name] = list(dict.fromkeys(tokens))
    values.setdefault(only[0], []).append(only[1])


def canonical(policy: Policy, level: str, categories: Mapping[str, frozenset[str]]) -> Element | None:
    """The element of a label's own text; None if the policy does not declare a name in it.

    What the policy closes stays closed: an owned category that is absent means the owner alone, a set that is not empty
    holds its owner, and a compartment brings its system.
    """
    rank = policy.ranks.get(level)
    if rank is None or not categories.keys() <= policy.by_name.keys():
        return None
    restrictive: set[tuple[str, str]] = set()
    permissive: dict[str, frozenset[str]] = {}
    for name, tokens in categories.items():
        category = policy.by_name[name]
        named = category.tokens.keys() if category.permissive else category.held()
        if category.informative or not tokens <= named or not (tokens or category.permissive):
            return None
        if not category.permissive:
            restrictive |= {(name, each) for token in tokens for each in category.closure(token)}
        elif tokens and category.owner not in tokens:
            return None
        else:
            permissive[name] = tokens
    for category in policy.categories:
        if category.permissive and category.owned(rank):
            permissive.setdefault(category.name, frozenset([category.owner]))
    return Element(rank, level, frozenset(restrictive), tuple(sorted(permissive.items())))
