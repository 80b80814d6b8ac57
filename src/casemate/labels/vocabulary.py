"""The forms of a policy's marks, compiled once: what a level, a control or a list of recipients looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal, NamedTuple

from casemate.labels.policy import FOREIGN, Category, Control, Policy

__all__ = ["Form", "Found", "Node", "Opened", "Vocabulary", "forms", "words"]

Form = Literal["full", "portion", "any"]
_LONGEST_NAME = 4  # parts between commas in one recipient's name, at most


class Found(NamedTuple):
    """A control by one way of writing it, and what it says.

    `fix`: what this form prescribes instead; "" if this is right. `place`: its section in a mark of the policy's own
    and its order there; `owned`: its section in a mark of another owner.
    """

    category: Category
    control: Control
    fix: str
    legacy: bool
    tokens: tuple[str, ...]
    place: tuple[int, int]
    owned: tuple[int, int]


class Node(NamedTuple):
    """A step in a tree by one way of writing it. `right`: whether this form may be written so."""

    name: str
    right: bool
    legacy: bool


class Opened(NamedTuple):
    """A list that an item opens: its category and where its names begin and end in the item."""

    category: Category
    start: int
    end: int


@dataclass(frozen=True)
class Vocabulary:
    """Look-ups from written forms to what the policy declares."""

    policy: Policy

    @cached_property
    def levels(self) -> Mapping[Form, Mapping[str, int]]:
        """Rank by written form: in full (a banner), abbreviated (a portion mark), or any of them and the bare name."""
        full: dict[str, int] = {}
        portion: dict[str, int] = {}
        names: dict[str, int] = {}
        for rank, level in enumerate(self.policy.levels):
            full |= dict.fromkeys(chain(level.banner.values(), level.also, level.legacy), rank)
            portion[level.portion] = rank
            names[level.name] = rank
        return {"full": full, "portion": portion, "any": names | full | portion}

    @cached_property
    def standing(self) -> Mapping[Form, Mapping[str, tuple[int, Found]]]:
        """Controls that stand where a level does, with its rank: the bottom, or one whose words they are part of."""
        full: dict[str, tuple[int, Found]] = {}
        portion: dict[str, tuple[int, Found]] = {}
        for category in self.policy.categories:
            alone = [category.only] if category.alone and category.only else []
            for control in [*alone, *(each for each in category.tokens.values() if each.instead)]:
                found = _found(category, control, "", legacy=False)
                full |= dict.fromkeys(chain(control.banner.values(), control.also), (0, found))
                portion[control.portion] = 0, found
            if category.head:
                for rank, way, short, found in self._contexts(category):
                    (portion if short else full)[way] = rank, found
        return {"full": full, "portion": portion, "any": full | portion}

    def _contexts(self, category: Category) -> Iterator[tuple[int, str, bool, Found]]:
        """Every level in every context: its rank, how that is written, and whether in a portion mark."""
        opening = f"{category.head} "
        for rank, level in enumerate(self.policy.levels):
            banners = [text for text in level.banner.values() if text.startswith(opening)]
            for control in category.tokens.values() if banners else ():
                found = _found(category, control, "", legacy=False)
                yield rank, level.portion + control.portion, True, found
                for way in (*control.banner.values(), *control.also, *control.legacy):
                    legacy = found._replace(legacy=way in control.legacy)
                    yield from ((rank, way + text[len(category.head) :], False, legacy) for text in banners)

    @cached_property
    def opening(self) -> Mapping[Form, re.Pattern[str]]:
        """What a marking must begin with: a quick no for most text."""
        both: dict[Form, re.Pattern[str]] = {}
        for form, levels in self.levels.items():
            both[form] = re.compile(f"(?:{_either([*levels, *self.standing[form]])})(?![^\\W_])")
        return both

    @cached_property
    def items(self) -> Mapping[Form, Mapping[str, Found]]:
        """Every control by every way of writing it, for each form of a mark. Recipients of a list are not controls."""
        read: dict[Form, dict[str, Found]] = {"full": {}, "portion": {}, "any": {}}
        for category in self.policy.categories:
            for control in (*([category.only] if category.only else ()), *category.tokens.values()):
                if category.prefixes or (category.permissive and control is not category.only):
                    continue
                banners = {*control.banner.values(), *control.also}
                for way in forms(control):
                    legacy = way in control.legacy
                    full = "" if way in banners else control.banner["en"]
                    portion = "" if way == control.portion else control.portion
                    fixes: dict[Form, str] = {"full": full, "portion": portion, "any": ""}
                    for form, fix in fixes.items():
                        read[form][way] = read[form][way.upper()] = _found(category, control, fix, legacy=legacy)
        return read

    @cached_property
    def nodes(self) -> Mapping[Form, Mapping[tuple[str, str, str], Node]]:
        """Every step of every tree: by category, what stands above it ("" at the root), and how it is written."""
        read: dict[Form, dict[tuple[str, str, str], Node]] = {"full": {}, "portion": {}, "any": {}}
        for category in self.policy.categories:
            for name, control in (*category.tokens.items(), *category.inner.items()) if category.tree else ():
                above = category.parent(name)
                banners = {_last(way, above) for way in (*control.banner.values(), *control.also)}
                for way in forms(control):
                    last, legacy = _last(way, above), way in control.legacy
                    key = (category.name, above, last)
                    right = {"full": last in banners, "portion": last == _last(control.portion, above), "any": True}
                    for form, rows in read.items():
                        if key not in rows or rows[key].legacy:
                            rows[key] = Node(name, right[form], legacy)
        return read

    @cached_property
    def recipients(self) -> Mapping[str, Mapping[str, str]]:
        """Per category with a list, the token of a recipient by every name of it, in upper case."""
        return {
            category.name: {form.upper(): token for token, control in named.items() for form in forms(control)}
            for category in self.policy.categories
            if (named := category.codes or (category.tokens if category.permissive else {}))
        }

    @cached_property
    def lists(self) -> tuple[tuple[Category, tuple[str, ...]], ...]:
        """Per category with a list that has a prefix: what may open one, in upper case, the longest first."""
        return tuple(
            (category, tuple(each.upper() for each in _longest(_prefixes(category))))
            for category in self.policy.categories
            if category.listing and not category.listing.suffix
        )

    @cached_property
    def suffixed(self) -> tuple[Category, tuple[str, ...]] | None:
        """The category whose lists are known by their end, and its ends."""
        for category in self.policy.categories:
            if category.listing and category.listing.suffix:
                return category, tuple(each.upper() for each in category.listing.suffix.values())
        return None

    @cached_property
    def same(self) -> Mapping[str, Category]:
        """What says that a list is the banner's."""
        return {each.listing.same: each for each in self.policy.categories if each.listing and each.listing.same}

    @cached_property
    def glue(self) -> re.Pattern[str] | None:
        """What parts sections where this policy sets some of its marks apart by something else than "//"."""
        found = []
        for category in self.policy.categories:
            glues = [glue for glue in (*category.glued, category.glue) if glue != "//"]
            if glues:
                found.append(f"(?:{_either(glues)})(?={self._opens(category)})")
        return re.compile("//|(?<![/,-])(?:" + "|".join(found) + ")", re.IGNORECASE) if found else None

    def _opens(self, category: Category) -> str:
        """What a section of a category begins with. A list that only its end tells is looked at to its end."""
        listing = category.listing
        if listing and listing.suffix and not any(listing.prefix.values()):
            name = f"(?:{_either(self.recipients[category.name])})"
            return f"{name}(?:{re.escape(listing.separator)}{name})*(?:{_either(listing.suffix.values())})"
        marks = list(forms(category.only)) if category.only else []
        marks += _prefixes(category)
        if not marks:
            marks = [way for control in category.tokens.values() for way in forms(control)]
        return f"(?:{_either(mark for mark in marks if mark)})"

    @cached_property
    def known_words(self) -> frozenset[str]:
        """Every word that occurs in some control, list or recipient."""
        marks = [*self._telling, *chain.from_iterable(self.recipients.values())]
        return frozenset(word for mark in marks for word in words(mark))

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """The controls and list openings as spaced words: one of these tells a mark from a sentence."""
        return tuple(f" {' '.join(words(mark))} " for mark in self._telling)

    @cached_property
    def _telling(self) -> tuple[str, ...]:
        prefixes = [each for category in self.policy.categories for each in (*_prefixes(category), *category.prefixes)]
        suffix = [each.strip() for each in self.suffixed[1]] if self.suffixed else []
        return (*self.items["any"], *(each for each in prefixes if words(each)), *suffix)

    @cached_property
    def phrases(self) -> Mapping[tuple[str, ...], str]:
        """By its words, the item that a control or the opening of a list is: to read what is wrongly set apart."""
        controls = {tuple(words(item)): item for item in self.items["any"]}
        return controls | {tuple(words(each)): each for _, opens in self.lists for each in opens}

    def opened(self, item: str) -> Opened | None:
        """The list that an item is."""
        upper = item.upper()
        for category, prefixes in self.lists:
            if upper.startswith(prefixes):
                return Opened(category, next(len(each) for each in prefixes if upper.startswith(each)), len(item))
        if self.suffixed and upper.endswith(self.suffixed[1]):
            category, suffixes = self.suffixed
            suffix = next(each for each in suffixes if upper.endswith(each))
            start = next((len(each) for each in _prefixes(category) if each and upper.startswith(each.upper())), 0)
            return Opened(category, start, len(item) - len(suffix))
        return None

    def members(self, category: Category, text: str) -> list[tuple[str | None, str]]:
        """The names of a list in their order, each with its token; None where it is not known."""
        known = self.recipients[category.name]
        separator = category.listing.separator.strip() if category.listing else ","
        parts = [part.strip() for part in text.split(separator)] if separator else text.split()
        found: list[tuple[str | None, str]] = []
        at = 0
        while at < len(parts):
            lengths = range(min(_LONGEST_NAME, len(parts) - at), 1, -1)  # a name may hold commas: "Korea, Republic of"
            length = next((n for n in lengths if ", ".join(parts[at : at + n]).upper() in known), 1)
            name = ", ".join(parts[at : at + length])
            found.append((known.get(name.upper()), name))
            at += length
        return found


def _found(category: Category, control: Control, fix: str, *, legacy: bool) -> Found:
    if control is category.only:
        tokens: tuple[str, ...] = (category.owner,)
    else:
        tokens = tuple(category.closure(control.name)) if category.tree else (control.name,)
    order = category.tokens[tokens[0]].order if category.tree else control.order
    place = (control.section or category.section, order)
    owned = (FOREIGN if category.foreign else category.section, order)
    return Found(category, control, fix, legacy, tokens, place, owned)


def forms(control: Control) -> Iterable[str]:
    """Every way in which a control is written."""
    return (control.name, *control.legacy, *control.also, control.portion, *control.banner.values())


def words(text: str) -> list[str]:
    """The words of a text in upper case."""
    return re.findall(r"\w+", text.upper())


def _last(way: str, above: str) -> str:
    """The last step of a tree's path as it is written, the whole of it at the root."""
    if not above:
        return way
    return way.replace(" ", "-").rpartition("-")[2] if "-" in above else way.partition("-")[2]


def _prefixes(category: Category) -> list[str]:
    if category.listing is None:
        return []
    return [*category.listing.prefix.values(), category.listing.portion, *category.listing.also]


def _longest(options: Iterable[str]) -> list[str]:
    return sorted(set(options), key=len, reverse=True)


def _either(options: Iterable[str]) -> str:
    return "|".join(re.escape(each) for each in _longest(options))
