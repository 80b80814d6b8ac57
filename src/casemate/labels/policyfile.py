"""Policy files: a policy from TOML, checked, and a site's additions to it. Pure: whoever calls has read the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from casemate.errors import Misconfigured
from casemate.labels.colour import legible
from casemate.labels.label import CATEGORY, LEVEL, POLICY, TOKEN
from casemate.labels.policy import Category, Control, Family, Foreign, Level, Listing, Other, Policy, undeclared

__all__ = ["extended", "read_policy"]

_KINDS = {"restrictive": 0, "permissive": 1, "informative": 2}


def read_policy(text: str, where: str) -> Policy:
    """A policy from TOML. Misconfigured, naming `where`, if it is not one."""
    try:
        policy = _policy(tomllib.loads(text))
        _check(policy)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise Misconfigured(setting=where, why=f"not a policy: {type(error).__name__}: {error}") from None
    return policy


def extended(
    policy: Policy,
    added: Mapping[str, Sequence[str | Mapping[str, Any]]],
    groups: Mapping[str, Mapping[str, Sequence[str]]],
    where: str,
) -> Policy:
    """The policy with a site's own tokens, and its groups of recipients with their members, by category.

    A token must belong to a family that the policy opens; a group's members must be declared.
    """
    categories = {category.name: category for category in policy.categories}
    for name in (*added, *groups):
        if name not in categories:
            raise Misconfigured(setting=where, why=f"policy {policy.name} has no category {name}")
    for name, tokens in added.items():
        category = categories[name]
        controls = dict(category.tokens)
        for control in (_declared(category, token, where) for token in tokens):
            controls[control.name] = control
        categories[name] = replace(category, tokens=controls)
    for name, members in groups.items():
        categories[name] = _grouped(categories[name], members, where)
    grown = _linked(replace(policy, categories=tuple(categories.values())))
    try:
        _check(grown)
    except ValueError as error:
        raise Misconfigured(setting=where, why=str(error)) from None
    return grown


def _declared(category: Category, said: str | Mapping[str, Any], where: str) -> Control:
    """A site's name, with what else it is written as: { name = "BP", also = ["BUTTER POPCORN"] }."""
    token, also = (said, ()) if isinstance(said, str) else (said["name"], tuple(said.get("also", ())))
    family = category.family(token)
    if family is not None:
        return replace(undeclared(family, token), also=also)
    raise Misconfigured(setting=where, why=f"{token} is not a name that {category.name} leaves to a site")


def _grouped(category: Category, groups: Mapping[str, Sequence[str]], where: str) -> Category:
    """A tetragraph and who is in it. A group that the policy has already keeps its members: they are the source's."""
    if not category.permissive:
        raise Misconfigured(setting=where, why=f"{category.name} has no groups of recipients")
    if not groups.keys().isdisjoint(category.expand):
        raise Misconfigured(setting=where, why=f"{category.name}: the members of {min(groups)} are the policy's own")
    controls = {name: Control(name, {"en": name}, name) for name in groups if name not in category.tokens}
    expand = {name: frozenset(members) for name, members in groups.items()}
    return replace(category, tokens={**category.tokens, **controls}, expand={**category.expand, **expand})


def _policy(data: dict[str, Any]) -> Policy:
    levels = tuple(_level(each) for each in data["levels"])
    ranks = {level.name: rank for rank, level in enumerate(levels)}
    return _linked(
        Policy(
            name=data["name"],
            version=data["version"],
            title=dict(data["title"]),
            source=data["source"],
            levels=levels,
            categories=tuple(_category(each, ranks) for each in data.get("categories", ())),
            common=bool(data.get("common", False)),
            leading=bool(data.get("leading", False)),
            aside=bool(data.get("aside", False)),
            foreign=_foreign(data["foreign"], levels) if "foreign" in data else None,
        )
    )


def _linked(policy: Policy) -> Policy:
    """Lists that name the tokens of another category are given them."""
    linked = []
    for category in policy.categories:
        named = policy.by_name[category.of] if category.of else category
        codes = named.tokens if category.listing else {}
        linked.append(replace(category, codes=codes, expand=named.expand, first=named.owner))
    return replace(policy, categories=tuple(linked))


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
        legacy=tuple(data.get("legacy", ())),
        order=data.get("order", 0),
        levels=frozenset(data.get("levels", ())),
        requires=tuple(data.get("requires", ())),
        excludes=tuple(data.get("excludes", ())),
        wants=tuple(data.get("wants", ())),
        children=data.get("children", ""),
        evicted=bool(data.get("evicted", False)),
        evicted_with=frozenset(data.get("evicted_with", ())),
        split=data.get("split", ""),
        instead=bool(data.get("instead", False)),
        closes=data.get("closes", ""),
        decides=data.get("decides", ""),
        held=bool(data.get("held", True)),
        free=bool(data.get("free", False)),
        root=bool(data.get("root", False)),
        section=data.get("section", 0),
        source=data.get("source", ""),
    )


def _family(data: dict[str, Any]) -> Family:
    written = data.get("written")
    return Family(
        re.compile(data["match"]),
        _control({"name": data.get("prefix", "")} | data),
        re.compile(written) if written else None,
    )


def _listing(data: dict[str, Any]) -> Listing:
    return Listing(
        prefix=dict(data["prefix"]),
        portion=data["portion"],
        also=tuple(data.get("also", ())),
        order=data["order"],
        owner_first=bool(data.get("owner_first", False)),
        separator=data.get("separator", ", "),
        suffix=_by_language(data.get("suffix", {})),
        same=data.get("same", ""),
        as_listed=bool(data.get("as_listed", False)),
    )


def _by_language(said: dict[str, str] | str) -> dict[str, str]:
    return {"en": said} if isinstance(said, str) else dict(said)


def _category(data: dict[str, Any], ranks: Mapping[str, int]) -> Category:
    kind = _KINDS[data["type"]]
    only = data.get("only")
    return Category(
        name=data["name"],
        permissive=kind == 1,
        informative=kind == 2,
        section=data["section"],
        tokens={control.name: control for control in map(_control, data["tokens"])},
        tree=bool(data.get("tree", False)),
        families=tuple(map(_family, data.get("families", ()))),
        prefixes=tuple(data.get("prefixes", ())),
        inner={control.name: control for control in map(_control, data.get("inner", ()))},
        owner=data.get("owner", ""),
        owner_from=ranks[data["owner_from"]] if "owner_from" in data else None,
        only=_control(only) if isinstance(only, dict) else None,
        only_as=(only.split(".")[0], only.split(".")[1]) if isinstance(only, str) else None,
        listing=_listing(data["list"]) if "list" in data else None,
        expand={name: frozenset(members) for name, members in data.get("expand", {}).items()},
        of=data.get("of", ""),
        into=data.get("into", ""),
        exact=bool(data.get("exact", False)),
        held_as=data.get("held_as", ""),
        brings={token: (each["policy"], each["level"]) for token, each in data.get("brings", {}).items()},
        foreign=bool(data.get("foreign", False)),
        whole=_control({"name": data["name"]} | data["whole"]) if "whole" in data else None,
        glue=data.get("glue", "//"),
        glued=tuple(data.get("glued", ())),
        separator=data.get("separator", "/"),
        head=data.get("head", ""),
        alone=bool(data.get("alone", False)),
    )


def _foreign(data: dict[str, Any], own: Sequence[Level]) -> Foreign:
    levels = {level.name: (level.banner["en"], level.portion, level.name) for level in own}
    levels |= {each["name"]: (each["name"], each["portion"], each["held"]) for each in data.get("levels", ())}
    others = {
        owner: Other(each["policy"], {level: (names[0], names[1]) for level, names in each["levels"].items()})
        for owner, each in data.get("others", {}).items()
    }
    return Foreign(
        levels=levels,
        codes=data["codes"],
        sources=data["sources"],
        joint=data["joint"],
        concealed=data["concealed"],
        others=others,
        whole=_control({"name": data["joint"]} | data["whole"]),
        source=data["source"],
    )


def _check(policy: Policy) -> None:
    """ValueError where the file contradicts itself or could not be written in a label's text."""
    _must(bool(POLICY.fullmatch(policy.name)) and policy.name != "agency", f"a policy cannot be named {policy.name}")
    _must({"en", "fr"} <= policy.title.keys(), "the title is told in en and fr")
    _must(len(policy.ranks) == len(policy.levels) > 0, "levels are one or more, each once")
    _must(len(policy.by_name) == len(policy.categories), "a category is named once")
    for level in policy.levels:
        _must(bool(LEVEL.fullmatch(level.name)), f"a level cannot be named {level.name}")
    levels = policy.ranks.keys() | (policy.foreign.levels.keys() if policy.foreign else set())
    written: dict[str, str] = {}
    for category in policy.categories:
        _check_category(category, levels)
        flat = () if category.permissive or category.prefixes else category.tokens.values()
        for way in {way.upper() for control in flat for way in (control.name, control.portion, *control.also)}:
            other = written.setdefault(way, category.name)
            _must(other == category.name, f"{way} is a name of {other} and of {category.name}")


def _check_category(category: Category, levels: set[str]) -> None:
    _must(bool(CATEGORY.fullmatch(category.name)), f"a category cannot be named {category.name}")
    _must(category.permissive == bool(category.owner), f"{category.name}: a permissive category has an owner")
    _must(not category.owner or category.owner in category.tokens, f"{category.name}: the owner is a token")
    members = frozenset[str]().union(*category.expand.values())
    named = category.tokens.keys() | category.codes.keys()
    _must(members <= named >= category.expand.keys(), f"{category.name}: expand names tokens")
    for token, control in category.tokens.items():
        _must(bool(TOKEN.fullmatch(token)), f"{category.name}: a token cannot be named {token}")
        _must(control.levels <= levels, f"{token}: levels are the policy's")
        above = category.parent(token)
        known = not above or above in category.tokens or above in category.inner
        _must(known, f"{token}: {above} is not declared")


def _must(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)
