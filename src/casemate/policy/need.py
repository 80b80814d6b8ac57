"""Need to know: a visibility expression says which authorizations one must have to know that something is there. Pure.

The grammar is Apache Accumulo's (accumulo-access, SPECIFICATION.md): names joined by `&` or by `|`, never by both
without parentheses; no white space; a name of other characters stands in quotes; the empty expression is for everybody.

    A&(B|C)        "two words"|A        (A&B)|(C&D)

An expression only ever grows more true with more authorizations: there is no `not`. It is read once from left to right,
with bounds on its length and depth, and kept in one canonical form (flattened, each part once, sorted), so that what is
written in another order makes no second access class. It must never decide about labels: that is `decide`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NoReturn

from casemate.errors import BadInput

__all__ = ["DEPTH", "LONGEST", "Need", "authorizations"]

LONGEST = 4096  # characters of an expression
DEPTH = 32  # parentheses within parentheses
MOST = 64  # authorizations that somebody may have
NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")  # an authorization of ours: what a label can bear
_BARE = re.compile(r"[A-Za-z0-9_.:/-]+")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f\ud800-\udfff]|\\["\\])+)"')
_ESCAPED = re.compile(r'\\(["\\])')

Operator = Literal["", "&", "|"]


class _Node(NamedTuple):
    """A name (`operator` ""), or at least two parts, none of them with the same operator."""

    operator: Operator
    name: str
    parts: tuple[_Node, ...]
    text: str


class _Open:
    """What stands between two parentheses, as far as it has been read."""

    __slots__ = ("operator", "terms")

    def __init__(self) -> None:
        self.operator: Operator = ""
        self.terms: list[_Node] = []


@dataclass(frozen=True, slots=True)
class Need:
    """An expression in canonical form; two are equal exactly if their texts are. "" is everybody's."""

    text: str = ""
    _root: _Node | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Need:
        """The expression in a text. Raises BadInput."""
        if len(text) > LONGEST:
            raise BadInput(what=f"A need to know has at most {LONGEST} characters.")
        root = _parsed(text) if text else None
        return cls(root.text, root) if root is not None else cls()

    @classmethod
    def all_of(cls, names: Iterable[str]) -> Need:
        """Every one of these is needed."""
        return _need([_name(name) for name in names])

    def allows(self, authorizations: AbstractSet[str]) -> bool:
        """Whether these authorizations satisfy it."""
        return self._root is None or _satisfied(self._root, authorizations)

    def chosen(self, authorizations: AbstractSet[str]) -> frozenset[str]:
        """Of authorizations that satisfy it, some that do: of several that would, the first by name."""
        return frozenset(_chosen(self._root, authorizations)) if self._root is not None else frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every authorization that it speaks of."""
        return frozenset(_names(self._root)) if self._root is not None else frozenset()

    def split(self) -> tuple[frozenset[str], Need]:
        """The authorizations that nobody can do without and a label can bear, and what else is asked."""
        root = self._root
        if root is None:
            return frozenset(), self
        parts = root.parts if root.operator == "&" else (root,)
        plain = frozenset(part.name for part in parts if not part.operator and NAME.fullmatch(part.name))
        return plain, _need([part for part in parts if not _satisfied(part, plain)])


def authorizations(names: Iterable[str]) -> frozenset[str]:
    """Names of authorizations as somebody is given them. Raises BadInput where one cannot be."""
    found = frozenset(names)
    for name in found:
        if not NAME.fullmatch(name):
            raise BadInput(what="An authorization has 1 to 64 letters, digits or any of _ . : / -")
    if len(found) > MOST:
        raise BadInput(what=f"Nobody has more than {MOST} authorizations.")
    return found


def _parsed(text: str) -> _Node:
    """One pass; what is open lies on a list, so that depth costs no stack."""
    opened, place, wanted = [_Open()], 0, True
    while place < len(text):
        here = text[place]
        inner = opened[-1]
        if here in "&|":
            if wanted or inner.operator not in ("", here):
                _fail("mixes & and |" if not wanted else "lacks a name", place)
            inner.operator, wanted, place = "&" if here == "&" else "|", True, place + 1
        elif here == ")":
            if wanted or len(opened) == 1:
                _fail("closes what is not open", place)
            opened.pop()
            opened[-1].terms.append(_joined(inner.operator, inner.terms))
            place += 1
        elif not wanted:
            _fail("lacks & or |", place)
        elif here == "(":
            if len(opened) > DEPTH:
                _fail("is nested too deeply", place)
            opened.append(_Open())
            place += 1
        else:
            name, place = _token(text, place)
            inner.terms.append(_name(name))
            wanted = False
    if wanted or len(opened) > 1:
        _fail("ends too early", place)
    return _joined(opened[0].operator, opened[0].terms)


def _fail(why: str, place: int) -> NoReturn:
    raise BadInput(what=f"This is no need to know: at character {place + 1} it {why}.")


def _token(text: str, place: int) -> tuple[str, int]:
    bare = _BARE.match(text, place)
    if bare is not None:
        return bare[0], bare.end()
    quoted = _QUOTED.match(text, place)
    if quoted is None:
        _fail("has no name", place)
    return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()


def _name(name: str) -> _Node:
    if _BARE.fullmatch(name):
        return _Node("", name, (), name)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return _Node("", name, (), f'"{escaped}"')


def _joined(operator: Operator, terms: list[_Node]) -> _Node:
    """Flattened, each part once, sorted by its text."""
    if len(terms) == 1:
        return terms[0]
    flat = {part.text: part for term in terms for part in (term.parts if term.operator == operator else (term,))}
    parts = tuple(flat[text] for text in sorted(flat))
    if len(parts) == 1:
        return parts[0]
    return _Node(operator, "", parts, operator.join(f"({p.text})" if p.operator else p.text for p in parts))


def _need(parts: list[_Node]) -> Need:
    if not parts:
        return Need()
    root = _joined("&", parts)
    return Need(root.text, root)


def _satisfied(node: _Node, authorizations: AbstractSet[str]) -> bool:
    if not node.operator:
        return node.name in authorizations
    each = (_satisfied(part, authorizations) for part in node.parts)
    return all(each) if node.operator == "&" else any(each)


def _chosen(node: _Node, authorizations: AbstractSet[str]) -> Iterator[str]:
    if not node.operator:
        yield node.name
        return
    able = [part for part in node.parts if _satisfied(part, authorizations)]
    for part in able if node.operator == "&" else able[:1]:
        yield from _chosen(part, authorizations)


def _names(node: _Node) -> Iterator[str]:
    if not node.operator:
        yield node.name
    for part in node.parts:
        yield from _names(part)
