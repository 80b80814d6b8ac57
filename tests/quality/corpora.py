"""The three corpora that the questions are about, read as the product reads them: passages by label.

The documents go by the names that the questions use: the key of a division of the volume, `capco`, a file name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from casemate import exercise
from casemate.cells.extract import Part, Request, extract
from casemate.knowledge import Block, Marked, Passage, passages, read
from casemate.knowledge.evaluate import Question, questions
from casemate.labels import Label, Policies

__all__ = ["BASE", "CORPORA", "POLICIES", "asked", "clearance", "corpus"]

CORPORA = ("frus", "capco", "exercise")
POLICIES = Policies.load(exercise.POLICIES)
BASE = POLICIES.bottom((exercise.AGENCY,))
FRUS, CAPCO = "frus/frus1934v04.xml", "labels/capco-2016/CAPCO-2016.pdf"
World = Mapping[Label, tuple[Passage, ...]]


def asked(name: str) -> tuple[Question, ...]:
    """The questions on a corpus."""
    return questions(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def corpus(name: str, data: Path) -> World:
    """Its passages. `data`: the folder of real documents, which `exercise` does not need."""
    if name == "exercise":
        return _labelled([(each.name, _blocks(each.name, each.data)[0], "") for each in exercise.documents()])
    raw = data / (FRUS if name == "frus" else CAPCO)
    parts = extract(Request(name=raw.name, data=raw.read_bytes())).parts
    stated = "house:INTERNAL" if name == "frus" else "us:UNCLASSIFIED//FOUO"
    return _labelled([(part.key or name, _of(part), part.title) for part in parts], POLICIES.parse(stated))


def clearance(principal: exercise.Principal) -> Label:
    """What somebody of the exercise may see."""
    agencies = (exercise.AGENCY,)
    if principal.clearance == exercise.CEILING:
        return POLICIES.top(agencies)
    return POLICIES.clearance(principal.clearance, agencies)


def _labelled(documents: list[tuple[str, list[Block], str]], stated: Label | None = None) -> World:
    """With a label stated, marks in a text are words of it."""
    made: dict[Label, list[Passage]] = {}
    for name, blocks, title in documents:
        found = read(blocks, POLICIES, BASE, stated, as_text=True) if stated else read(blocks, POLICIES, BASE)
        assert isinstance(found, Marked), (name, found)
        for label in found.labels():
            made.setdefault(label, []).extend(passages(found.portions, label, name, title))
    return {label: tuple(chosen) for label, chosen in made.items()}


def _blocks(name: str, raw: bytes) -> list[list[Block]]:
    return [_of(part) for part in extract(Request(name=name, data=raw)).parts]


def _of(part: Part) -> list[Block]:
    paged = len(part.pages) > 1
    return [
        Block(paragraph.text, number if paged else 0, paragraph.kind)
        for number, page in enumerate(part.pages, start=1)
        for paragraph in page
    ]
