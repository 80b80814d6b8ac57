"""What the marks of one text say, each in the policy that the text speaks, and how each may rightly be written.

The same words may be a mark in several policies: the one that reads most of a text's marks rightly is the text's own,
and the region's order decides between equals. A mark that the own policy does not read is taken from another that does.
Equal marks are read once. Nothing outlasts the text. It must never take the lower of two readings without saying so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from casemate.errors import MarkingError
from casemate.labels.disguise import plain, shown
from casemate.labels.linter.text import BANNER, Kind, Spot
from casemate.labels.listed import Policies
from casemate.labels.mark import Finding, Mark, Parsed
from casemate.labels.vocabulary import Form

__all__ = ["Hearing", "Said"]

_AND = " + "
_MOST_PARTS = 6
_UNLISTED = "unlisted:"
_FORM: dict[Kind, Form] = {"banner": "full", "portion": "portion"}
_LANGUAGES = ("en", "fr")
Heard = tuple[tuple[Parsed, ...], ...]  # for each part of a mark that joins several, its readings


class Said(NamedTuple):
    """A mark as it was understood; () where the words are no mark.

    Findings have their places in the mark's own words. `right`: how it may be written instead, None where it is rightly
    written already or only a person can say.
    """

    marks: tuple[Mark, ...]
    findings: tuple[Finding, ...] = ()
    right: str | None = None


class Hearing:
    """Hears every mark of a text, then says what each means."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._heard: dict[tuple[Kind, str], Heard] = {}

    def hear(self, kind: Kind, words: str) -> None:
        """One more mark."""
        if (kind, words) not in self._heard:
            self._heard[kind, words] = self._readings(words, _FORM[kind])

    @cached_property
    def own(self) -> str:
        """The policy that the text speaks; "" where it bears no mark. To be asked once all is heard."""
        right: Counter[str] = Counter()
        known: Counter[str] = Counter()
        for heard in self._heard.values():
            for parsed in (each for part in heard for each in part):
                known[parsed.mark.policy] += 1
                right[parsed.mark.policy] += parsed.right
        ranked = sorted(known, key=lambda name: (-right[name], -known[name], self._policies.names.index(name)))
        return ranked[0] if ranked else ""

    def all(self) -> dict[tuple[Kind, str], Said]:
        """What each mark says."""
        own = self.own
        return {(kind, words): self._said(kind, words, heard, own) for (kind, words), heard in self._heard.items()}

    def _readings(self, words: str, form: Form) -> Heard:
        parts = words.split(_AND)
        heard = tuple(self._part(part, form) for part in parts) if len(parts) <= _MOST_PARTS else ()
        if len(parts) > 1 and not all(heard):
            return (self._part(words, form),)
        return heard

    def _part(self, words: str, form: Form) -> tuple[Parsed, ...]:
        """The readings of a mark; one that is written in the other's form is plain, and wrongly written."""
        found = self._undisguised(words, form, self._policies.parse_mark(words, form))
        if (found and not all(_strange(each) for each in found)) or (form == "full" and "//" not in words):
            return found
        other = self._policies.parse_mark(words, "portion" if form == "full" else "full")
        known = [each for each in other if not _strange(each)]
        return tuple(_unlike(each, words) for each in known) or self._foreign(words, form, found)

    def _foreign(self, words: str, form: Form, found: tuple[Parsed, ...]) -> tuple[Parsed, ...]:
        """Readings of which nobody knows the level: who would know it is told, where a packaged policy does."""
        named = self._unlisted(words, form) if found else ()
        if not named:
            return found
        return tuple(replace(each, findings=(*named, *_without_level(each))) for each in found)

    def _undisguised(self, words: str, form: Form, found: tuple[Parsed, ...]) -> tuple[Parsed, ...]:
        """What a mark looks like, where it is written with characters that hide or imitate: the higher of the two."""
        looks = plain(words)
        if looks == words or any(each.right for each in found):
            return found
        raw = {each.mark.policy: each.mark for each in found}
        seen = [each for each in self._policies.parse_mark(looks, form) if each.right and each.mark.policy in raw]
        told = Finding("disguise", "error", 0, len(words), (("was", shown(words)),))
        return tuple(self._higher(each, raw[each.mark.policy], told) for each in seen) or found

    def _higher(self, seen: Parsed, raw: Mark, told: Finding) -> Parsed:
        """What is seen, if it is no lower than what is written; it may then be written so."""
        try:
            if not self._policies.label(raw) <= self._policies.label(seen.mark):
                return Parsed(raw, (told,))
        except MarkingError:
            return Parsed(raw, (told,))
        return Parsed(seen.mark, (replace(told, fix=dict(told.facts)["was"]),))

    def _said(self, kind: Kind, words: str, heard: Heard, own: str) -> Said:
        marks: list[Mark] = []
        findings: list[Finding] = []
        at = 0
        for part, text in zip(heard, words.split(_AND) if len(heard) > 1 else [words], strict=False):
            chosen = _chosen(part, own)
            if chosen is not None:
                marks.append(chosen.mark)
                findings += [replace(each, start=each.start + at, end=each.end + at) for each in chosen.findings]
                marks += self._beside(chosen, _FORM[kind])
                if chosen.mark.policy != own and len(heard) == 1:
                    facts = (("policy", chosen.mark.policy), ("own", own))
                    findings.append(Finding("other-policy", "note", 0, len(words), facts))
            at += len(text) + len(_AND)
        if len({mark.policy for mark in marks}) < len(marks):
            findings.append(Finding("two-marks", "error", 0, len(words), (("policy", marks[0].policy),)))
        if not marks:
            return Said((), self._unlisted(words, _FORM[kind]))
        right = self._right(kind, words, marks, findings)
        whole = (0, len(words))
        told = (
            replace(each, fix=right if right is None or (each.start, each.end) == whole else each.fix)
            for each in findings
        )
        kept = (new if old.fix is not None else old for new, old in zip(told, findings, strict=True))
        return Said(tuple(marks), tuple(kept), right)

    def _beside(self, parsed: Parsed, form: Form) -> list[Mark]:
        """What a mark says in the words of another policy: it counts, though it does not belong there."""
        found: list[Mark] = []
        for finding in parsed.findings:
            facts = dict(finding.facts)
            if finding.rule == "two-policies" and "control" in facts:
                read = self._policies.parse_mark(facts["control"], form)
                found += [each.mark for each in read if each.mark.policy == facts["policy"]][:1]
        return found

    def _unlisted(self, words: str, form: Form) -> tuple[Finding, ...]:
        """A mark of a policy that is known and not listed here: nobody can roll it up, and it is not passed over."""
        policies = self._policies
        readings = policies.read_banner(words) if form == "full" else policies.read_portion(f"({words}) ")[0]
        named = (reading.problem for reading in readings if reading.problem)
        found = [problem.removeprefix(_UNLISTED) for problem in named if problem.startswith(_UNLISTED)]
        return (Finding("unlisted-policy", "error", 0, len(words), (("policy", found[0]),)),) if found else ()

    def _right(self, kind: Kind, words: str, marks: list[Mark], findings: list[Finding]) -> str | None:
        if all(finding.fix is None for finding in findings):
            return None
        if any(finding.fix is None for finding in findings if finding.severity == "error"):
            return None  # one thing is for a person to say: what he has to look at is not rewritten under his eyes
        written = self.written(marks, kind, words)
        return written if written and written != words and self._same(written, kind, marks) else None

    def written(self, marks: Iterable[Mark], kind: Kind, words: str = "") -> str:
        """These marks in one, in the language of the words that they replace; "" where they cannot be written."""
        forms = _LANGUAGES if kind == BANNER else ("portion",)
        said = tuple(marks)
        try:
            written = dict.fromkeys(_AND.join(self._policies.render(mark, form) for mark in said) for form in forms)
        except MarkingError:
            return ""
        if len(written) == 1 or not words:
            return next(iter(written))
        return max(written, key=lambda text: (text == words, SequenceMatcher(None, text, words).ratio()))

    def _same(self, written: str, kind: Kind, marks: list[Mark]) -> bool:
        """Whether that says just what was understood: a fix never changes what a mark means."""
        heard = self._readings(written, _FORM[kind])
        return len(heard) == len(marks) and all(
            any(each.right and each.mark == mark for each in part) for part, mark in zip(heard, marks, strict=True)
        )


def _chosen(readings: tuple[Parsed, ...], own: str) -> Parsed | None:
    """The right reading of the text's own policy, else another's right one, else its own wrong one, else any."""
    ranked = sorted(readings, key=lambda each: (not each.right, each.mark.policy != own))
    return ranked[0] if ranked else None


def _strange(parsed: Parsed) -> bool:
    """Whether nobody knows the level."""
    return any(finding.rule == "unknown-level" for finding in parsed.findings)


def _without_level(parsed: Parsed) -> Iterable[Finding]:
    return (finding for finding in parsed.findings if finding.rule != "unknown-level")


def _unlike(parsed: Parsed, words: str) -> Parsed:
    """A banner that is written like a portion mark, or the other way round."""
    found = Finding("abbreviation", "warning", 0, len(words), (("control", words),), fix=words)
    return Parsed(parsed.mark, (*parsed.findings, found))


def words_of(spot: Spot, text: str) -> str:
    """The words of a mark as they stand in the text."""
    return text[spot.at : spot.at + spot.length]
