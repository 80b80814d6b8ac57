"""What a policy's levels, categories and tokens are called in ADatP-4774: `stanag4774.toml`, or else their own names.

    Mark <--> Information        what is written, "Only" lists and all
    Element --> Information --> Element      what governs access, nothing left out

It must never guess: a name that neither the file nor the policy declares is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, NoReturn

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.label import Element
from casemate.labels.listed import Policies
from casemate.labels.mark import Mark
from casemate.labels.policy import Category, Control, Policy

__all__ = [
    "Information",
    "Tagged",
    "element_of",
    "information_of_element",
    "information_of_mark",
    "mark_of_information",
    "policy_of",
]

_RESTRICTIVE, _PERMISSIVE, _INFORMATIVE = "RESTRICTIVE", "PERMISSIVE", "INFORMATIVE"


@dataclass(frozen=True, slots=True)
class Tagged:
    """The values of one tag; `kind` is RESTRICTIVE, PERMISSIVE or INFORMATIVE. No value and PERMISSIVE: nobody."""

    name: str
    kind: str
    values: tuple[str, ...]
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Information:
    """What one policy's label says, in the standard's words."""

    policy: str
    classification: str
    tags: tuple[Tagged, ...] = ()
    uri: str = ""


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    uri: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def value(self, token: str) -> str:
        return self.values.get(token, token)

    def token(self, value: str) -> str:
        """The token of a value; letters are compared without their case."""
        ours = {name.casefold(): token for token, name in self.values.items()}
        return ours.get(value.casefold(), value.upper())


@dataclass(frozen=True, slots=True)
class _Context:
    """The tag that says in which context a label was given: see stanag4774.toml."""

    tag: _Tag
    own: str
    beyond: str
    category: str
    of: str


@dataclass(frozen=True, slots=True)
class _Naming:
    policy: str
    uri: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, _Tag] = field(default_factory=dict)
    implied: frozenset[str] = frozenset()
    context: _Context | None = None

    def tag(self, category: str) -> _Tag:
        return self.tags.get(category) or _Tag(category)


def policy_of(listed: Iterable[Policy], information: Information) -> Policy:
    """The listed policy that a label names. MarkingError if none does."""
    named = information.policy.casefold()
    found = [each for each in listed if named == _naming(each.name).policy.casefold()]
    if not found:
        _refuse(information.policy, "a label of a policy that is not listed")
    return found[0]


def information_of_mark(policy: Policy, mark: Mark) -> Information:
    """A mark of the policy's own, as it is written. MarkingError if another owner's, or of undeclared words."""
    if mark.policy != policy.name or mark.level not in policy.ranks or mark.owners:
        _refuse(f"{mark.policy}:{mark.level}", f"not a mark of the policy {policy.name} alone")
    said = [(policy.by_name[name], tokens) for name, tokens in mark.values]
    reaches = any(_is_list(category) and not category.into and tokens != (category.owner,) for category, tokens in said)
    return _information(policy, mark.level, said, reaches=reaches)


def information_of_element(policy: Policy, element: Element) -> Information:
    """An element, nothing left out. MarkingError if the policy does not declare what it says."""
    if policy.ranks.get(element.level_name) != element.level:
        _refuse(element.level_name, f"not a level of the policy {policy.name}")
    held = {name for name, _ in element.restrictive} | {name for name, _ in element.permissive}
    if held - policy.by_name.keys():
        _refuse(min(held - policy.by_name.keys()), f"not a category of the policy {policy.name}")
    sets = dict(element.permissive)
    said = [
        (category, tuple(sorted(sets[category.name] if category.permissive else _held(element, category.name))))
        for category in policy.categories
        if category.name in held and not _implied(policy, category, element, sets)
    ]
    reaches = any(sets[name] - {policy.by_name[name].owner} for name in sets)
    return _information(policy, element.level_name, said, reaches=reaches)


def mark_of_information(policy: Policy, information: Information) -> Mark:
    """The mark that a label says, its tokens as they are listed. MarkingError for what the policy does not declare."""
    level, said = _said(policy, information)
    written = {name: _written(policy.by_name[name], policy.ranks[level], tokens) for name, tokens in said.items()}
    values = tuple(
        (category.name, written[category.name]) for category in policy.categories if written.get(category.name)
    )
    return Mark(policy.name, level, values)


def element_of(policies: Policies, policy: Policy, information: Information) -> Element:
    """The element that a label says, closed as the policy closes its own.

    MarkingError for what it does not declare, and for recipients that may not have what is of this level.
    """
    level, said = _said(policy, information)
    sets: dict[str, tuple[str, ...]] = {}
    for name, tokens in said.items():
        category = policy.by_name[name]
        target = category.into or name
        if target in sets:
            _refuse(name, "two lists of recipients")
        sets[target] = tokens
        for control in (_control(category, token) for token in tokens if _is_list(category)):
            if control.levels and level not in control.levels:
                _refuse(control.name, f"no recipient of what is {level}")
    written = [f"{name}={','.join(tokens)}" for name, tokens in sets.items()]
    label = policies.parse("//".join([f"{policy.name}:{level}", *written]))
    return dict(label.elements).get(policy.name, policy.bottom)


def _information(
    policy: Policy, level: str, said: Iterable[tuple[Category, tuple[str, ...]]], *, reaches: bool
) -> Information:
    naming = _naming(policy.name)
    tags: list[Tagged] = []
    where: tuple[str, ...] = ()
    for category, tokens in said:
        if naming.context and category.name == naming.context.category:
            where = tokens
            continue
        tag = naming.tag(category.name)
        kinds = {token: _kind(category, _control(category, token)) for token in tokens}
        for kind in dict.fromkeys(kinds.values()) or [_PERMISSIVE]:
            values = tuple(tag.value(token) for token in tokens if kinds[token] == kind)
            tags.append(Tagged(tag.name, kind, values, tag.uri))
    context = [_context(naming.context, where, reaches=reaches)] if naming.context else []
    return Information(naming.policy, naming.levels.get(level, level), (*context, *tags), naming.uri)


def _context(context: _Context, where: tuple[str, ...], *, reaches: bool) -> Tagged:
    if len(where) > 1:  # the tag is PERMISSIVE: to name two would open it to the holders of either
        _refuse(" ".join(where), "two contexts at once, which a label of ADatP-4774 cannot ask for")
    values = [context.tag.value(where[0]) if where else context.own, *([context.beyond] if reaches else [])]
    return Tagged(context.tag.name, _PERMISSIVE, tuple(values), context.tag.uri)


def _said(policy: Policy, information: Information) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The level, and the tokens by category."""
    naming = _naming(policy.name)
    wanted = information.classification.casefold()
    levels = [each.name for each in policy.levels if naming.levels.get(each.name, each.name).casefold() == wanted]
    if not levels:
        _refuse(information.classification, f"not a level of the policy {policy.name}")
    by_tag = {naming.tag(category.name).name.casefold(): category for category in policy.categories}
    said: dict[str, tuple[str, ...]] = {}
    seen: set[tuple[str, str]] = set()
    where: Tagged | None = None
    for tagged in information.tags:
        key = (tagged.name.casefold(), tagged.kind)
        if key in seen:
            _refuse(tagged.name, "a category twice")
        seen.add(key)
        if naming.context and key == (naming.context.tag.name.casefold(), _PERMISSIVE):
            where = tagged
            continue
        category = by_tag.get(key[0])
        if category is None:
            _refuse(tagged.name, f"not a category of the policy {policy.name}")
        said[category.name] = said.get(category.name, ()) + _tokens(category, naming.tag(category.name), tagged)
    if naming.context:
        said |= _where(policy, naming.context, where, said)
    return levels[0], said


def _tokens(category: Category, tag: _Tag, tagged: Tagged) -> tuple[str, ...]:
    tokens = tuple(tag.token(value) for value in tagged.values)
    kinds = {_kind(category, _control(category, token)) for token in tokens} or {_PERMISSIVE}
    if kinds != {tagged.kind} or (not tokens and not category.permissive) or len(set(tokens)) < len(tokens):
        _refuse(f"{tagged.name} {tagged.kind}", "another kind of category here, or a value twice, or none")
    return tokens


def _where(
    policy: Policy, context: _Context, where: Tagged | None, said: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The token of the context's category, if it is not the policy's own. MarkingError if it contradicts the lists."""
    tokens = [context.tag.token(value) for value in where.values] if where else []
    named = [token for token in tokens if token != context.beyond.upper()]
    reaches = set(said.get(context.of, ())) - {policy.by_name[context.of].owner}
    if len(named) > 1 or len(set(tokens)) < len(tokens) or (len(tokens) > len(named)) != bool(reaches):
        _refuse(" ".join(tokens), "a context that contradicts the list of recipients, or several")
    if not named or named == [context.own]:
        return {}
    _control(policy.by_name[context.category], named[0])
    return {context.category: (named[0],)}


def _written(category: Category, rank: int, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """What a marking names of a list: its owner only where that is prescribed, or where nothing would imply it."""
    if not category.permissive or (category.listing and category.listing.owner_first):
        return tokens
    others = tuple(token for token in tokens if token != category.owner)
    return others or (() if category.owned(rank) else tokens)


def _kind(category: Category, control: Control) -> str:
    if _is_list(category):
        return _PERMISSIVE
    return _INFORMATIVE if category.informative or control.free else _RESTRICTIVE


def _is_list(category: Category) -> bool:
    return category.permissive or bool(category.into)


def _control(category: Category, token: str) -> Control:
    found = category.tokens.get(token) or category.codes.get(token)
    if found is None:
        _refuse(token, f"not a value of {category.name}")
    return found


def _held(element: Element, category: str) -> tuple[str, ...]:
    return tuple(token for name, token in element.restrictive if name == category)


def _implied(policy: Policy, category: Category, element: Element, sets: Mapping[str, frozenset[str]]) -> bool:
    implied = category.name in _naming(policy.name).implied
    return implied and category.owned(element.level) and sets[category.name] == {category.owner}


def _naming(policy: str) -> _Naming:
    return _file().get(policy) or _Naming(policy)


@cache
def _file() -> Mapping[str, _Naming]:
    text = resources.files("casemate.labels").joinpath("stanag4774.toml").read_text("utf-8")
    return {name: _read(data) for name, data in tomllib.loads(text).items()}


def _read(data: Mapping[str, Any]) -> _Naming:
    context = data.get("context")
    tags = {name: _Tag(each["tag"], each.get("uri", ""), each.get("values", {})) for name, each in data["tags"].items()}
    return _Naming(
        data["policy"],
        data["uri"],
        data["levels"],
        tags,
        frozenset(data["implied"]),
        _Context(
            _Tag(context["tag"], context["uri"], tags[context["category"]].values),
            context["own"],
            context["beyond"],
            context["category"],
            context["of"],
        )
        if context
        else None,
    )


def _refuse(what: str, why: str) -> NoReturn:
    raise MarkingError(marking=shown(what), why=why)
