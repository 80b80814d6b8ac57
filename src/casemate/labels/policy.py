"""Policy: one marking system as values. A TOML file says what they are (`policyfile`).

It says which levels and tokens there are and what the source says of each. It must never decide who may see what, nor
relate one policy to another: an equivalence would need an agreement, and a file that states it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from casemate.labels.label import Element

__all__ = ["FOREIGN", "SAME", "Category", "Control", "Family", "Foreign", "Level", "Listing", "Other", "Policy"]

FOREIGN = 5  # the section of another owner's own programmes in its marks: the first
SAME = "SAME"  # in a mark, the one token of a list that is "as the banner's": (S//REL)


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

    `levels`: where it may be used, empty = anywhere. `requires`, `excludes`: tokens or categories. `wants`: one of
    these is usual beside it. `children`: how wrong it is to write it without a compartment. `evicted`: not written
    elsewhere, nor beside `evicted_with`; `split`: what is then written of it. `instead`: written in the place of the
    bottom level's name. `legacy`: withdrawn forms of it. `closes`: in a label, the PERMISSIVE category is its owner
    alone; `decides`: it is, unless a list opens it. `held`: a label holds the token. `free`: it gives no access rule,
    so every clearance covers it. `root`: a hyphen in its name is no step of a tree. `section`: where it stands in a
    mark of the policy's own, if not with its category. `rivals`: all that it may not stand beside. `checked`: whether
    anything is said of its use.
    """

    name: str
    banner: Mapping[str, str]
    portion: str
    also: tuple[str, ...] = ()
    legacy: tuple[str, ...] = ()
    order: int = 0
    levels: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    children: str = ""
    evicted: bool = False
    evicted_with: frozenset[str] = frozenset()
    split: str = ""
    instead: bool = False
    closes: str = ""
    decides: str = ""
    held: bool = True
    free: bool = False
    root: bool = False
    section: int = 0
    source: str = ""
    rivals: frozenset[str] = field(init=False, repr=False)
    checked: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rivals", self.evicted_with.union(self.excludes))
        said = self.levels or self.requires or self.wants or self.children or self.rivals
        object.__setattr__(self, "checked", bool(said))

    def written(self, form: str) -> str:
        """In a language ("en", "fr") or as a portion mark has it ("portion")."""
        return self.portion if form == "portion" else self.banner.get(form, self.banner["en"])


@dataclass(frozen=True, slots=True)
class Family:
    """Names that a site may declare in a category, and what the source says of all of them.

    `written`: what an undeclared one looks like without the category's own prefix; nothing matches if there is none.
    """

    match: re.Pattern[str]
    like: Control
    written: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """How a list of recipients or sources is written: prefix, names set apart by the separator, suffix.

    `same`: what a portion mark writes where the list is the banner's. `as_listed`: names stand in the policy's order.
    """

    prefix: Mapping[str, str]
    portion: str
    also: tuple[str, ...]
    order: int
    owner_first: bool
    separator: str = ", "
    suffix: Mapping[str, str] = field(default_factory=dict)
    same: str = ""
    as_listed: bool = False

    def end(self, form: str) -> str:
        """The suffix in a language; a portion mark's is the English one."""
        return self.suffix.get(form, self.suffix.get("en", ""))


@dataclass(frozen=True, slots=True)
class Category:
    """RESTRICTIVE (all needed), PERMISSIVE (any one is enough) or INFORMATIVE (said in a mark, held in no label).

    PERMISSIVE: `owner` is in every set that is not empty; from `owner_from` an element without the category means the
    owner alone; `only` writes that (a control of its own, or `only_as`: a token of another category), `listing`
    writes more; `expand` gives the members of a token; `exact`: a list is of those whom it names, the owner only
    where it does.

    `codes`: what a list may name, those `of` another category; `first`: their owner. `into`: the PERMISSIVE category
    that a label holds a list in. `held_as`: the token that a label holds for whatever a list names. `brings`: by
    token, another policy's element that comes with it. `whole`: what the source says of the category. `separator`:
    what sets its own controls apart in a banner. `head`: its control is written in the place of this word, with which
    levels begin.
    """

    name: str
    permissive: bool
    section: int
    tokens: Mapping[str, Control]
    informative: bool = False
    tree: bool = False
    families: tuple[Family, ...] = ()
    prefixes: tuple[str, ...] = ()
    inner: Mapping[str, Control] = field(default_factory=dict)
    owner: str = ""
    owner_from: int | None = None
    only: Control | None = None
    only_as: tuple[str, str] | None = None
    listing: Listing | None = None
    of: str = ""
    first: str = ""
    codes: Mapping[str, Control] = field(default_factory=dict)
    expand: Mapping[str, frozenset[str]] = field(default_factory=dict)
    into: str = ""
    exact: bool = False
    held_as: str = ""
    brings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    foreign: bool = False
    whole: Control | None = None
    glue: str = "//"
    glued: tuple[str, ...] = ()
    separator: str = "/"
    head: str = ""
    alone: bool = False

    def owned(self, level: int) -> bool:
        """Whether an element of this level that lacks the category means the owner alone."""
        return self.owner_from is not None and level >= self.owner_from

    def held(self) -> frozenset[str]:
        """The tokens that a label may hold."""
        if self.informative:
            return frozenset()
        return frozenset(name for name, control in self.tokens.items() if control.held)

    def parent(self, token: str) -> str:
        """The token or inner node above this one in a tree; "" if none."""
        if not self.tree or (token in self.tokens and self.tokens[token].root):
            return ""
        return token.rpartition("-")[0]

    def closure(self, token: str) -> Iterator[str]:
        """A token's ancestors and itself, as far as they are tokens: SI, SI-G, SI-G-ABCD."""
        above = self.parent(token)
        if above:
            yield from self.closure(above)
        if token not in self.inner:
            yield token

    def family(self, token: str) -> Family | None:
        """The family that a name belongs to, whether or not a site has declared it."""
        for family in self.families:
            if family.match.fullmatch(token):
                return family
        return None

    def control(self, token: str) -> Control | None:
        """What the policy says of a token: its own words, or those of the family that it belongs to."""
        declared = self.tokens.get(token) or self.codes.get(token)
        if declared is not None:
            return declared
        family = self.family(token)
        return None if family is None else undeclared(family, token)


def undeclared(family: Family, token: str) -> Control:
    """What the source says of a name that no site has declared, or that a site declares by its name alone."""
    shown = token.removeprefix(family.like.name).replace("_", " ")
    like = family.like
    return Control(
        name=token,
        banner={"en": shown},
        portion=shown,
        order=like.order,
        levels=like.levels,
        requires=like.requires,
        excludes=like.excludes,
        wants=like.wants,
        source=like.source,
    )


@dataclass(frozen=True, slots=True)
class Other:
    """An owner with a policy of its own and names for its levels: by our level, its full and short name."""

    policy: str
    levels: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Foreign:
    """How marks of other owners and joint ones are written and held.

    `levels`: by name, (full, portion, the level of the policy that a label holds). `codes`: the category whose tokens
    name owners. `sources`: the category in which a label holds that another owned it.
    """

    levels: Mapping[str, tuple[str, str, str]]
    codes: str
    sources: str
    joint: str
    concealed: str
    others: Mapping[str, Other]
    whole: Control
    source: str


@dataclass(frozen=True)
class Policy:
    """One marking system. `common`: its words are ordinary ones; `leading`: its marks may open with "//".

    `foreign`: what opens with "//" is another's mark or a joint one. `aside`: it orders something else than secrecy, so
    its colour is shown where nothing secret is.
    """

    name: str
    version: str
    title: Mapping[str, str]
    source: str
    levels: tuple[Level, ...]
    categories: tuple[Category, ...]
    common: bool = False
    leading: bool = False
    foreign: Foreign | None = None
    aside: bool = False

    @cached_property
    def bottom(self) -> Element:
        return Element(0, self.levels[0].name)

    @cached_property
    def top(self) -> Element:
        """The highest level, every token that a label holds, and nobody in any PERMISSIVE set: it dominates all."""
        tokens = frozenset((c.name, token) for c in self.categories if not c.permissive for token in c.held())
        nobody = tuple(sorted((c.name, frozenset[str]()) for c in self.categories if c.permissive))
        return Element(len(self.levels) - 1, self.levels[-1].name, tokens, nobody)

    @cached_property
    def free(self) -> frozenset[tuple[str, str]]:
        """What gives no access rule, so that every clearance covers it."""
        return frozenset((c.name, name) for c in self.categories for name, each in c.tokens.items() if each.free)

    @cached_property
    def ranks(self) -> dict[str, int]:
        return {level.name: rank for rank, level in enumerate(self.levels)}

    @cached_property
    def by_name(self) -> dict[str, Category]:
        return {category.name: category for category in self.categories}

    def rank(self, level: str) -> int | None:
        """The rank at which a label holds a level of a mark, another owner's included; None if it is no level."""
        if self.foreign and level in self.foreign.levels:
            level = self.foreign.levels[level][2]
        return self.ranks.get(level)
