"""A spill as it is kept: what it is about, what was found, how far it has been contained, who ordered it.

    open ──▶ frozen ──▶ working ──▶ done          every arrow can be gone again after a crash, from what lies there
                 └────▶ lifted                    it was a mistake: what was frozen is served again

It lies at the true label, which dominates all that it names; what lies elsewhere is contained too and told to nobody.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.custody.lineage import Lineage
from casemate.custody.quotes import Words
from casemate.objects import Kind

__all__ = [
    "BEYOND",
    "ENDED",
    "KNOWN",
    "SPILL",
    "Alike",
    "Beyond",
    "Case",
    "How",
    "Item",
    "Known",
    "Left",
    "Remains",
    "Report",
    "Saw",
]

How = Literal["", "relabel", "shred"]
ENDED = ("done", "lifted")


class Item(msgspec.Struct, frozen=True):
    """Something to be contained, or that lies high enough (`stays`). `quotes`: found by its words alone.

    `frozen`: it is held back already.
    """

    ref: str
    kind: str
    id: str
    label: str
    mark: str
    title: str
    quotes: bool = False
    stays: bool = False
    frozen: bool = False


class Alike(msgspec.Struct, frozen=True):
    """Something that somebody brought and that says the same: nobody touches it but on an order of its own."""

    ref: str
    label: str
    mark: str


class Saw(msgspec.Struct, frozen=True):
    """A request that gave something of it to somebody. Times in microseconds."""

    principal: str
    session: str
    action: str
    outcome: str
    at: int
    entry: str
    label: str


class Left(msgspec.Struct, frozen=True):
    """Something of it that went down through the release door."""

    release: str
    target: str
    landed: str
    at: int


class Remains(msgspec.Struct, frozen=True):
    """Something that is not destroyed: a row that stays frozen, or (`outside`) bytes that lie outside the region.

    `where` is "" for a row, and where the label of the report may not be told.
    """

    ref: str
    label: str
    mark: str
    outside: bool = False
    where: str = ""


class Report(msgspec.Struct, frozen=True):
    """All that is visible at the label at which it was made. `counts` are of `items`: label, kind, how many."""

    object: str
    true: str
    at: int
    solo: bool
    items: tuple[Item, ...]
    counts: tuple[tuple[str, str, int], ...]
    alike: tuple[Alike, ...]
    saw: tuple[Saw, ...]
    left: tuple[Left, ...]
    picture: Lineage
    remains: tuple[Remains, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """`by` ordered it and `second` agreed; `times`: when it came into each state. `report` is as of the order."""

    object: str
    true: str
    by: str
    at: int
    report: Report
    how: How = ""
    state: Literal["open", "frozen", "working", "done", "lifted"] = "open"
    second: str = ""
    solo: bool = False
    times: dict[str, int] = {}


class Beyond(msgspec.Struct, frozen=True):
    """How far a case has come in what its own label does not see. It lies where everything is seen."""

    state: str


class Known(msgspec.Struct, frozen=True):
    """By what everything is found again when it is no longer there: places (kind, id, class), and runs of its words.

    It lies beside its case, and goes when there is nothing left to find.
    """

    places: tuple[tuple[str, str, str], ...]
    words: Words


KNOWN = Kind("spill.known", Known)
BEYOND = Kind("spill.beyond", Beyond)
SPILL = Kind("spill", Case, indexed=("object",))
