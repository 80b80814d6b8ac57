"""What the linter gives: the marks of a text with their places, what is wrong with them, and what may be written.

It holds values and nothing that makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from casemate.labels.linter.said import Said
from casemate.labels.linter.text import Spot
from casemate.labels.mark import Finding
from casemate.labels.rollup.reason import Rolled

__all__ = ["Edit", "Linted", "Placed"]


class Placed(NamedTuple):
    """A mark of the text: where it stands, and what it says."""

    spot: Spot
    said: Said


class Edit(NamedTuple):
    """text[start:end] may be replaced by `text`, whatever becomes of the other edits."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Linted:
    """A text's marks, and what is wrong with them. Places are offsets in the text.

    `policy`: the one that the text speaks, "" where it bears no mark. `rolled`: what its portions (without any: its
    banner) roll up to; `banner`: how that is written, "" where it cannot be. `edits`: all fixes together, none of which
    overlaps another.
    """

    policy: str
    findings: tuple[Finding, ...]
    banners: tuple[Placed, ...] = ()
    portions: tuple[Placed, ...] = ()
    unmarked: tuple[Spot, ...] = ()
    rolled: Rolled | None = None
    banner: str = ""
    edits: tuple[Edit, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether a person need not look: notes are for information alone."""
        return all(finding.severity == "note" for finding in self.findings)
