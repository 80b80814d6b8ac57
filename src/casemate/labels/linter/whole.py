"""One look at one text: each mark at its place, then the whole against its parts.

A banner is only ever raised, to what no mark of the text is above; a mark is only ever written as it was understood.
It must never take a finding back, and never look at a text twice in different ways.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from casemate.labels.linter.linted import Edit, Linted, Placed
from casemate.labels.linter.said import Hearing, words_of
from casemate.labels.linter.text import BANNER, Spot, body, runs
from casemate.labels.listed import Policies
from casemate.labels.mark import Finding, Mark, Severity
from casemate.labels.rollup.reason import Reason, Rolled
from casemate.labels.rollup.roll import roll_up

__all__ = ["Look"]

_COMPILED = "compilation"  # the same word in English and in French
_AUTHORITY = ("classified by", "derived from", "classification authority")
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
_UNSEEN += "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff \t"
_NAMED = 12  # controls in one sentence
_PAGES = 3  # on how many pages the same line stands, digits aside, before it is nobody's paragraph
_PARAGRAPHS = {
    "us": {
        "abbreviation": "D.1",
        "authority-missing": "B.8",
        "banner-above": "D.2",
        "banner-amid": "D",
        "banner-below": "D.2",
        "banner-missing": "D.1",
        "banner-once": "D",
        "banners-differ": "D",
        "brackets": "C.1",
        "compilation": "B.7",
        "disguise": "C.1",
        "glued": "C.1",
        "portions-missing": "C",
        "two-marks": "A.6",
        "unclosed": "C.1",
        "unknown-level": "H.1",
        "unmarked": "C",
    }
}


@dataclass(slots=True)
class Look:
    """One look at one text."""

    policies: Policies
    hearing: Hearing
    text: str
    own: str
    placed: Sequence[Placed] = ()
    banners: list[Placed] = field(default_factory=list)
    portions: list[Placed] = field(default_factory=list)
    unmarked: list[Spot] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    edits: dict[int, Edit] = field(default_factory=dict)
    all: tuple[Mark, ...] = ()
    rolled_up: dict[tuple[object, ...], Rolled] = field(default_factory=dict)

    def at_all(self) -> Linted:
        """Every check, one after the other."""
        for placed in self.placed:
            self._mark(placed)
        rolled = self._whole() if self.banners or self.portions else None
        self._paragraphs(rolled)
        banner = self._written(rolled.marks) if rolled else ""
        return Linted(
            self.own,
            tuple(sorted(self.findings, key=_place)),
            tuple(self.banners),
            tuple(self.portions),
            tuple(self.unmarked),
            rolled,
            banner,
            tuple(self.edits[start] for start in sorted(self.edits)),
        )

    # ---- one mark ------------------------------------------------------------------------------------------------

    def _mark(self, placed: Placed) -> None:
        """The findings of a mark at its place, and how the whole of it may be written."""
        spot, said = placed
        for finding in said.findings:
            paragraph = finding.paragraph or self._paragraph(finding.rule)
            start, end = spot.at + finding.start, spot.at + finding.end
            self.findings.append(replace(finding, start=start, end=end, paragraph=paragraph))
        words = said.right if said.right is not None else words_of(spot, self.text)
        if spot.kind == BANNER:
            if said.right is not None:
                self._edit(spot.start, spot.end, words)
            return
        first = self.text[spot.at - 1 :][:1]
        match spot.odd:
            case "brackets":
                self._find("brackets", "warning", spot.start, spot.end, fix=f"({words_of(spot, self.text)})")
            case "glued":
                self._find("glued", "warning", spot.end, spot.end, fix=" ")
            case "unclosed":
                self._find("unclosed", "error", spot.start, spot.end)
            case "hidden":
                self._hidden(spot)
        if said.right is not None or spot.odd in ("brackets", "glued"):
            close = self.text[spot.at + spot.length : spot.end]
            opened, closed = ("(", ")") if first == "[" else (first, close)
            gap = " " if spot.odd == "glued" else ""
            self._edit(spot.start, spot.end, f"{opened}{words}{closed}{gap}")

    def _hidden(self, spot: Spot) -> None:
        """Characters that no reader sees stand before a mark: nothing that means anything goes with them."""
        start = end = spot.start
        while start and self.text[start - 1] in _UNSEEN:
            start -= 1
        self._find("disguise", "error", start, end, fix="" if start < end else None)
        if start < end:
            self._edit(start, end, "")

    # ---- the whole -----------------------------------------------------------------------------------------------

    def _whole(self) -> Rolled:
        """The roll-up of the portions, and each banner held against it."""
        inner = [each for each in self.banners if not each.spot.edge]
        for each in inner:
            self._find("banner-amid", "note", each.spot.start, each.spot.end)
        found = [list(run) for run in runs(each.spot for each in self.banners if each.spot.edge)]
        by_spot = {each.spot: each.said.marks for each in self.banners}
        stated = [self._one(tuple(mark for spot in run for mark in by_spot[spot])) for run in found]
        marked = [*self.portions, *inner]
        marks = _distinct(mark for each in marked for mark in each.said.marks)
        if not marks:
            self._alone(found, stated)
            return self._roll(_distinct(mark for run in stated for mark in run))
        if not found:
            rolled = self._roll(marks)
            banner = self._written(rolled.marks)
            at = body(self.text)
            self._find("banner-missing", "error", at, at, (("banner", banner),), self._insert(at, banner))
            return rolled
        self.all = (*marks, *_distinct(mark for run in stated for mark in run))
        low = [self._banner(run, said, stated[0], marks, marked) for run, said in zip(found, stated, strict=True)]
        outer = [at for at, run in enumerate(found) if run[0].page == 0 and not low[at]]
        self._agree([found[at] for at in outer], [stated[at] for at in outer])
        if len(found) == 1:
            self._once(found[0])
        every = _distinct(mark for run in stated for mark in run)
        if every != stated[0] and not low[0] and not self._roll(every).label <= self._roll(stated[0]).label:
            self._later(found[0], self._roll(every, stated[0]))
        reason = self._reason()
        return self._roll(marks, self._one(every), self.text[slice(*reason)].strip() if reason else "")

    def _later(self, first: list[Spot], rolled: Rolled) -> None:
        """A later page's banner says more than the one of the whole, which has to say it too."""
        if not any(finding.start == first[0].start and finding.rule == "banners-differ" for finding in self.findings):
            missing = _named([reason for reason in rolled.reasons if reason.effect == "missing"])
            self._raise("banner-below", first, (("missing", missing),))

    def _alone(self, found: list[list[Spot]], stated: list[tuple[Mark, ...]]) -> None:
        """Banners, and no portion mark: they have to agree, and what is classified or controlled has to be marked."""
        self.all = _distinct(mark for run in stated for mark in run)
        self._agree(found, stated)
        bottoms = {name: policy.levels[0].name for name, policy in self.policies.listed.items()}
        said = stated[0] if stated else ()
        marked = any(mark.values or mark.level != bottoms[mark.policy] for mark in said)
        if found and marked and "portions-missing" in _PARAGRAPHS.get(self.own, ()):
            self._find("portions-missing", "warning", found[0][0].start, found[0][-1].end)

    def _banner(
        self,
        run: list[Spot],
        said: tuple[Mark, ...],
        first: tuple[Mark, ...],
        marks: tuple[Mark, ...],
        marked: Sequence[Placed],
    ) -> bool:
        """One banner: whether it is below its portions (inside, those of its page); above them only for a reason."""
        page = run[0].page
        if page > 0 and said != first:
            here = _distinct(mark for each in marked if each.spot.page == page for mark in each.said.marks)
            marks = here or said
        rolled = self._roll(marks, said)
        missing = [reason for reason in rolled.reasons if reason.effect == "missing"]
        if missing and self._roll((*marks, *said)).marks != said:  # FOUO is not written above UNCLASSIFIED
            facts = (("missing", _named(missing)),)
            self._raise("banner-below", run, facts, missing[0].paragraph)
            return True
        above = [reason for reason in rolled.reasons if reason.effect == "unfounded"]
        if above and said == first and page == self.banners[0].spot.page and run[0] == self.banners[0].spot:
            self._above(run, above[0].paragraph, _named(above))
        return False

    def _agree(self, found: list[list[Spot]], stated: list[tuple[Mark, ...]]) -> None:
        """Banners of the whole are the same: each that is not what all together have to be is raised to it."""
        if len(set(stated)) > 1:
            whole = self._roll(self.all).marks
            for run, said in zip(found, stated, strict=True):
                if said != whole:
                    self._raise("banners-differ", run)

    def _above(self, run: list[Spot], paragraph: str, controls: str) -> None:
        """Above what its portions say: by compilation, or because of what bears no mark, or wrongly."""
        facts = (("controls", controls),)
        reason = self._reason()
        if reason is not None:
            self._find("compilation", "note", *reason, facts)
            return
        severity: Severity = "warning" if self.unmarked else "error"
        self._find("banner-above", severity, run[0].start, run[-1].end, facts, paragraph=paragraph)

    def _once(self, run: list[Spot]) -> None:
        """A banner at one end alone of a text that is no sequence of pages."""
        if "\f" in self.text.strip() or not self.portions:
            return
        need = self._need()
        if run[0].start < self.portions[0].spot.start:
            end = len(self.text)
            gap = self._line if self.text.endswith(("\n", "\r")) else self._line * 2
            fix = f"{gap}{need}{self._line}"
            self._find("banner-once", "warning", end, end, (("banner", need), ("where", "bottom")), fix)
            self._edit(end, end, fix)
        elif run[0].start > self.portions[-1].spot.start:
            at = body(self.text)
            self._find("banner-once", "warning", at, at, (("banner", need), ("where", "top")), self._insert(at, need))

    def _paragraphs(self, rolled: Rolled | None) -> None:
        """What bears no mark, beside what does; and who classified it."""
        often = Counter(_shape(spot, self.text) for spot in self.unmarked if spot.page or "\f" in self.text)
        self.unmarked = [spot for spot in self.unmarked if often[_shape(spot, self.text)] < _PAGES]
        if self.portions:
            for spot in self.unmarked:
                self._find("unmarked", "warning", spot.start, spot.end)
        bottom = self.policies.listed[self.own].levels[0].name if self.own else ""
        high = rolled is not None and any(mark.policy == self.own and mark.level != bottom for mark in rolled.marks)
        if high and "authority-missing" in _PARAGRAPHS.get(self.own, ()) and not self._authority():
            self._find("authority-missing", "note", 0, 0)

    # ---- what the checks share -----------------------------------------------------------------------------------

    def _find(
        self,
        rule: str,
        severity: Severity,
        start: int,
        end: int,
        facts: tuple[tuple[str, str], ...] = (),
        fix: str | None = None,
        paragraph: str = "",
    ) -> None:
        self.findings.append(Finding(rule, severity, start, end, facts, paragraph or self._paragraph(rule), fix))

    def _need(self) -> str:
        """What a banner says that is not below any mark of the text, the other banners included."""
        return self._written(self._roll(self.all).marks)

    def _raise(self, rule: str, run: list[Spot], facts: tuple[tuple[str, str], ...] = (), paragraph: str = "") -> None:
        """A finding about a banner, in whose place one may be written that nothing is above."""
        need = self._need()
        start, end = run[0].start, run[-1].end
        told = sum(spot.end - spot.start for spot in run)
        whole = told + sum(c.isspace() for c in self.text[start:end]) >= end - start  # nothing else stands between
        fix = need if need and (len(run) == 1 or whole) else None
        self._find(rule, "error", start, end, (*facts, ("banner", need)), fix, paragraph)
        if fix is not None:
            for spot in run:
                self.edits.pop(spot.start, None)
            self._edit(start, end, fix)

    def _paragraph(self, rule: str) -> str:
        return _PARAGRAPHS.get(self.own, {}).get(rule, "")

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits[start] = Edit(start, end, text)

    def _insert(self, at: int, banner: str) -> str | None:
        """A banner at the beginning; None where it cannot be written."""
        if not banner:
            return None
        fix = f"{banner}{self._line * 2}"
        self._edit(at, at, fix)
        return fix

    @property
    def _line(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _reason(self) -> tuple[int, int] | None:
        """Where a sentence speaks of compilation: whether it is a reason, a person has to say."""
        at = self.text.lower().find(_COMPILED)
        if at < 0:
            return None
        end = self.text.find("\n", at)
        return self.text.rfind("\n", 0, at) + 1, len(self.text) if end < 0 else end

    def _authority(self) -> bool:
        """Whether the text says who classified it."""
        lowered = self.text.lower()
        return any(words in lowered for words in _AUTHORITY)

    def _one(self, marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        """A banner's marks, one for each policy."""
        if len({mark.policy for mark in marks}) == len(marks):
            return marks
        return self._roll(marks).marks

    def _roll(self, marks: tuple[Mark, ...], stated: tuple[Mark, ...] = (), compilation: str = "") -> Rolled:
        key = (marks, stated, compilation)
        if key not in self.rolled_up:
            self.rolled_up[key] = roll_up(self.policies, marks, stated=stated, compilation=compilation)
        return self.rolled_up[key]

    def _written(self, marks: tuple[Mark, ...]) -> str:
        words = words_of(self.banners[0].spot, self.text) if self.banners else ""
        return self.hearing.written(marks, BANNER, words)


def _named(reasons: Sequence[Reason]) -> str:
    """What reasons are about, in their order: of a tree its leaves, and of very many the first."""
    controls = dict.fromkeys(reason.control for reason in reasons)
    leaves = [each for each in controls if not any(other.startswith(f"{each}-") for other in controls)]
    return ", ".join(leaves[:_NAMED]) + (", …" if len(leaves) > _NAMED else "")


def _distinct(marks: object) -> tuple[Mark, ...]:
    return tuple(dict.fromkeys(marks))  # type: ignore[call-overload]


def _place(finding: Finding) -> tuple[int, int, str]:
    return finding.start, finding.end, finding.rule


def _shape(spot: Spot, text: str) -> str:
    """A line without its digits: what runs along the edges of pages looks the same on each."""
    return re.sub(r"\d+", "#", text[spot.start : spot.end][:200])
