"""From a marking to what it says: a mark of one policy, with findings. Markings are read by look-up, never by guessing.

    head, then sections set apart by "//", items by "/"     `Scan` reads them from left to right
    the source's rules on the whole                          `rules`
    the higher reading                                       what is required is added; what contradicts opens nothing

A marking that names a known level and then something unknown or contradictory is still read, with its findings. It must
never return a mark below what the marking plainly says, and never raise on any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from casemate.labels.mark import Finding, Mark, Parsed
from casemate.labels.marking import ordered, render
from casemate.labels.owners import read_owners
from casemate.labels.policy import Policy
from casemate.labels.rules import Breach, breaches, higher
from casemate.labels.scan import Scan
from casemate.labels.vocabulary import Form, Vocabulary, words

__all__ = ["Grammar"]

_HEAD = re.compile(r"[A-Z][A-Z ]{0,39}")


@dataclass(frozen=True)
class Grammar:
    """Reads the markings of one policy."""

    policy: Policy

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.policy)

    def parse(self, text: str, form: Form, *, guess: bool = False) -> Parsed | None:
        """The reading of one line's worth of tidy text, without parentheses; None if it is no marking of this policy.

        `guess`: known controls behind an unknown level are a mark too, of the highest level.
        """
        return self.counted(text, form, guess=guess)[0]

    def counted(self, text: str, form: Form, *, guess: bool = False) -> tuple[Parsed | None, int]:
        """`parse`, and how many look-ups it took."""
        scan = Scan(self.policy, self.vocabulary, form)
        if text.startswith("//"):
            if self.policy.leading:
                return self._own(text, 2, scan, guess=False), scan.steps
            return (self._foreign(text, scan) if self.policy.foreign else None), scan.steps
        return self._own(text, 0, scan, guess=guess), scan.steps

    def _own(self, text: str, at: int, scan: Scan, *, guess: bool) -> Parsed | None:
        """A mark of the policy's own: a level, or what stands in its place, and sections."""
        cut = text.find("//", at)
        head = text[at:] if cut < 0 else text[at:cut]
        levels = self.vocabulary.levels[scan.form]
        rank = levels.get(head)
        if rank is None or self.vocabulary.glue:
            if not self.vocabulary.opening[scan.form].match(text, at):
                return self._unknown_level(text, head, scan) if guess and cut > 0 else None
            parts = list(self._sections(text, at))
            head = parts[0][1].strip()
            rank = levels.get(head)
            if rank is None:
                standing = self.vocabulary.standing[scan.form].get(head)
                if standing is None:
                    return self._loosely(text, at, scan)
                rank, found = standing
                owned = found.control is found.category.only
                scan.values[found.category.name] = [found.category.owner if owned else found.control.name]
                if found.legacy:
                    scan.note("withdrawn", "error", at, at + len(head), None, was=head)
            elif parts[0][1] != head:
                scan.note("separator", "warning", at + len(head), at + len(parts[0][1]), "", paragraph="A.6, p. 15")
            for start, section in parts[1:]:
                scan.section(start, section, last=start == parts[-1][0])
        elif cut >= 0:
            scan.sections(text, cut + 2)
        level = self.policy.levels[rank]
        if level.legacy and head in level.legacy:
            scan.note("withdrawn", "error", at, at + len(head), None, was=head)
        if scan.bad and scan.form == "full":
            return None  # a banner is in capitals: this is a sentence that begins like one
        return self._parsed(text, level.name, (), scan)

    def _sections(self, text: str, at: int) -> Iterator[tuple[int, str]]:
        """The sections from a place on, each with its own."""
        glue = self.vocabulary.glue
        if glue is None:
            for section in text[at:].split("//"):
                yield at, section
                at += len(section) + 2
            return
        for found in glue.finditer(text, at):
            yield at, text[at : found.start()]
            at = found.end()
        yield at, text[at:]

    def _foreign(self, text: str, scan: Scan) -> Parsed | None:
        """A mark that opens with "//" names its owners and a level: "//JOINT SECRET CAN USA", "(//DEU S)"."""
        cut = text.find("//", 2)
        section = text[2:] if cut < 0 else text[2:cut]
        read = read_owners(self.vocabulary, section, scan)
        if read is None:
            return None
        scan.owned = True
        if cut >= 0:
            scan.sections(text, cut + 2)
        if scan.bad and scan.form == "full":
            return None
        return self._parsed(text, read[0], read[1], scan)

    def _unknown_level(self, text: str, head: str, scan: Scan) -> Parsed | None:
        """Known controls behind what is no level: the highest, until a person says which."""
        if not _HEAD.fullmatch(head) or self.policy.common:
            return None
        scan.sections(text, len(head) + 2)
        if not scan.values or any(finding.rule in {"unknown-control", "undeclared"} for finding in scan.findings):
            return None
        scan.note("unknown-level", "error", 0, len(head), None, level=head, paragraph="G.1, p. 36")
        return self._parsed(text, self.policy.levels[-1].name, (), scan)

    def _parsed(self, text: str, level: str, owners: tuple[str, ...], scan: Scan) -> Parsed:
        found = breaches(self.policy, level, scan.values, owners)
        values = higher(self.policy, scan.values, found) if found else scan.values
        said = tuple([(name, tuple(values[name])) for name in self._names if name in values])
        mark = Mark(self.policy.name, level, said, owners)
        if found or scan.disordered or not self._mixed.isdisjoint(values):
            mark = ordered(self.policy, mark)
        if not found and not scan.findings and not scan.disordered:
            return Parsed(mark)
        findings = [*scan.findings, *self._judged(text, mark, found, scan)]
        if scan.disordered:
            fix = self._written(mark, scan.form) if _plain(findings) else None
            rule, token = scan.disordered
            findings.append(Finding(rule, "warning", 0, len(text), (("control", token),), "A.6, pp. 15-16", fix))
        return Parsed(mark, tuple(sorted(findings, key=_place)))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(category.name for category in self.policy.categories)

    @cached_property
    def _mixed(self) -> frozenset[str]:
        """The categories whose controls stand in several sections, so that they are not read in their order."""
        return frozenset(c.name for c in self.policy.categories if any(each.section for each in c.tokens.values()))

    def _judged(self, text: str, mark: Mark, found: list[Breach], scan: Scan) -> Iterator[Finding]:
        """The breaches with their places. What a control requires is added by writing the whole mark again."""
        plain = _plain(scan.findings)
        for breach in found:
            start, end = scan.span(breach.control.name, breach.category) or (0, len(text))
            fix: str | None = None
            if breach.rule == "requires" and breach.severity == "error" and plain and breach.control.requires:
                written = self._written(mark, scan.form)
                if written != text:
                    start, end, fix = 0, len(text), written
            elif breach.drop and start > 1 and not self._parted(breach, scan):
                start, end, fix = _removed(text, start, end)
            yield Finding(breach.rule, breach.severity, start, end, breach.facts, breach.control.source, fix)

    def _parted(self, breach: Breach, scan: Scan) -> bool:
        """Whether the item says more than the control, which would be lost with it."""
        return any(token.startswith(f"{breach.control.name}-") for token in scan.values.get(breach.category, ()))

    def _written(self, mark: Mark, form: Form) -> str:
        return render(self.policy, mark, "portion" if form == "portion" else "en")

    def _loosely(self, text: str, at: int, scan: Scan) -> Parsed | None:
        """A level followed by nothing but known controls, wrongly separated: "SECRET NOFORN", "S/NF"."""
        opened = self.vocabulary.opening[scan.form].match(text, at)
        level = opened.group() if opened else ""
        rank = self.vocabulary.levels[scan.form].get(level)
        if rank is None:
            return None
        spoken = words(text[at + len(level) :])
        line = f" {' '.join(spoken)} "
        if not set(spoken) <= self.vocabulary.known_words or not any(t in line for t in self.vocabulary.telling):
            return None
        understood = Scan(self.policy, self.vocabulary, "any")
        read = self._spoken(spoken, understood)
        scan.steps += understood.steps
        scan.values = understood.values
        parsed = self._parsed(text, self.policy.levels[rank].name, (), scan)
        fix = self._written(parsed.mark, scan.form) if read and _plain(understood.findings) else None
        finding = Finding("separator", "error", 0, len(text), (("was", text),), "A.6, p. 15", fix)
        return Parsed(parsed.mark, (finding,))

    def _spoken(self, spoken: list[str], scan: Scan) -> bool:
        """The controls that a row of words says, the longest first; False if some word says none."""
        phrases, at, whole = self.vocabulary.phrases, 0, True
        longest = max(map(len, phrases), default=0)
        while at < len(spoken):
            scan.steps += 1
            lengths = range(min(longest, len(spoken) - at), 0, -1)
            length = next((n for n in lengths if tuple(spoken[at : at + n]) in phrases), 0)
            if not length:
                whole, at = False, at + 1
                continue
            item = phrases[tuple(spoken[at : at + length])]
            at += length
            opened = self.vocabulary.opened(item)
            if opened is not None:
                known = self.vocabulary.recipients[opened.category.name]
                names = []
                while at < len(spoken) and spoken[at] in known:
                    names.append(spoken[at])
                    at += 1
                separator = opened.category.listing.separator if opened.category.listing else ", "
                item += separator.join(names)
            scan.section(0, item, last=True)
        return whole


def _removed(text: str, start: int, end: int) -> tuple[int, int, str | None]:
    """An item with what sets it apart from its like, or the whole of its section where it stands alone."""
    behind, before = text[start - 2 : start], text[end : end + 2]
    if behind != "//":
        return start - 1, end, ""
    if before in ("", "//"):
        return start - 2, end, ""
    return start, end + 1, ""


def _plain(findings: list[Finding]) -> bool:
    """Whether all that was read was understood, so that the mark may be written in place of the text."""
    return not any(finding.severity == "error" and finding.rule != "requires" for finding in findings)


def _place(finding: Finding) -> tuple[int, int]:
    return finding.start, finding.end
