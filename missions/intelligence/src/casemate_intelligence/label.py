"""Labels inside a job: a level, what must be held besides, and to whom it may go. A lattice; standard library alone.

The region holds the job's label; what is ordered here are the labels that statements brought with them, all of them at
or below the job's. What must never happen: that a mark which nobody knows is read as a low one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from casemate.errors import BadInput

__all__ = ["DEFAULT", "Label", "Scheme"]

DEFAULT = ("UNCLASSIFIED=U", "CONFIDENTIAL=C", "SECRET=S", "TOP SECRET=TS")
_NOBODY = "NOT RELEASABLE"
_NAME = re.compile(r"[A-Z0-9][A-Z0-9 _-]{0,39}")


@dataclass(frozen=True, slots=True)
class Label:
    """`level`: from 0 up. `needs`: each must be held. `releasable`: to these alone; None is nowhere restricted."""

    level: int
    needs: frozenset[str] = frozenset()
    releasable: frozenset[str] | None = None

    def flows_to(self, other: Label) -> bool:
        """Whether what bears this label may be seen at the other: an order in part, not in a line."""
        narrower = self.releasable is None or (other.releasable is not None and other.releasable <= self.releasable)
        return self.level <= other.level and self.needs <= other.needs and narrower

    def join(self, other: Label) -> Label:
        """The least label to which both flow."""
        if self.releasable is None or other.releasable is None:
            releasable = other.releasable if self.releasable is None else self.releasable
        else:
            releasable = self.releasable & other.releasable
        return Label(max(self.level, other.level), self.needs | other.needs, releasable)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The levels, lowest first, each `NAME=PORTION`; and how a label is read and written."""

    levels: tuple[str, ...] = DEFAULT

    def __post_init__(self) -> None:
        names = [part for level in self.levels for part in level.split("=")]
        if not self.levels or len(names) != 2 * len(self.levels) or len(set(names)) != len(names):
            raise BadInput(what="A level is written NAME=PORTION, lowest first, each with names of its own.")

    def read(self, text: str) -> Label:
        """`SECRET//SI/TK//REL TO FRA, USA`, or with the portion's `S//SI`. Raises BadInput for anything else."""
        first, *rest = [part.strip() for part in text.strip().split("//")]
        known = {name: at for at, level in enumerate(self.levels) for name in level.split("=")}
        if first not in known or len(rest) > 8:
            raise BadInput(what=f"{text[:80]} is no label of this run.")
        needs = set[str]()
        releasable: frozenset[str] | None = None
        for part in rest:
            names: Iterable[str] = ()
            if part == _NOBODY:
                releasable = frozenset[str]()
            elif part.startswith("REL TO"):
                releasable = frozenset(name.strip() for name in part[6:].split(","))
                names = releasable
            else:
                names = [name.strip() for name in part.split("/")]
                needs |= set(names)
            if not all(_NAME.fullmatch(name) for name in names):
                raise BadInput(what=f"{text[:80]} is no label of this run.")
        return Label(known[first], frozenset(needs), releasable)

    def write(self, label: Label, portion: bool = False) -> str:
        """The same label gives the same text: categories in the order of the alphabet."""
        parts = [self.levels[label.level].split("=")[1 if portion else 0]]
        if label.needs:
            parts.append("/".join(sorted(label.needs)))
        if label.releasable is not None:
            parts.append("REL TO " + ", ".join(sorted(label.releasable)) if label.releasable else _NOBODY)
        return "//".join(parts)

    def portion(self, label: Label) -> str:
        """As it stands before a paragraph."""
        return f"({self.write(label, portion=True)})"
