"""An answer: its rungs as marked paragraphs, lowest first, and where in the text each citation stands.

A paragraph is a function of its rung alone: it is byte for byte the paragraph of that label in any answer to the same
question and floor. Nothing here cuts or joins rungs; a releasable version is made by asking again at a lower label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.labels import Label, Policies
from casemate.models import Citation
from casemate.words import say

__all__ = ["Answer", "Place", "Rung", "abstention", "answer", "paragraph", "paragraph_of", "places", "text"]

_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Rung:
    """One paragraph: who wrote it (`engine`), and a `note` where that is not who was asked."""

    label: Label
    text: str
    citations: tuple[Citation, ...] = ()
    engine: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is given to the caller: handled at `label`, the acting label, whatever its rungs are."""

    label: Label
    rungs: tuple[Rung, ...]
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A citation's number in the whole text, `start` to `end`; at the end of its paragraph where it is not written."""

    citation: Citation
    rung: int
    start: int
    end: int


def answer(label: Label, rungs: Sequence[Rung], language: str = "en") -> Answer:
    """An answer at `label` of these rungs, which are in order and flow to it; one abstention where there is none."""
    if any(not rung.label <= label for rung in rungs):
        raise ValueError("a rung above its answer")
    if not rungs:
        return Answer(label, (abstention(label, language),), abstained=True)
    return Answer(label, tuple(rungs))


def paragraph_of(words: str, policies: Policies) -> str:
    """What an engine wrote, as one paragraph of ours: it bears our mark, and nothing in it looks like another.

    A line that reads as a mark is put in quotation marks, so that nobody, and no reader of portions, takes it for one.
    """
    lines = [line.strip() for line in words.splitlines()]
    return "\n".join(f"“{line}”" if _marks(line, policies) else line for line in lines if line)


def _marks(line: str, policies: Policies) -> bool:
    return bool(policies.read_banner(line) or policies.read_portion(line)[0])


def abstention(label: Label, language: str = "en") -> Rung:
    """The paragraph that says that nothing here answers the question."""
    return Rung(label, say("assistants.abstain", language))


def paragraph(rung: Rung, policies: Policies) -> str:
    """The rung as it is written: its mark, its text, its note."""
    return " ".join(part for part in (policies.portion(rung.label), rung.text, rung.note) if part)


def text(answer: Answer, policies: Policies) -> str:
    """The whole answer as text."""
    return _GAP.join(paragraph(rung, policies) for rung in answer.rungs)


def places(answer: Answer, policies: Policies) -> tuple[Place, ...]:
    """Each citation with its first place in `text`, in Unicode code points."""
    found: list[Place] = []
    start = 0
    for at, rung in enumerate(answer.rungs):
        written = paragraph(rung, policies)
        for citation in rung.citations:
            match = re.search(rf"\[{citation.number}\]", written)
            span = match.span() if match else (len(written), len(written))
            found.append(Place(citation, at, start + span[0], start + span[1]))
        start += len(written) + len(_GAP)
    return tuple(found)
