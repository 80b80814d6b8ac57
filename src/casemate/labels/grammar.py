"""From a marking to an element of one policy. Markings are read by look-up, never by guessing.

A marking that names a known level and then something unknown or contradictory is still read: the result carries the
problem, and an element that holds what is understood, released to nobody but the owner. It must never return an
element below what the marking plainly says, and never raise on any text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from casemate.labels.disguise import shown
from casemate.labels.label import Element
from casemate.labels.policy import Category, Control, Policy
from casemate.labels.vocabulary import Form, Vocabulary, lineage, words

__all__ = ["Grammar", "Read"]


@dataclass(frozen=True, slots=True)
class Read:
    """What a marking says in one policy; `problem` is None where it is rightly written."""

    element: Element
    problem: str | None = None


@dataclass(slots=True)
class _Said:
    """What the parts of a marking have said so far."""

    controls: dict[str, Control] = field(default_factory=dict)
    recipients: list[Control] = field(default_factory=list)
    restrictive: set[tuple[str, str]] = field(default_factory=set)
    only: set[str] = field(default_factory=set)
    lists: dict[str, frozenset[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unknown: str = ""

    def add(self, category: Category, control: Control) -> None:
        self.controls[control.name] = control
        if category.permissive:
            self.only.add(category.name)
        else:
            self.restrictive.add((category.name, control.name))


@dataclass(frozen=True)
class Grammar:
    """Reads the markings of one policy."""

    policy: Policy

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.policy)

    def read(self, marking: str, form: Form) -> Read | None:
        """The reading of one line's worth of text, without parentheses; None if it is no marking of this policy."""
        text = marking
        if text.startswith("//"):
            if not self.policy.leading:
                return self._foreign(text, form) if self.policy.foreign else None
            text = text[2:]
        if not self.vocabulary.opening[form].match(text):
            return None
        if self.vocabulary.glue:
            text = self.vocabulary.glue.sub("//", text)
        head, *sections = (section.strip() for section in text.split("//"))
        said = _Said()
        rank = self.vocabulary.levels[form].get(head)
        if rank is None:
            standing = self.vocabulary.standing[form].get(head)
            if standing is None:
                return self._loosely(text, form)
            rank = 0
            said.add(*standing)
        elif head in self.policy.levels[rank].legacy:
            said.problems.append(f"{head} is a withdrawn marking")
        for item in (item.strip() for section in sections for item in section.split("/")):
            self._item(item, said)
            if said.unknown and form == "full" and said.unknown != said.unknown.upper():
                return None  # a banner is in capitals: this is a sentence that begins like one
        return self._read(rank, said)

    def _foreign(self, text: str, form: Form) -> Read | None:
        """A mark that opens with "//" names its owner first, then a level: "//JOINT SECRET CAN USA", "(//DEU S)"."""
        section = text[2:].partition("//")[0]
        line = f" {section} "
        if section != section.upper() or section != section.strip():
            return None
        for level, rank in sorted(self.vocabulary.levels[form].items(), key=_rank, reverse=True):
            if f" {level} " in line:
                return self._read(rank, _Said(problems=["a mark of another owner or a joint one is not covered"]))
        return None

    def _item(self, item: str, said: _Said) -> None:
        found = self.vocabulary.controls.get(item)
        if found and not found[0].tree:
            said.add(*found)
            return
        for category, opening in self.vocabulary.lists:
            opened = opening.match(item)
            if opened:
                self._list(category, item[opened.end() :].strip(), said)
                return
        for category in self.policy.categories:
            tokens = self.vocabulary.tokens(category, item) if category.tree else None
            if tokens:
                for token in tokens:
                    said.add(category, category.tokens[token])
                return
            if item in category.incomplete:
                said.problems.append(f"{item} alone does not say to whom")
                return
        said.unknown = item
        said.problems.append(f"unknown control {shown(item)}" if item else "an empty section")

    def _list(self, category: Category, text: str, said: _Said) -> None:
        members = self.vocabulary.members(category, text)
        if None in members:
            said.problems.append(f"unknown recipient in {shown(text)}")
        known = [token for token in members if token]
        if category.listing and category.listing.owner_first and known[:1] != [category.owner]:
            said.problems.append(f"{category.owner} is not the first recipient")
        reached = {category.owner}
        for token in known:
            said.recipients.append(category.tokens[token])
            reached |= category.expand.get(token, {token})
        if reached == {category.owner}:
            said.problems.append(f"no recipient but {category.owner}")
        if category.name in said.lists:
            said.problems.append("two lists of recipients")
        said.lists[category.name] = frozenset(reached)

    def _read(self, rank: int, said: _Said) -> Read:
        problems = [*said.problems, *self._contradictions(self.policy.levels[rank].name, said)]
        permissive = []
        for category in self.policy.categories:
            named = category.name in said.only or category.name in said.lists
            if not category.permissive or not (named or category.owned(rank)):
                continue
            alone = bool(problems) or category.name not in said.lists
            permissive.append((category.name, frozenset([category.owner]) if alone else said.lists[category.name]))
        element = Element(
            rank, self.policy.levels[rank].name, frozenset(said.restrictive), tuple(sorted(permissive, key=_name))
        )
        return Read(element, "; ".join(problems[:3]) or None)

    def _contradictions(self, level: str, said: _Said) -> Iterable[str]:
        names = said.controls
        for control in [*said.controls.values(), *said.recipients]:
            if control.levels and level not in control.levels:
                yield f"{control.name} is not used with {level}"
            missing = [name for name in control.requires if name not in names]
            if missing:
                yield f"{control.name} requires {', '.join(missing)}"
        for category in sorted(said.only & said.lists.keys()):
            only = self.policy.by_name[category].only
            yield f"{only.name if only else category} contradicts a list of recipients"

    def _loosely(self, text: str, form: Form) -> Read | None:
        """A level followed by nothing but known controls, wrongly separated: "SECRET NOFORN", "S/NF"."""
        opened = self.vocabulary.opening[form].match(text)
        level = opened.group() if opened else ""
        rank = self.vocabulary.levels[form].get(level)
        if rank is None:
            return None
        rest = text[len(level) :]
        spoken = words(rest)
        line = f" {' '.join(spoken)} "
        if not set(spoken) <= self.vocabulary.known_words or not any(t in line for t in self.vocabulary.telling):
            return None
        return self._read(rank, _Said(problems=["controls are not separated by //"]))

    def canonical(self, level: str, categories: dict[str, frozenset[str]]) -> Element | None:
        """The element of a label's own text; None if the policy does not declare a name in it.

        What the policy closes stays closed: an owned category that is absent means the owner alone, a set that is not
        empty holds its owner, and a compartment brings its system.
        """
        rank = self.policy.ranks.get(level)
        if rank is None or not categories.keys() <= self.policy.by_name.keys():
            return None
        restrictive: set[tuple[str, str]] = set()
        permissive: dict[str, frozenset[str]] = {}
        for name, tokens in categories.items():
            category = self.policy.by_name[name]
            if not tokens <= category.tokens.keys() or not (tokens or category.permissive):
                return None
            if not category.permissive:
                closed = (each for token in tokens for each in (lineage(token) if category.tree else (token,)))
                restrictive |= {(name, token) for token in closed}
            elif tokens and category.owner not in tokens:
                return None
            else:
                permissive[name] = tokens
        for category in self.policy.categories:
            if category.permissive and category.owned(rank):
                permissive.setdefault(category.name, frozenset([category.owner]))
        return Element(rank, level, frozenset(restrictive), tuple(sorted(permissive.items())))


def _rank(pair: tuple[str, int]) -> int:
    return pair[1]


def _name(pair: tuple[str, frozenset[str]]) -> str:
    return pair[0]
