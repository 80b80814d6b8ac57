"""From a document's text to its label and its labelled portions, by its own marks: read, never guessed.

    marks found, and they agree         -> Marked      (banner = label of the whole; each portion by its mark)
    no marks                            -> Unmarked    (or Marked, where the caller states a label)
    marks unknown, unlisted, in dispute -> Quarantine  (with the reason, at the join of all that could be read)

The rules, all of them towards the higher side:
- The first banner at the edge of a page (with those right below it) is the whole document's; no mark may be above it.
  Without one, the whole is the join of its portions and of the label that the caller states.
- A banner amid the text speaks for nothing: it may not be above the whole, and alone it marks no document.
- A portion runs until its paragraph ends. Whatever bears no mark of its own, headings and list items too, has the
  label of the whole.
- A mark is above a banner where joining it would change how the banner is written: FOUO, which no classified banner
  shows, is no contradiction.

What marks *mean* is `labels`' business; where they stand is `marks`'; which policy they speak is `settle`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from casemate.knowledge.reading import marks
from casemate.knowledge.reading.marks import HEADING, PARAGRAPH, Block, Piece
from casemate.knowledge.reading.settle import Unsettled, settle
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
    "outer",
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
    blocks: Sequence[Block],
    policies: Policies,
    base: Label,
    stated: Label | None = None,
    as_text: bool = False,
    around: Sequence[Piece] = (),
) -> Outcome:
    """What the marks of a document say.

    `base` is joined to every label (the owning agency, the floor of whoever brings it). `stated` is the label that the
    caller gives to what bears no mark; marks win over it, but may not exceed it. With `as_text` marks are examples of
    text, nothing is read and everything has the stated label. `around`: see `outer`.
    """
    if as_text:
        if stated is None:
            raise ValueError("marks as text need a stated label")
        return label_all(blocks, stated | base)
    pieces = [*around, *marks.find(blocks, policies)]
    marked = [piece for piece in pieces if piece.readings]
    if not marked:
        return Unmarked(tuple(blocks)) if stated is None else label_all(blocks, stated | base)
    settled = settle(marked)
    if isinstance(settled, Unsettled):
        return Quarantine(settled.reason, base | settled.label if settled.label else base, settled.facts)
    own = {at: settled.label(piece) | base for at, piece in enumerate(pieces) if piece.readings}
    whole = reduce(or_, own.values(), base)
    if stated is not None and not whole <= (stated | base):
        facts = {"marking": policies.banner(whole), "stated": policies.banner(stated)}
        return Quarantine("above-stated", whole, facts)
    if all(piece.banner and not piece.edge for piece in marked):
        return Unmarked(tuple(blocks)) if stated is None else label_all(blocks, stated | base)
    return _compose(pieces, own, policies, whole, stated)


def outer(blocks: Sequence[Block], policies: Policies) -> tuple[Piece, ...]:
    """The marks of what stands in a file outside of its documents (a cover, a chapter's title), for `read`'s `around`.

    They are taken for banners of each document in it, on a page before its first; their words for nothing.
    """
    found = marks.find(blocks, policies)
    return tuple(replace(piece, text="", page=-1, banner=True, edge=True) for piece in found if piece.readings)


def label_all(blocks: Sequence[Block], label: Label) -> Marked:
    """Every block under one label, running headers and footers left out."""
    kept = marks.without_running(blocks)
    portions = [
        Portion(label, block.text, "", at, block.page, block.kind)
        for at, block in enumerate(block for block in kept if block.text.strip())
    ]
    return Marked(label, tuple(portions))


def _compose(
    pieces: Sequence[Piece], own: Mapping[int, Label], policies: Policies, whole: Label, stated: Label | None
) -> Marked | Quarantine:
    """Hold the marks against each other, then give every piece its label."""
    banners = _runs(pieces)
    if banners:
        wrong = _contradiction(pieces, own, policies, banners)
        if wrong:
            return Quarantine(wrong[0], whole, wrong[1])
    elif stated is not None:
        whole |= stated
    portions: list[Portion] = []
    label = whole
    for at, piece in enumerate(pieces):
        if piece.banner:
            continue
        # A mark that opens a line amid a sentence may be a quoted one: it never lowers what it stands in.
        label = own.get(at, whole) | label if piece.amid else own.get(at, whole)
        if piece.text.strip():
            portions.append(Portion(label, piece.text, piece.mark, len(portions), piece.page, piece.kind))
    return Marked(whole, tuple(portions), " ".join(pieces[at].mark for at in banners[0]) if banners else "")


def _runs(pieces: Sequence[Piece]) -> list[list[int]]:
    """The banners at edges, those of one page that follow each other taken together (a level and its mention)."""
    runs: list[list[int]] = []
    for at, piece in enumerate(pieces):
        if not (piece.banner and piece.edge):
            continue
        if runs and runs[-1][-1] == at - 1 and pieces[at - 1].page == piece.page:
            runs[-1].append(at)
        else:
            runs.append([at])
    return runs


def _contradiction(
    pieces: Sequence[Piece], own: Mapping[int, Label], policies: Policies, banners: Sequence[Sequence[int]]
) -> tuple[str, dict[str, str | int]] | None:
    """The first reason why these marks cannot all be true."""
    said = [reduce(or_, (own[at] for at in run)) for run in banners]
    shown = policies.banner(said[0])
    first = " ".join(pieces[at].mark for at in banners[0])
    for at, label in own.items():
        if policies.banner(label | said[0]) != shown:
            reason = "banner-above" if pieces[at].banner else "portion-above"
            return reason, {"marking": pieces[at].mark, "banner": first, "page": max(0, pieces[at].page)}
    standing: dict[int, list[int]] = {}
    for at, piece in enumerate(pieces):
        if piece.text or piece.banner:
            standing.setdefault(piece.page, []).append(at)
    bannered: dict[int, list[int]] = {}
    for at, run in enumerate(banners):
        bannered.setdefault(pieces[run[0]].page, []).append(at)
    for page, here in sorted(bannered.items()):
        on_page = standing[page]
        top, bottom = banners[here[0]], banners[here[-1]]
        if top[0] == on_page[0] and bottom[-1] == on_page[-1] and said[here[0]] is not said[here[-1]]:
            facts: dict[str, str | int] = {"banner": first, "page": max(0, page)}
            return "banners-differ", facts | {"marking": " ".join(pieces[at].mark for at in bottom)}
    return None
