"""EXERCISE HARBOUR LANTERN: the invented documents, questions and principals that the demonstration and tests use.

Data only. This room gives bytes and text out of the package and knows no label: it must never decide who may see
what, and nothing in it may describe a real place, ship, person or event.

    documents()    the marked documents, in the order of their names
    questions()    what is asked, and for each principal the answers that he may be given
    principals()   who asks, with a clearance as text for `Policies.clearance`
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

__all__ = [
    "AGENCY",
    "CEILING",
    "POLICIES",
    "Answer",
    "Document",
    "Principal",
    "Question",
    "demo_questions",
    "documents",
    "principals",
    "questions",
]

AGENCY = "EXERCISE"
POLICIES = ("house", "tlp", "us", "nato", "fr")
CEILING = "ceiling"  # a clearance that no marking can spell: the region's own ceiling


@dataclass(frozen=True, slots=True)
class Document:
    """A marked text: a banner on the first and the last line, paragraphs between blank lines."""

    name: str
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8")

    @property
    def banner(self) -> str:
        return self.text.splitlines()[0]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What stands between the two banners, each paragraph with its portion mark."""
        return tuple(self.text.strip().split("\n\n")[1:-1])


@dataclass(frozen=True, slots=True)
class Answer:
    """A right answer: a phrase that occurs in one portion of the named document."""

    document: str
    phrase: str


@dataclass(frozen=True, slots=True)
class Question:
    """`expected` has one entry per principal; an empty one means that nothing visible to him answers."""

    id: str
    language: str
    text: str
    demo: bool
    near: bool
    answers: tuple[Answer, ...]
    expected: Mapping[str, tuple[Answer, ...]]

    @property
    def must_abstain(self) -> bool:
        """Nothing in the corpus answers, and none of it comes near."""
        return not self.answers and not self.near


@dataclass(frozen=True, slots=True)
class Principal:
    """`clearance` is text for `Policies.clearance`, or CEILING."""

    name: str
    title: Mapping[str, str]
    roles: tuple[str, ...]
    clearance: str
    demo: bool


@cache
def documents() -> tuple[Document, ...]:
    folder = files(__name__) / "corpus"
    found = (Document(file.name, file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".txt"))
    return tuple(sorted(found, key=lambda document: document.name))


@cache
def principals() -> tuple[Principal, ...]:
    return tuple(
        Principal(
            entry["name"], MappingProxyType(entry["title"]), tuple(entry["roles"]), entry["clearance"], entry["demo"]
        )
        for entry in _table("principals.toml")["principal"]
    )


@cache
def questions() -> tuple[Question, ...]:
    names = tuple(principal.name for principal in principals())
    return tuple(_question(entry, names) for entry in _table("questions.toml")["question"])


def demo_questions() -> tuple[Question, ...]:
    return tuple(question for question in questions() if question.demo)


def _question(entry: dict[str, Any], names: tuple[str, ...]) -> Question:
    answers = {answer["id"]: Answer(answer["document"], answer["phrase"]) for answer in entry.get("answers", ())}
    expected = entry.get("expected") or dict.fromkeys(names, ())
    return Question(
        id=entry["id"],
        language=entry["language"],
        text=entry["text"],
        demo=entry.get("demo", False),
        near=entry.get("near", False),
        answers=tuple(answers.values()),
        expected=MappingProxyType({name: tuple(answers[key] for key in expected[name]) for name in names}),
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__name__) / name).read_text(encoding="utf-8"))
