"""Where a mark stands in running text: a banner alone on its line, a portion mark that opens a paragraph.

What merely contains the words of a marking is no mark. What looks like one and is not rightly written is a reading with
a problem, because to pass it over would be to lose a mark. It must never raise, whatever the text.

When several policies read a mark rightly, all readings are given: only the document as a whole can tell them apart. A
reading without a problem hides those with one; a policy that is packaged but not listed is asked where none listed
reads the mark rightly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice, product
from operator import or_

from casemate.labels.disguise import plain, tidy
from casemate.labels.grammar import Grammar
from casemate.labels.label import Label, make_label
from casemate.labels.mark import Finding, Mark
from casemate.labels.projection import Projection
from casemate.labels.vocabulary import Form

__all__ = ["LONGEST", "Reader", "Reading"]

LONGEST = 1000  # characters of a mark; REL TO with two hundred codes is not longer
_MOST_PARTS = 6
_MOST_READINGS = 64
_SHORT = 3  # characters of an abbreviation that ordinary text uses too
_HIDDEN = "written with characters that hide or imitate"
_AND = " + "
_WRAPPED = re.compile(r"(\*{1,3}|_{1,3})(.+)\1")
_BULLET = r"[-*•·–—▪▫■□●○◦➢✓>#\uf000-\uf0ff]+\s+"
_NUMBER = r"\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]\s+|\d{1,3}(?:\.\d{1,3}){1,5}\.?\s+"
_INSIDE = rf"(?P<mark>[(\[](?P<inside>[^()\[\]\n]{{1,{LONGEST}}})[)\]])"
_PORTION = re.compile(rf"(?P<lead>\s*(?:{_BULLET})*(?:{_NUMBER})?){_INSIDE}(?P<rest>.*)", re.DOTALL)
_LISTS = {"REL", "EYES", "DISPLAY"}
_SENTENCES = {
    "as-banner": "{list} alone does not say to whom",
    "duplicate": "two lists of recipients",
    "empty-section": "an empty section",
    "excludes": "{control} contradicts {other}",
    "level": "{control} is not used with {level}",
    "rel-alone": "no recipient but {control}",
    "rel-owner": "{control} is not the first recipient",
    "requires": "{control} requires {needed}",
    "separator": "controls are not separated by //",
    "unknown-control": "unknown control {control}",
    "unknown-country": "unknown recipient in {list}",
    "withdrawn": "{was} is a withdrawn marking",
}
_RIGHTS = re.compile(r"\s*(?:copyright\b|©)", re.IGNORECASE)
_YEAR = re.compile(r"\s*(?:19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """A mark as one policy reads it (several, joined by " + ", where one mark says several).

    `label` has no agency; `mark` is None where several say it together. With a `problem` it holds what is understood:
    at least the level that the mark names. A `problem` that begins "unlisted:" names the packaged policy that would
    read the mark.
    """

    policy: str
    label: Label
    text: str
    problem: str | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads marks in the policies that a region lists, and recognises those of packaged ones that it does not."""

    listed: tuple[Grammar, ...]
    others: tuple[Grammar, ...]
    projection: Projection

    def banner(self, line: str) -> tuple[Reading, ...]:
        """All readings of a line as a banner; () if it is none."""
        stripped = line.strip()
        if len(stripped) > LONGEST:
            head, slashes, _ = stripped[:LONGEST].partition("//")
            return _with(self.mark(tidy(head), "full"), "longer than a mark can be") if slashes else ()
        text = tidy(stripped).lstrip("#").lstrip()
        wrapped = _WRAPPED.fullmatch(text)
        if wrapped:
            text = wrapped[2].strip()
        return self.mark(text, "full") or self._disguised(text, "full")

    def portion(self, paragraph: str) -> tuple[tuple[Reading, ...], str]:
        """The readings of the mark that opens a paragraph and what follows it; () and the paragraph if none does."""
        opened = _PORTION.match(paragraph)
        if opened is None:
            shown = plain(paragraph[:LONGEST])
            opened = _PORTION.match(shown)
            return (_with(self._inside(opened), _HIDDEN) if opened else ()), paragraph
        found = self._inside(opened) or self._disguised(tidy(opened["inside"]), "portion")
        if not found or (opened["mark"] == "(C)" and _RIGHTS.match(opened["rest"])):
            return (), paragraph
        wrong = _misplaced(opened)
        return (_with(found, wrong) if wrong else found), opened["lead"].lstrip() + opened["rest"].lstrip()

    def _inside(self, opened: re.Match[str]) -> tuple[Reading, ...]:
        text = tidy(opened["inside"])
        after = opened["rest"][:1]
        if "/" not in text and (after.islower() or after.isdigit() or after == "-"):
            return ()  # "(C)ompany", "(U)-turn"
        if opened["mark"][0] == "[" and len(text) <= _SHORT:
            return ()  # "[C]" is a reference
        return self.mark(text, "portion")

    def _disguised(self, text: str, form: Form) -> tuple[Reading, ...]:
        shown = plain(text)
        if shown != text:
            return _with(self.mark(shown, form), _HIDDEN)
        if "//" in text and text.upper() != text:
            return _with([each for each in self.mark(text.upper(), form) if not each.problem], "not in capitals")
        return ()

    def mark(self, text: str, form: Form) -> tuple[Reading, ...]:
        """All readings of a tidy text that is nothing but a mark, of one policy or of several joined by " + "."""
        parts = text.split(_AND)
        if len(parts) == 1 or len(parts) > _MOST_PARTS:
            return tuple(self._one(text, form))
        read = [self._one(part, form) for part in parts]
        if not read[0]:
            return ()
        first = [replace(read[0][0], text=text)]
        if not all(read):
            return _with(first, "only in part a mark")
        together = (_together(text, chosen) for chosen in islice(product(*read), _MOST_READINGS))
        return tuple(each for each in together if each) or _with(first, "two marks of one policy")

    def _one(self, text: str, form: Form) -> list[Reading]:
        found = self._read(self.listed, text, form)
        if form == "portion" and not _right(found):
            full = self._read(self.listed, text, "full")  # "(SECRET)" where "(S)" is prescribed
            found = _right(full) or found or full
        if _right(found):
            return _right(found)
        if form == "portion" and "/" not in text and len(text) <= _SHORT:
            return found  # "(C)" is a mark only where the policy that says so is listed
        unlisted = self._read([each for each in self.others if not each.policy.common], text, form)
        unlisted = _right(unlisted) or ([] if found or "//" not in text else unlisted)
        return [replace(each, problem=f"unlisted:{each.policy}") for each in unlisted] or found

    def _read(self, grammars: Sequence[Grammar], text: str, form: Form) -> list[Reading]:
        """One reading of each policy; of two that say the same, that of the policy whose label it is, or the first."""
        found = [reading for grammar in grammars for reading in self._by(grammar, text, form)]
        if len(found) == 1:
            return found
        said: dict[tuple[Label, str | None], Reading] = {}
        own = {reading.label for reading in found if [name for name, _ in reading.label.elements] == [reading.policy]}
        for reading in found:
            if reading.label not in own or [name for name, _ in reading.label.elements] == [reading.policy]:
                said.setdefault((reading.label, reading.problem), reading)
        return list(said.values())

    def _by(self, grammar: Grammar, text: str, form: Form) -> Iterator[Reading]:
        parsed = grammar.parse(text, form)
        if parsed is None:
            return
        wrong = [said(finding) for finding in parsed.findings if finding.severity == "error"]
        elements, whys = self.projection.understood(parsed.mark, closed=bool(wrong))
        stranger = next((name for name in elements if not self._lists(name, grammar)), None)
        problem = "; ".join([*wrong, *whys][:3]) or (f"unlisted:{stranger}" if stranger else None)
        yield Reading(grammar.policy.name, make_label(elements), text, problem, parsed.mark)

    def _lists(self, name: str, grammar: Grammar) -> bool:
        return name == grammar.policy.name or any(each.policy.name == name for each in self.listed)


def said(finding: Finding) -> str:
    """What is wrong, for the record; what a person is told is in `words`."""
    facts = dict(finding.facts)
    if finding.rule == "excludes" and facts["other"] in _LISTS:
        facts["other"] = "a list of recipients"
    return _SENTENCES[finding.rule].format_map(facts)


def _right(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if not reading.problem]


def _with(readings: Sequence[Reading], problem: str) -> tuple[Reading, ...]:
    return tuple(replace(reading, problem=reading.problem or problem) for reading in readings)


def _together(text: str, chosen: Sequence[Reading]) -> Reading | None:
    """The readings of a joined mark as one; None if two of them are of one policy."""
    names = [reading.policy for reading in chosen]
    if len(set(names)) < len(names):
        return None
    problem = next((reading.problem for reading in chosen if reading.problem), None)
    return Reading(_AND.join(names), reduce(or_, (reading.label for reading in chosen)), text, problem)


def _misplaced(opened: re.Match[str]) -> str | None:
    if opened["mark"][0] == "[":
        return "in brackets, where a portion mark is in parentheses"
    if opened["rest"] and not opened["rest"][0].isspace():
        return "no space after the mark"
    if opened["mark"] == "(C)" and _YEAR.match(opened["rest"]):
        return "a portion mark or a copyright sign"
    return None
