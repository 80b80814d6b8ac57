"""Label and its algebra: a product lattice, one element per policy, the owning agencies, and what one needs to know.

A label governs storage, access, caching and further flow. It loses nothing: how it is *written* is a projection of it
(`marking`), and several labels may look alike. `a <= b` reads "what bears a may flow to b"; `a | b` is the least label
that both may flow to; `a & b` is the greatest that flows to both.

    level        a number per policy              join = the higher
    RESTRICTIVE  all of these are needed          join = union            (agencies and needs too)
    PERMISSIVE   any one of these is enough       join = intersection     (absent = everyone, empty = nobody)

A label is compiled to one integer (`bits`), so that a <= b is `a & ~b == 0`. What a text stands for is its elements:
the integer is no part of a label's value, and which bit stands for what must never be observable.

It must never know a policy's words: levels and tokens are data that `policy` reads. It must never round a label down.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakValueDictionary

from casemate.errors import MarkingError
from casemate.labels.bits import Bits, Held, Room
from casemate.labels.disguise import shown

__all__ = ["Element", "Label", "make_label"]

AGENCY = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
POLICY = re.compile(r"[a-z][a-z0-9-]{0,31}")
CATEGORY = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
TOKEN = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
NEED = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")  # what a visibility expression names without quotes
# A level's name is shown between ":" and "//" and parts are joined by " + ", so none of these may occur in it.
LEVEL = re.compile(r"[^\W_](?:[^\W_]|[ +-](?=[^\W_])){0,63}")


@dataclass(frozen=True, slots=True)
class Element:
    """One policy's part of a label. `level` 0 with no category is that policy's bottom."""

    level: int
    level_name: str
    restrictive: frozenset[tuple[str, str]] = frozenset()
    permissive: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def is_bottom(self) -> bool:
        """Whether this says nothing, so that a label need not hold it."""
        return self.level == 0 and not self.restrictive and not self.permissive

    def join(self, other: Element) -> Element:
        """The least element that both flow to."""
        high = self if self.level >= other.level else other
        opened = dict(self.permissive)
        for category, tokens in other.permissive:
            opened[category] = opened[category] & tokens if category in opened else tokens
        return Element(
            high.level, high.level_name, self.restrictive | other.restrictive, tuple(sorted(opened.items(), key=_first))
        )

    def meet(self, other: Element) -> Element:
        """The greatest element that flows to both."""
        low = self if self.level <= other.level else other
        theirs = dict(other.permissive)
        # A category that only one of them restricts is open to everyone in the meet.
        opened = tuple((name, tokens | theirs[name]) for name, tokens in self.permissive if name in theirs)
        return Element(low.level, low.level_name, self.restrictive & other.restrictive, opened)


def _first(pair: tuple[str, object]) -> str:
    return pair[0]


class Label:
    """An element of the lattice, interned: two labels are equal exactly if they are the same object.

    `id`: its index form, 16 bytes: half of the SHA-256 of its text, the same in every process.
    `needs`: the authorizations, beside every clearance, without which nobody has a need to know it. No marking shows
    them.
    """

    __slots__ = ("__weakref__", "_bears", "_hash", "_held", "_lacks", "agencies", "elements", "id", "needs", "text")

    id: bytes
    text: str
    agencies: frozenset[str]
    needs: frozenset[str]
    elements: tuple[tuple[str, Element], ...]
    _hash: int
    _bears: int  # a bit for all that a reader must have: see `bits`
    _lacks: int  # ~_bears
    _held: Held  # the bits are taken for as long as somebody holds them

    def __init__(self) -> None:
        raise TypeError("a Label is made by make_label or by Policies.parse")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Label never changes: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Label never changes: {name}")

    def __hash__(self) -> int:
        return self._hash  # from the text, so that it is the same in every process

    def __repr__(self) -> str:
        return f"<Label {self.text}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Label travels as its text, and is read again by Policies.parse")

    def __copy__(self) -> Label:
        return self

    def __deepcopy__(self, memo: object) -> Label:
        return self

    def __le__(self, other: Label) -> bool:
        """Dominance: whether what bears this label may flow to `other`."""
        return not self._bears & other._lacks

    def __lt__(self, other: Label) -> bool:
        return self is not other and self <= other

    def __ge__(self, other: Label) -> bool:
        return other <= self

    def __gt__(self, other: Label) -> bool:
        return self is not other and other <= self

    def __or__(self, other: Label) -> Label:
        """Join: the least label that both flow to."""
        if self <= other:
            return other
        if other <= self:
            return self
        elements = dict(self.elements)
        for policy, element in other.elements:
            elements[policy] = elements[policy].join(element) if policy in elements else element
        return make_label(elements, self.agencies | other.agencies, self.needs | other.needs)

    def __and__(self, other: Label) -> Label:
        """Meet: the greatest label that flows to both."""
        if self <= other:
            return self
        if other <= self:
            return other
        theirs = dict(other.elements)
        elements = {policy: element.meet(theirs[policy]) for policy, element in self.elements if policy in theirs}
        return make_label(elements, self.agencies & other.agencies, self.needs & other.needs)

    def with_needs(self, names: Iterable[str]) -> Label:
        """The same, for those alone who have these authorizations too."""
        needs = self.needs.union(names)
        return self if needs == self.needs else make_label(dict(self.elements), self.agencies, needs)

    @property
    def without_needs(self) -> Label:
        """How high it lies, whoever needs to know it."""
        return make_label(dict(self.elements), self.agencies) if self.needs else self


# Weak: a stranger's text may name any number of labels, and they must not stay for ever.
_labels: WeakValueDictionary[str, Label] = WeakValueDictionary()
_lock = threading.Lock()


def make_label(elements: Mapping[str, Element], agencies: Iterable[str] = (), needs: Iterable[str] = ()) -> Label:
    """The one label of these elements, agencies and needs.

    MarkingError if a name could not be written in its text, or if the text is already another label's: two versions of
    a policy that rank a level differently, or type a category differently, cannot be mixed.
    """
    owners, known = frozenset(agencies), frozenset(needs)
    kept = tuple((policy, element) for policy, element in sorted(elements.items()) if not element.is_bottom)
    text = _text(kept, owners, known)
    with _lock:
        found = _labels.get(text)
        if found is None:
            found = _labels[text] = _new(text, kept, owners, known)
    if found.elements != kept and _meaning(found.elements) != _meaning(kept):
        raise MarkingError(marking=shown(text), why="one text and two meanings")
    return found


def _text(elements: tuple[tuple[str, Element], ...], agencies: frozenset[str], needs: frozenset[str]) -> str:
    parts = [f"agency={_checked(AGENCY, name, 'an agency')}" for name in agencies]
    parts += [f"need={_checked(NEED, name, 'an authorization')}" for name in needs]
    for policy, element in elements:
        said = [f"{_checked(POLICY, policy, 'a policy')}:{_checked(LEVEL, element.level_name, 'a level')}"]
        listed: dict[str, list[str]] = {category: [] for category, _ in element.permissive}
        if len(listed) < len(element.permissive) or any(category in listed for category, _ in element.restrictive):
            raise MarkingError(marking=shown(policy), why="a category is said twice")
        for category, token in [*element.restrictive, *((c, t) for c, tokens in element.permissive for t in tokens)]:
            listed.setdefault(category, []).append(_checked(TOKEN, token, "a token"))
        for category, tokens in sorted(listed.items()):
            said += [f"{_checked(CATEGORY, category, 'a category')}={','.join(sorted(tokens))}"]
        parts.append("//".join(said))
    return " + ".join(sorted(parts)) or "bottom"


def _meaning(elements: tuple[tuple[str, Element], ...]) -> list[object]:
    return [(p, e.level, e.restrictive, sorted(e.permissive, key=_first)) for p, e in elements]


def _checked(shape: re.Pattern[str], name: str, what: str) -> str:
    if not shape.fullmatch(name):
        raise MarkingError(marking=shown(name), why=f"not the name of {what}")
    return name


def _new(
    text: str, elements: tuple[tuple[str, Element], ...], agencies: frozenset[str], needs: frozenset[str]
) -> Label:
    bears, held = _compiled(elements, agencies, needs)
    label = object.__new__(Label)
    digest = hashlib.sha256(text.encode()).digest()
    for name, value in {
        "id": digest[:16],
        "text": text,
        "agencies": agencies,
        "needs": needs,
        "elements": elements,
        "_hash": int.from_bytes(digest[:7]),
        "_bears": bears,
        "_lacks": ~bears,
        "_held": held,
    }.items():
        object.__setattr__(label, name, value)
    return label


def _compiled(
    elements: tuple[tuple[str, Element], ...], agencies: frozenset[str], needs: frozenset[str]
) -> tuple[int, Held]:
    names: list[tuple[str, ...]] = [("agency", name) for name in agencies]
    names += [("need", name) for name in needs]
    bears: int = 0
    held: Held = ()
    for policy, element in elements:
        names += [(policy, "", str(step)) for step in range(element.level)]  # a level bears the steps below it too
        names += [(policy, category, token) for category, token in element.restrictive]
        for category, tokens in element.permissive:
            bits, taken = _bits.none_but(policy, category, tokens)
            bears, held = bears | bits, held + taken
    bits, taken = _bits.all_of(names)
    return bears | bits, held + taken


def _spread(room: Room, bits: int) -> None:
    """Every live label that holds the room bears these bits too, and no comparison meanwhile is wrong.

    First none of them lacks the bits, then all bear them: whoever reads the one integer before and the other after sees
    the order as it was. The caller holds the lock.
    """
    live = [label for ref in _labels.valuerefs() if (label := ref()) is not None and room in label._held]
    for label in live:
        object.__setattr__(label, "_lacks", label._lacks & ~bits)
    for label in live:
        object.__setattr__(label, "_bears", label._bears | bits)


_bits = Bits(_spread)
