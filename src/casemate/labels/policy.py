"""Policy: the words of one marking system, read from a TOML file and checked. Policies are data.

It says which levels and tokens there are and what the source says of each. It must never decide who may see what, nor
relate one policy to another: an equivalence would need an agreement, and a file that states it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from casemate.errors import Misconfigured
from casemate.labels.colour import legible
from casemate.labels.label import CATEGORY, LEVEL, POLICY, TOKEN, Element

__all__ = ["Category", "Control", "Family", "Level", "Listing", "Policy", "extended", "read_policy"]


@dataclass(frozen=True, slots=True)
class Level:
    """`banner` by language; `also` is read and never written; `colour` is (background, foreground).

    `legacy` are withdrawn markings: read, so that they are not passed over, but never as right ones.
    """

    name: str
    portion: str
    banner: Mapping[str, str]
    also: tuple[str, ...]
    legacy: frozenset[str]
    colour: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Control:
    """A token, or the mark that stands for a PERMISSIVE set, with what the source says of its use.

    `levels`: where it may be used, empty = anywhere. `evicted`: not written elsewhere, nor beside `evicted_with`.
    `instead`: it is written in the place of the bottom level's name.
    """

    name: str
    banner: Mapping[str, str]
    portion: str
    also: tuple[str, ...] = ()
    order: int = 0
    levels: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    evicted: bool = False
    evicted_with: frozenset[str] = frozenset()
    instead: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Names that a site may declare in a category, and what the source says of all of them."""

    match: re.Pattern[str]
    levels: frozenset[str]
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """How a PERMISSIVE set of more than its owner is written."""

    prefix: Mapping[str, str]
    portion: str
    also: tuple[str, ...]
    order: int
    owner_first: bool


@dataclass(frozen=True, slots=True)
class Category:
    """RESTRICTIVE (all needed) or PERMISSIVE (any one is enough).

    PERMISSIVE: `owner` is in every set that is not empty; from `owner_from` an element without the category means the
    owner alone; `only` writes that, `listing` writes more; `expand` gives the members of a token.
    """

    name: str
    permissive: bool
    section: int
    tokens: Mapping[str, Control]
    tree: bool = False
    families: tuple[Family, ...] = ()
    owner: str = ""
    owner_from: int | None = None
    only: Control | None = None
    listing: Listing | None = None
    expand: Mapping[str, frozenset[str]] = field(default_factory=dict)
    incomplete: frozenset[str] = frozenset()
    glue: str = "//"
    glued: tuple[str, ...] = ()
    alone: bool = False

    def owned(self, level: int) -> bool:
        """Whether an element of this level that lacks the category means the owner alone."""
        return self.owner_from is not None and level >= self.owner_from


@dataclass(frozen=True)
class Policy:
    """One marking system. `common`: its words are ordinary ones; `leading`: its marks may open with "//".

    `foreign`: what opens with "//" is another's mark or a joint one, which this policy recognises and does not read.
    """

    name: str
    version: str
    title: Mapping[str, str]
    source: str
    levels: tuple[Level, ...]
    categories: tuple[Category, ...]
    common: bool = False
    leading: bool = False
    foreign: bool = False

    @cached_property
    def bottom(self) -> Element:
        return Element(0, self.levels[0].name)

    @cached_property
    def top(self) -> Element:
        """The highest level, every declared token, and nobody in any PERMISSIVE set: it dominates all."""
        tokens = frozenset((c.name, token) for c in self.categories if not c.permissive for token in c.tokens)
        nobody = tuple(sorted((c.name, frozenset[str]()) for c in self.categories if c.permissive))
        return Element(len(self.levels) - 1, self.levels[-1].name, tokens, nobody)

    @cached_property
    def ranks(self) -> dict[str, int]:
        return {level.name: rank for rank, level in enumerate(self.levels)}

    @cached_property
    def by_name(self) -> dict[str, Category]:
        return {category.name: category for category in self.categories}


def read_policy(text: str, where: str) -> Policy:
    """A policy from TOML. Misconfigured, naming `where`, if it is not one."""
    try:
        policy = _policy(tomllib.loads(text))
        _check(policy)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise Misconfigured(setting=where, why=f"not a policy: {type(error).__name__}: {error}") from None
    return policy


def extended(policy: Policy, added: Mapping[str, Sequence[str]], where: str) -> Policy:
    """The policy with a site's own tokens by category; each must belong to a family that the policy opens."""
    categories = {category.name: category for category in policy.categories}
    for name, tokens in added.items():
        category = categories.get(name)
        if category is None:
            raise Misconfigured(setting=where, why=f"policy {policy.name} has no category {name}")
        controls = dict(category.tokens)
        for token in tokens:
            controls[token] = _declared(category, token, where)
        categories[name] = replace(category, tokens=controls)
    grown = replace(policy, categories=tuple(categories.values()))
    try:
        _check(grown)
    except ValueError as error:
        raise Misconfigured(setting=where, why=str(error)) from None
    return grown


def _declared(category: Category, token: str, where: str) -> Control:
    for family in category.families:
        if family.match.fullmatch(token):
            return Control(token, {"en": token}, token, levels=family.levels, requires=family.requires)
    raise Misconfigured(setting=where, why=f"{token} is not a name that {category.name} leaves to a site")


def _policy(data: dict[str, Any]) -> Policy:
    levels = tuple(_level(each) for each in data["levels"])
    ranks = {level.name: rank for rank, level in enumerate(levels)}
    return Policy(
        name=data["name"],
        version=data["version"],
        title=dict(data["title"]),
        source=data["source"],
        levels=levels,
        categories=tuple(_category(each, ranks) for each in data.get("categories", ())),
        common=bool(data.get("common", False)),
        leading=bool(data.get("leading", False)),
        foreign=bool(data.get("foreign", False)),
    )


def _level(data: dict[str, Any]) -> Level:
    background, foreground = data["colour"]
    return Level(
        name=data["name"],
        portion=data["portion"],
        banner={"en": data["name"]} | data.get("banner", {}),
        also=tuple(data.get("also", ())),
        legacy=frozenset(data.get("legacy", ())),
        colour=(legible(background, foreground)),
    )


def _control(data: dict[str, Any] | str) -> Control:
    if isinstance(data, str):
        data = {"name": data}
    name = data["name"]
    return Control(
        name=name,
        banner={"en": name} | data.get("banner", {}),
        portion=data.get("portion", name),
        also=tuple(data.get("also", ())),
        order=data.get("order", 0),
        levels=frozenset(data.get("levels", ())),
        requires=tuple(data.get("requires", ())),
        evicted=bool(data.get("evicted", False)),
        evicted_with=frozenset(data.get("evicted_with", ())),
        instead=bool(data.get("instead", False)),
    )


def _category(data: dict[str, Any], ranks: Mapping[str, int]) -> Category:
    listing = data.get("list")
    families = data.get("families", ())
    kinds = {"restrictive": False, "permissive": True}
    return Category(
        name=data["name"],
        permissive=kinds[data["type"]],
        section=data["section"],
        tokens={control.name: control for control in map(_control, data["tokens"])},
        tree=bool(data.get("tree", False)),
        families=tuple(
            Family(re.compile(f["match"]), frozenset(f.get("levels", ())), tuple(f.get("requires", ())))
            for f in families
        ),
        owner=data.get("owner", ""),
        owner_from=ranks[data["owner_from"]] if "owner_from" in data else None,
        only=_control(data["only"]) if "only" in data else None,
        listing=Listing(
            prefix=dict(listing["prefix"]),
            portion=listing["portion"],
            also=tuple(listing.get("also", ())),
            order=listing["order"],
            owner_first=bool(listing.get("owner_first", False)),
        )
        if listing
        else None,
        expand={name: frozenset(members) for name, members in data.get("expand", {}).items()},
        incomplete=frozenset(data.get("incomplete", ())),
        glue=data.get("glue", "//"),
        glued=tuple(data.get("glued", ())),
        alone=bool(data.get("alone", False)),
    )


def _check(policy: Policy) -> None:
    """ValueError where the file contradicts itself or could not be written in a label's text."""
    _must(bool(POLICY.fullmatch(policy.name)) and policy.name != "agency", f"a policy cannot be named {policy.name}")
    _must({"en", "fr"} <= policy.title.keys(), "the title is told in en and fr")
    _must(len(policy.ranks) == len(policy.levels) > 0, "levels are one or more, each once")
    _must(len(policy.by_name) == len(policy.categories), "a category is named once")
    for level in policy.levels:
        _must(bool(LEVEL.fullmatch(level.name)), f"a level cannot be named {level.name}")
    for category in policy.categories:
        _must(bool(CATEGORY.fullmatch(category.name)), f"a category cannot be named {category.name}")
        _must(category.permissive == bool(category.owner), f"{category.name}: a permissive category has an owner")
        _must(not category.owner or category.owner in category.tokens, f"{category.name}: the owner is a token")
        members = frozenset[str]().union(*category.expand.values())
        _must(members <= category.tokens.keys() >= category.expand.keys(), f"{category.name}: expand names tokens")
        for token, control in category.tokens.items():
            _must(bool(TOKEN.fullmatch(token)), f"{category.name}: a token cannot be named {token}")
            _must(control.levels <= policy.ranks.keys(), f"{token}: levels are the policy's")
            parent = token.rpartition("-")[0]
            _must(not (category.tree and parent) or parent in category.tokens, f"{token}: {parent} is not declared")


def _must(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)
