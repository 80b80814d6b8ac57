"""Policies: those that a region lists, in its order. Reads and writes labels in their words.

A label holds one element per policy, absent = that policy's bottom. An equivalence between policies exists nowhere
here. It must never give a label lower than what the text says: what is ambiguous or contradictory raises.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from casemate.errors import MarkingError, Misconfigured
from casemate.labels.disguise import plain, shown, tidy
from casemate.labels.grammar import Grammar
from casemate.labels.label import Element, Label, make_label
from casemate.labels.mark import Mark, Parsed
from casemate.labels.marking import render
from casemate.labels.opening import Opening
from casemate.labels.parsing import parse_mark
from casemate.labels.policy import Policy
from casemate.labels.policyfile import extended, read_policy
from casemate.labels.projection import Projection, canonical, evicted, mark_of
from casemate.labels.reading import LONGEST, Reader, Reading, said
from casemate.labels.vocabulary import Form

__all__ = ["PACKAGED", "Policies"]

PACKAGED = ("house", "tlp", "us", "cui", "nato", "fr", "uk", "eu", "integrity")
_AND = " + "
_LONGEST_LABEL = 16_384
_PREFIX = re.compile(r"([a-z][a-z0-9-]*):(.*)")
_SAID = re.compile(r"([A-Z][A-Z0-9_-]*)=(.*)")


class Policies:
    """The policies of a region, in the order in which it lists them."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        if not policies:
            raise Misconfigured(setting="policies", why="a region lists at least one policy")
        self.listed: Mapping[str, Policy] = {policy.name: policy for policy in policies}
        self.names: tuple[str, ...] = tuple(self.listed)
        if len(self.names) < len(policies):
            raise Misconfigured(setting="policies", why="a policy is listed once")
        self._grammars = {name: Grammar(policy) for name, policy in self.listed.items()}
        others = tuple(Grammar(_packaged(name)) for name in PACKAGED if name not in self.listed)
        packaged = {grammar.policy.name: grammar.policy for grammar in others}
        self._projection = Projection({**self.listed, **packaged})
        self._others = others
        self._reader = Reader(tuple(self._grammars.values()), others, self._projection)
        self._banners: WeakKeyDictionary[Label, dict[str, str]] = WeakKeyDictionary()  # none by another's doing
        self._opening = Opening.of((*self._grammars.values(), *others))

    @classmethod
    def load(cls, names: Sequence[str], extra: Sequence[Path | str] = ()) -> Policies:
        """The named policies. `extra`: files (Path) or texts (str) of a site, each one of

            teams = ["PAYROLL"]                     teams of the policy house
            extends = "us"                          names that a policy leaves to a site
            tokens.SCI = ["SI-G-ABCD"]
            tokens.SAR = [{ name = "BP", also = ["BUTTER POPCORN"] }]
            expand.REL.XABC = ["USA", "DEU"]        a group of recipients with its members
            name = "acme" ...                       a whole policy, which `names` may list

        Misconfigured if a name is unknown or a file contradicts itself.
        """
        known = {name: _packaged(name) for name in PACKAGED}
        for where, text in (_source(each) for each in extra):
            data = _toml(text, where)
            base = data.get("extends", "house" if "teams" in data else None)
            if base is None:
                policy = read_policy(text, where)
                if policy.name in known:
                    raise Misconfigured(setting=where, why=f"there is a policy {policy.name} already")
                known[policy.name] = policy
            elif base in known:
                known[base] = extended(known[base], _added(data, where), _groups(data, where), where)
            else:
                raise Misconfigured(setting=where, why=f"no policy {base} to extend")
        missing = [name for name in names if name not in known]
        if missing:
            raise Misconfigured(setting="policies", why=f"no policy {missing[0]}; there are {', '.join(known)}")
        return cls([known[name] for name in names])

    def bottom(self, agencies: Iterable[str] = ()) -> Label:
        """The bottom of every policy: what flows to all that these agencies' objects may flow to."""
        return make_label({}, agencies)

    def top(self, agencies: Iterable[str] = ()) -> Label:
        """The top of every listed policy: dominates every label of these policies and agencies."""
        return make_label({name: policy.top for name, policy in self.listed.items()}, agencies)

    def parse(self, text: str, agencies: Iterable[str] = ()) -> Label:
        """A label from its canonical text, from "us:SECRET//NOFORN", or from a banner or portion mark of one policy.

        Parts are joined by " + ". MarkingError if a part is unknown, contradictory, or read by several policies.
        """
        if len(text) > _LONGEST_LABEL:
            raise MarkingError(marking=shown(text), why="longer than a label can be")
        owners, needs, elements = set(agencies), set[str](), dict[str, Element]()
        inner = tidy(text)
        portion = bool(re.fullmatch(r"\([^()]*\)", inner))
        for part in (inner[1:-1] if portion else inner).split(_AND):
            if part == "bottom":
                continue
            if part.startswith("agency="):
                owners.add(part.removeprefix("agency="))
                continue
            if part.startswith("need="):
                needs.add(part.removeprefix("need="))
                continue
            for name, element in self._part(part.strip(), portion):
                if name in elements:
                    raise MarkingError(marking=shown(part), why=f"two marks of the policy {name}")
                elements[name] = element
        return make_label(elements, owners, needs)

    def clearance(self, text: str, agencies: Iterable[str] = ()) -> Label:
        """The label of someone cleared for what is so marked: `parse`, and what its rules leave unwritten.

        A national clearance to SECRET covers FOUO or Diffusion Restreinte, which are not written at SECRET.
        """
        label = self.parse(text, agencies)
        elements = dict(label.elements)
        for name, element in label.elements:
            policy = self.listed[name]
            allowed = dict(element.permissive)
            covered = policy.free
            # Released to others too: what they may have of the unwritten is not said.
            if not any(allowed.get(c.name, frozenset()) - {c.owner} for c in policy.categories if c.permissive):
                covered |= {
                    (category.name, token)
                    for category in policy.categories
                    for token, control in category.tokens.items()
                    if control.evicted and evicted(control, element)
                }
            restrictive = element.restrictive | covered
            elements[name] = Element(element.level, element.level_name, restrictive, element.permissive)
        return make_label(elements, label.agencies, label.needs)

    def banner(self, label: Label, language: str = "en") -> str:
        """The marking in full, in the policies' order; never empty."""
        written = self._banners.setdefault(label, {})
        found = written.get(language)
        if found is None:
            found = written[language] = _AND.join(self._marks(label, language))
        return found

    def portion(self, label: Label) -> str:
        """The portion mark: "(S//NF)", "(S//NF + NS)"."""
        return f"({_AND.join(self._marks(label, 'portion'))})"

    def colour(self, label: Label) -> tuple[str, str]:
        """(background, foreground) of the level that stands highest on its own policy's scale of secrecy."""
        first = next(iter(self.listed.values()))
        highest, colour = 0.0, first.levels[0].colour
        held = dict(label.elements)
        for name, policy in sorted(self.listed.items(), key=lambda each: each[1].aside):
            element = held.get(name)
            if element is not None and _known(policy, element):
                height = element.level / max(1, len(policy.levels) - 1)
                if height > highest and not (policy.aside and highest):
                    highest, colour = height, policy.levels[element.level].colour
        return colour

    def read_banner(self, line: str) -> tuple[Reading, ...]:
        """All readings of a mark alone on its line; () if the line is none."""
        return self._reader.banner(line)

    def read_portion(self, paragraph: str) -> tuple[tuple[Reading, ...], str]:
        """All readings of the mark that opens a paragraph, and what follows it; (), paragraph if none does."""
        return self._reader.portion(paragraph)

    def lines_to_read(self, text: str) -> list[str]:
        """The lines of a text that may bear a mark, in order; none of the others does."""
        return self._opening.lines_to_read(text)

    def may_hold(self, body: bytes) -> bool:
        """Whether any text in a JSON document may bear a mark; where not, none of them need be looked at."""
        return self._opening.may_hold(body)

    def may_mark(self, line: str) -> bool:
        """Whether a line of which this is the beginning may turn out to bear a mark: until then, withhold it."""
        return self._opening.may_mark(line)

    def parse_mark(self, text: str, form: Form = "any") -> tuple[Parsed, ...]:
        """What a marking says, by each listed policy that recognises it; only those that read it rightly, if any does.

        `form`: "full" (a banner), "portion" (without its parentheses), "any". Places are in `text` as it is given.
        Parts joined by " + " are marks of several policies. () if it is no marking. It never raises.
        """
        return parse_mark(tuple(self._grammars.values()), self._others, text, form)

    def render(self, mark: Mark, form: str = "en") -> str:
        """A mark as its policy prescribes: a banner in a language, or a portion mark without its parentheses."""
        return render(self._policy(mark), mark, form)

    def label(self, mark: Mark) -> Label:
        """The label of what is so marked. MarkingError if it names what no site has declared."""
        self._policy(mark)
        return make_label(self._projection.elements(mark))

    def marks(self, label: Label) -> tuple[Mark, ...]:
        """The marks that a label is written as, of the listed policies that know it."""
        held = dict(label.elements)
        return tuple(
            mark_of(policy, held[name])
            for name, policy in self.listed.items()
            if name in held and _known(policy, held[name])
        )

    def _policy(self, mark: Mark) -> Policy:
        policy = self.listed.get(mark.policy)
        if policy is None:
            raise MarkingError(marking=shown(mark.level), why=f"unlisted:{mark.policy}")
        return policy

    def _marks(self, label: Label, form: str) -> list[str]:
        held = dict(label.elements)
        marks = []
        for name, policy in self.listed.items():
            text = _written(policy, held[name], form) if name in held and _known(policy, held[name]) else ""
            if text:
                del held[name]
                marks.append(text)
        # What no listed policy can write is shown as its canonical text rather than not at all.
        marks += [make_label({name: element}, ()).text for name, element in held.items()]
        first = next(iter(self.listed.values()))
        return marks or [render(first, mark_of(first, first.bottom), form)]

    def _part(self, part: str, portion: bool) -> list[tuple[str, Element]]:
        prefixed = _PREFIX.fullmatch(part)
        if prefixed:
            return [(prefixed[1], self._prefixed(part, prefixed[1], prefixed[2].strip()))]
        if len(part) > LONGEST:
            raise MarkingError(marking=shown(part), why="longer than a mark can be")
        found: tuple[Reading, ...] = ()
        for text in dict.fromkeys((part, part.upper())):
            forms: tuple[Form, ...] = ("portion",) if portion else ("full", "portion")
            for form in forms:
                found = found or self._reader.mark(text, form)
        if not found:
            hidden = plain(part) != part and self._reader.mark(plain(part), "full")
            raise MarkingError(
                marking=shown(part), why="hides or imitates characters" if hidden else "no known marking"
            )
        if found[0].problem:
            raise MarkingError(marking=shown(part), why=found[0].problem)
        if len(found) > 1:
            candidates = ", ".join(f"{reading.policy}:{shown(part)}" for reading in found)
            raise MarkingError(marking=shown(part), why=f"ambiguous: {candidates}")
        return list(found[0].label.elements)

    def _prefixed(self, part: str, name: str, body: str) -> Element:
        grammar = self._grammars.get(name)
        if grammar is None:
            why = f"unlisted:{name}" if name in PACKAGED else f"no policy {shown(name)}"
            raise MarkingError(marking=shown(part), why=why)
        if "=" in body:
            level, *rest = body.split("//")
            pairs = [_SAID.fullmatch(each) for each in rest]
            sets = {pair[1]: frozenset(filter(None, pair[2].split(","))) for pair in pairs if pair}
            element = canonical(grammar.policy, level, sets) if len(sets) == len(rest) else None
            if element is None:
                raise MarkingError(marking=shown(part), why=f"not a label of the policy {name}")
            return element
        parsed = next(filter(None, (grammar.parse(text, "any") for text in (body, body.upper()))), None)
        wrong = [finding for finding in parsed.findings if finding.severity == "error"] if parsed else []
        if parsed is None or wrong:
            raise MarkingError(marking=shown(part), why=said(wrong[0]) if wrong else "no known marking")
        elements = self._projection.elements(parsed.mark)
        if elements.keys() != {name}:
            raise MarkingError(marking=shown(part), why="a mark of another policy too")
        return elements[name]


def _written(policy: Policy, element: Element, form: str) -> str:
    """The mark of an element; "" where the policy has no words for it: two contexts at once."""
    try:
        return render(policy, mark_of(policy, element), form)
    except MarkingError:
        return ""


@cache
def _packaged(name: str) -> Policy:
    text = resources.files("casemate.labels").joinpath("policies", f"{name}.toml").read_text("utf-8")
    return read_policy(text, f"policies/{name}.toml")


def _known(policy: Policy, element: Element) -> bool:
    """Whether this policy declares all that the element says: a label may come from another version of it."""
    named = {category.name: category.held() for category in policy.categories}
    return policy.ranks.get(element.level_name) == element.level and all(
        token in named.get(category, ()) for category, token in element.restrictive
    )


def _source(each: Path | str) -> tuple[str, str]:
    if isinstance(each, str):
        return "policy text", each
    try:
        return str(each), each.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(setting=str(each), why=f"cannot be read: {type(error).__name__}") from None


def _toml(text: str, where: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(setting=where, why=f"not TOML: {error}") from None


def _added(data: Mapping[str, object], where: str) -> dict[str, list[str | dict[str, Any]]]:
    """The tokens by category that a file adds, checked for their types."""
    added: dict[str, object] = {"TEAM": data["teams"]} if "teams" in data else {}
    tokens = data.get("tokens", {})
    if not isinstance(tokens, dict) or data.keys() - {"extends", "teams", "tokens", "expand"}:
        raise Misconfigured(setting=where, why="an extension holds extends, teams, tokens and expand")
    checked: dict[str, list[str | dict[str, Any]]] = {}
    for name, names in (added | tokens).items():
        if not isinstance(names, list) or not all(map(_named, names)):
            raise Misconfigured(setting=where, why=f"{name} is a list of names")
        checked[name] = names
    return checked


def _named(each: object) -> bool:
    """A name, or a name with others that it is written as."""
    if not isinstance(each, dict):
        return isinstance(each, str)
    also = each.get("also", [])
    listed = isinstance(also, list) and all(isinstance(way, str) for way in also)
    return listed and isinstance(each.get("name"), str) and each.keys() <= {"name", "also"}


def _groups(data: Mapping[str, object], where: str) -> dict[str, dict[str, list[str]]]:
    """The groups of recipients by category that a file adds, checked for their types."""
    expand = data.get("expand", {})
    if not isinstance(expand, dict) or not all(isinstance(groups, dict) for groups in expand.values()):
        raise Misconfigured(setting=where, why="expand names a category, a group and its members")
    for groups in expand.values():
        for name, members in groups.items():
            if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
                raise Misconfigured(setting=where, why=f"{name} is a list of names")
    return expand
