"""Label and its algebra: a product lattice, one element per policy, and the owning agencies.

A label governs storage, access, caching and further flow. It loses nothing: how it is *written* is a projection of it
(`marking`), and several labels may look alike. `a <= b` reads "what bears a may flow to b"; `a | b` is the least label
that both may flow to; `a & b` is the greatest that flows to both.

    level        a number per policy              join = the higher
    RESTRICTIVE  all of these are needed          join = union            (agencies too)
    PERMISSIVE   any one of these is enough       join = intersection     (absent = everyone, empty = nobody)

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
from casemate.labels.disguise import shown

__all__ = ["Element", "Label", "make_label"]

AGENCY = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
POLICY = re.compile(r"[a-z][a-z0-9-]{0,31}")
CATEGORY = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
TOKEN = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
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
    """An element of the lattice, interned: two labels are equal exactly if they are the same object."""

    __slots__ = ("__weakref__", "_hash", "_lacks", "_need", "_open", "_shut", "agencies", "elements", "id", "text")

    id: bytes
    text: str
    agencies: frozenset[str]
    elements: tuple[tuple[str, Element], ...]
    _hash: int
    _need: int  # a bit per level step, RESTRICTIVE token and restricted PERMISSIVE category
    _lacks: int  # ~_need
    _open: dict[int, int]  # per restricted category, a bit per token that it is released to
    _shut: dict[int, int]  # ~ of each, so that dominance is one operation

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
        if self is other:
            return True
        if self._need & other._lacks:
            return False
        if self.agencies is not other.agencies and not self.agencies <= other.agencies:
            return False
        # `_need` holds a bit per restricted category, so the other restricts at least the categories that we do.
        for category, shut in self._shut.items():  # noqa: SIM110 - a generator costs more than the comparison
            if other._open[category] & shut:
                return False
        return True

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
        return make_label(elements, self.agencies | other.agencies)

    def __and__(self, other: Label) -> Label:
        """Meet: the greatest label that flows to both."""
        if self <= other:
            return self
        if other <= self:
            return other
        theirs = dict(other.elements)
        elements = {policy: element.meet(theirs[policy]) for policy, element in self.elements if policy in theirs}
        return make_label(elements, self.agencies & other.agencies)


# Weak: a stranger's text may name any number of labels, and they must not stay for ever.
_labels: WeakValueDictionary[str, Label] = WeakValueDictionary()
_bits: dict[tuple[str, str, str], int] = {}  # (policy, category, token) -> bit; policies declare them, strangers cannot
_lock = threading.Lock()


def make_label(elements: Mapping[str, Element], agencies: Iterable[str] = ()) -> Label:
    """The one label of these elements and agencies. MarkingError if a name could not be written in its text."""
    owners = frozenset(agencies)
    kept = tuple((policy, element) for policy, element in sorted(elements.items()) if not element.is_bottom)
    text = _text(kept, owners)
    with _lock:
        found = _labels.get(text)
        if found is None:
            found = _labels[text] = _new(text, kept, owners)
        return found


def _text(elements: tuple[tuple[str, Element], ...], agencies: frozenset[str]) -> str:
    parts = [f"agency={_checked(AGENCY, name, 'an agency')}" for name in agencies]
    for policy, element in elements:
        said = [f"{_checked(POLICY, policy, 'a policy')}:{_checked(LEVEL, element.level_name, 'a level')}"]
        listed: dict[str, list[str]] = {category: [] for category, _ in element.permissive}
        for category, token in [*element.restrictive, *((c, t) for c, tokens in element.permissive for t in tokens)]:
            listed.setdefault(category, []).append(_checked(TOKEN, token, "a token"))
        for category, tokens in sorted(listed.items()):
            said += [f"{_checked(CATEGORY, category, 'a category')}={','.join(sorted(tokens))}"]
        parts.append("//".join(said))
    return " + ".join(sorted(parts)) or "bottom"


def _checked(shape: re.Pattern[str], name: str, what: str) -> str:
    if not shape.fullmatch(name):
        raise MarkingError(marking=shown(name), why=f"not the name of {what}")
    return name


def _bit(policy: str, category: str, token: str) -> int:
    return 1 << _bits.setdefault((policy, category, token), len(_bits))


def _new(text: str, elements: tuple[tuple[str, Element], ...], agencies: frozenset[str]) -> Label:
    need, opened = 0, {}
    for policy, element in elements:
        for step in range(element.level):
            need |= _bit(policy, "", str(step + 1))
        for category, token in element.restrictive:
            need |= _bit(policy, category, token)
        for category, tokens in element.permissive:
            restricted = _bit(policy, category, "")
            need |= restricted
            opened[restricted] = sum(_bit(policy, category, token) for token in tokens)
    label = object.__new__(Label)
    digest = hashlib.sha256(text.encode()).digest()
    for name, value in {
        "id": digest[:16],
        "text": text,
        "agencies": agencies,
        "elements": elements,
        "_hash": int.from_bytes(digest[:7]),
        "_need": need,
        "_lacks": ~need,
        "_open": opened,
        "_shut": {category: ~tokens for category, tokens in opened.items()},
    }.items():
        object.__setattr__(label, name, value)
    return label
