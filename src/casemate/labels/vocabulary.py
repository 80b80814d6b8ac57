"""The forms of a policy's marks, compiled once: what a level, a control or a list of recipients looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal

from casemate.labels.policy import Category, Control, Policy

__all__ = ["Form", "Found", "Vocabulary", "words"]

Form = Literal["full", "portion", "any"]
Found = tuple[Category, Control]

_LONGEST_NAME = 4  # parts between commas in one recipient's name, at most


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
    def standing(self) -> Mapping[Form, Mapping[str, Found]]:
        """Controls that may stand where a level does, on what is at the bottom level."""
        full: dict[str, Found] = {}
        portion: dict[str, Found] = {}
        for category in self.policy.categories:
            alone = [category.only] if category.alone and category.only else []
            for control in [*alone, *(each for each in category.tokens.values() if each.instead)]:
                full |= dict.fromkeys(chain(control.banner.values(), control.also), (category, control))
                portion[control.portion] = (category, control)
        return {"full": full, "portion": portion, "any": full | portion}

    @cached_property
    def opening(self) -> Mapping[Form, re.Pattern[str]]:
        """What a marking must begin with: a quick no for most text."""
        both: dict[Form, re.Pattern[str]] = {}
        for form, levels in self.levels.items():
            both[form] = re.compile(f"(?:{_either([*levels, *self.standing[form]])})(?![^\\W_])")
        return both

    @cached_property
    def controls(self) -> Mapping[str, Found]:
        """Every control by every form of it, in upper case. Recipients of a list are not controls."""
        found: dict[str, Found] = {}
        for category in self.policy.categories:
            own = [category.only] if category.only else []
            for control in own if category.permissive else category.tokens.values():
                for form in forms(control):
                    found[form.upper()] = (category, control)
        return found

    @cached_property
    def recipients(self) -> Mapping[str, Mapping[str, str]]:
        """Per PERMISSIVE category, a recipient's token by every name of it, in upper case."""
        return {
            category.name: {
                form.upper(): token for token, control in category.tokens.items() for form in forms(control)
            }
            for category in self.policy.categories
            if category.permissive
        }

    @cached_property
    def lists(self) -> tuple[tuple[Category, re.Pattern[str]], ...]:
        """Per category with a list, the pattern of what opens one."""
        found = []
        for category in self.policy.categories:
            if category.listing:
                prefixes = [*category.listing.prefix.values(), category.listing.portion, *category.listing.also]
                found.append((category, re.compile(_either(prefixes), re.IGNORECASE)))
        return tuple(found)

    @cached_property
    def glue(self) -> re.Pattern[str] | None:
        """What may stand for "//" in front of some marks of this policy."""
        found = []
        for category in self.policy.categories:
            glues = [glue for glue in (*category.glued, category.glue) if glue != "//"]
            marks = list(forms(category.only)) if category.only else []
            if category.listing:
                marks += [*category.listing.prefix.values(), category.listing.portion, *category.listing.also]
            if glues:
                found.append(f"(?:{_either(glues)})(?=(?:{_either(marks)}))")
        return re.compile("(?<!/)(?:" + "|".join(found) + ")", re.IGNORECASE) if found else None

    @cached_property
    def known_words(self) -> frozenset[str]:
        """Every word that occurs in some control, list or recipient."""
        marks = [*self.controls, *chain.from_iterable(self.recipients.values()), *self._prefixes]
        return frozenset(word for mark in marks for word in words(mark))

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """The controls and list openings as spaced words: one of these tells a mark from a sentence."""
        return tuple(f" {' '.join(words(mark))} " for mark in [*self.controls, *self._prefixes])

    @property
    def _prefixes(self) -> list[str]:
        return [p for c in self.policy.categories if c.listing for p in (*c.listing.prefix.values(), *c.listing.also)]

    def tokens(self, category: Category, item: str) -> list[str] | None:
        """The tokens that an item of a tree category says: "SI-G ABCD" says SI, SI-G and SI-G-ABCD. None if unknown."""
        exact = self.controls.get(item)
        if exact and exact[0] is category:
            return list(lineage(exact[1].name))
        head, *branches = item.split("-")
        said = [head]
        if not all(branch.strip() for branch in branches):
            return None
        for branch in branches:
            compartment, *subs = branch.split()
            said.append(f"{head}-{compartment}")
            resolved = self._token(category, said[-1]) or said[-1]
            said += [f"{resolved}-{sub}" for sub in subs]
        found: list[str] = []
        for name in said:
            token = self._token(category, name)
            if token is None:
                return None
            found += [each for each in lineage(token) if each not in found]
        return found

    def _token(self, category: Category, name: str) -> str | None:
        known = self.controls.get(name)
        return known[1].name if known and known[0] is category else None

    def members(self, category: Category, text: str) -> list[str | None]:
        """The tokens of a comma-separated list in their order, None for each name that is not known."""
        known, parts = self.recipients[category.name], re.split(r"\s*,\s*", text)
        found: list[str | None] = []
        while parts:
            lengths = range(min(_LONGEST_NAME, len(parts)), 1, -1)  # a name may hold commas: "Korea, Republic of"
            length = next((n for n in lengths if ", ".join(parts[:n]).upper() in known), 1)
            found.append(known.get(", ".join(parts[:length]).upper()))
            del parts[:length]
        return found


def forms(control: Control) -> Iterable[str]:
    """Every way in which a control is written."""
    return (control.name, *control.banner.values(), control.portion, *control.also)


def lineage(token: str) -> Iterable[str]:
    """A tree token's ancestors and itself: SI, SI-G, SI-G-ABCD."""
    parts = token.split("-")
    return ("-".join(parts[: at + 1]) for at in range(len(parts)))


def words(text: str) -> list[str]:
    """The words of a text in upper case."""
    return re.findall(r"\w+", text.upper())


def _either(options: Iterable[str]) -> str:
    return "|".join(re.escape(each) for each in sorted(set(options), key=len, reverse=True))
