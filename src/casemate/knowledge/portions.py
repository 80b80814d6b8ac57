"""From a document's text to its label and its labelled portions, by its own marks: read, never guessed.

    marks found, and they agree         -> Marked      (banner = label of the whole; each portion by its mark)
    no marks                            -> Unmarked    (or Marked, where the caller states a label)
    marks unknown, unlisted, in dispute -> Quarantine  (with the reason, at the join of all that could be read)

The rules, all of them towards the higher side: the first banner is the whole document's, and nothing in it may be above
it; without a banner the whole is the join of its portions. A portion runs until its paragraph ends; whatever bears no
mark of its own - headings and list items too - has the label of the whole. A portion is above a banner where joining
it would change how the banner is written, so that FOUO, which no classified banner shows, is no contradiction.
A copyright sign is no mark. What the marks *mean* is `labels`' business; where they stand is `marks`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from casemate.knowledge import marks
from casemate.knowledge.marks import HEADING, PARAGRAPH, Block, Piece
from casemate.knowledge.settle import Settled, Unsettled, settle
from casemate.labels import Label, Policies

__all__ = [
    "HEADING",
    "PARAGRAPH",
    "Block",
    "Marked",
    "Outcome",
    "Portion",
    "Quarantine",
    "Unmarked",
    "label_all",
    "read",
]


@dataclass(frozen=True, slots=True)
class Portion:
    """A stretch of text under one label. `mark` as it was written ("" where it took the document's label).

    `ordinal` counts the portions of the whole document, the hidden ones included: it is never shown or stored below.
    """

    label: Label
    text: str
    mark: str
    ordinal: int
    page: int = 0
    kind: str = PARAGRAPH


@dataclass(frozen=True, slots=True)
class Marked:
    """A document whose every word has a label. `banner` as written, "" where there was none."""

    label: Label
    portions: tuple[Portion, ...]
    banner: str = ""

    @property
    def by_portions(self) -> bool:
        """Whether portions bear marks of their own: then titles and page numbers are made of visible portions only."""
        return any(portion.mark for portion in self.portions)

    def labels(self) -> tuple[Label, ...]:
        """The labels that portions have, by canonical text."""
        return tuple(sorted({portion.label for portion in self.portions}, key=lambda label: label.text))


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A document without any mark: somebody has to state its label."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A document that is kept from use. `reason` is a slug under `knowledge.quarantine`; `facts` fill its sentence."""

    reason: str
    label: Label
    facts: Mapping[str, str | int] = field(default_factory=dict)


Outcome = Marked | Unmarked | Quarantine


def read(
    blocks: Sequence[Block], policies: Policies, base: Label, stated: Label | None = None, as_text: bool = False
) -> Outcome:
    """What the marks of a document say.

    `base` is joined to every label (the owning agency, the floor of whoever brings it). `stated` is the label that the
    caller gives to what bears no mark; marks win over it, but may not exceed it. With `as_text` marks are examples of
    text, nothing is read and everything has the stated label.
    """
    if as_text:
        if stated is None:
            raise ValueError("marks as text need a stated label")
        return label_all(blocks, stated | base)
    pieces = marks.find(blocks, policies)
    if not any(piece.readings for piece in pieces):
        return Unmarked(tuple(blocks)) if stated is None else label_all(blocks, stated | base)
    settled = settle([piece for piece in pieces if piece.readings])
    if isinstance(settled, Unsettled):
        return Quarantine(settled.reason, base | settled.label if settled.label else base, settled.facts)
    outcome = _compose(pieces, settled, policies, base)
    if isinstance(outcome, Marked) and stated is not None and not outcome.label <= (stated | base):
        facts = {"marking": policies.banner(outcome.label), "stated": policies.banner(stated)}
        return Quarantine("above-stated", outcome.label, facts)
    return outcome


def label_all(blocks: Sequence[Block], label: Label) -> Marked:
    """Every block under one label, running headers and footers left out."""
    kept = marks.without_running(blocks)
    portions = [
        Portion(label, block.text, "", at, block.page, block.kind)
        for at, block in enumerate(block for block in kept if block.text.strip())
    ]
    return Marked(label, tuple(portions))


def _compose(pieces: Sequence[Piece], settled: Settled, policies: Policies, base: Label) -> Marked | Quarantine:
    """Hold the marks against each other, then give every piece its label."""
    own = {at: settled.label(piece) | base for at, piece in enumerate(pieces) if piece.readings}
    whole = reduce(or_, own.values(), base)
    banner = next((piece.mark for piece in pieces if piece.banner), "")
    if banner:
        wrong = _contradiction(pieces, own, policies)
        if wrong:
            return Quarantine(wrong[0], whole, wrong[1])
    portions: list[Portion] = []
    label = whole
    for at, piece in enumerate(pieces):
        if piece.banner:
            continue
        # A mark that opens a line amid a sentence may be a quoted one: it never lowers what it stands in.
        label = own.get(at, whole) | label if piece.amid else own.get(at, whole)
        if piece.text.strip():
            portions.append(Portion(label, piece.text, piece.mark, len(portions), piece.page, piece.kind))
    return Marked(whole, tuple(portions), banner)


def _contradiction(
    pieces: Sequence[Piece], own: Mapping[int, Label], policies: Policies
) -> tuple[str, dict[str, str | int]] | None:
    """The first reason why these marks cannot all be true."""
    banners = [at for at, piece in enumerate(pieces) if piece.banner]
    first = banners[0]
    shown = policies.banner(own[first])
    for at, label in own.items():
        if policies.banner(label | own[first]) != shown:
            reason = "banner-above" if pieces[at].banner else "portion-above"
            facts: dict[str, str | int] = {"marking": pieces[at].mark, "banner": pieces[first].mark}
            return reason, facts | {"page": pieces[at].page}
    for page in sorted({pieces[at].page for at in banners}):
        on_page = [at for at, piece in enumerate(pieces) if piece.page == page]
        top, bottom = on_page[0], on_page[-1]
        if pieces[top].banner and pieces[bottom].banner and own[top] is not own[bottom]:
            return "banners-differ", {"marking": pieces[bottom].mark, "banner": pieces[top].mark, "page": page}
    return None
