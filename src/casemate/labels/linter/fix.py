"""The fixer: a text with every fix of the linter written into it that needs no person to decide.

A mark is written as its policy prescribes and means what it meant; a banner is written where one is missing, and raised
where it is below its portions. It must never lower anything, never touch a word that is no mark, and change nothing in
a text that it has written itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.labels.linter.lint import lint
from casemate.labels.linter.linted import Edit, Linted
from casemate.labels.listed import Policies

__all__ = ["Fixed", "fix"]

_ROUNDS = 4  # a banner that is raised may make another differ from it; more than these have never been needed


@dataclass(frozen=True, slots=True)
class Fixed:
    """`edits`: what was written at first, by places in the text before; `linted`: what is left, in the text after."""

    text: str
    edits: tuple[Edit, ...]
    linted: Linted


def fix(policies: Policies, text: str) -> Fixed:
    """The text with its fixes, and what only a person can say."""
    linted = lint(policies, text)
    first, rounds = linted.edits, 0
    while linted.edits and rounds < _ROUNDS:
        rounds += 1
        text = applied(text, linted.edits)
        linted = lint(policies, text)
    return Fixed(text, first, linted)


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with these edits, none of which overlaps another."""
    pieces: list[str] = []
    last = 0
    for edit in edits:
        pieces += [text[last : edit.start], edit.text]
        last = edit.end
    return "".join([*pieces, text[last:]])
