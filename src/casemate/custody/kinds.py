"""What custody is told of every kind of object: the port by which other rooms feed lineage and spill.

A kind is *traced* where something in it may come from something that somebody brought, and then its room says how it
is found again; or it is *not traceable*, and its room says why. A kind that says neither fails a test, so whoever adds
one has to think of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casemate.access import Flow
from casemate.objects import Change, Found, Kind, Put, Ref

if TYPE_CHECKING:
    from casemate.labels import AccessClass, Label

__all__ = ["ENTRY", "Kinds", "Link", "Onto", "TakingOut", "Traced", "Untraced", "always"]

ENTRY = "entry"  # of the ledger: no kind, but what a kept answer names

Shown = Callable[[Flow, Sequence[Found[Any]]], Awaitable[list[Found[Any]]]]
Inside = Callable[[Flow, Found[Any]], Awaitable[Iterable[tuple[str, str]]]]
Beside = Callable[[Flow, Found[Any]], Awaitable[list[Found[Any]]]]
Raised = Callable[[Flow, "Onto", Found[Any]], Awaitable[list[Put]]]
TakingOut = Callable[[Flow, "AccessClass", Sequence[Found[Any]]], Awaitable[tuple[list[Change], list[str]]]]


@dataclass(frozen=True, slots=True)
class Onto:
    """Where something is raised to: its new label and class, and what keeps bytes there. `true`: of the spill."""

    true: Label
    label: Label
    access: AccessClass
    pour: Callable[[bytes], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Link:
    """How what was made from an object of kind `source` is found: it bears the object's `of` in its own `field`.

    Both are "id" or a field of the value, `field` an indexed one; "" looks at each object of the kind.
    """

    source: str
    field: str = ""
    of: str = "id"


def _untitled(value: object) -> str:
    del value
    return ""


def _silent(value: object) -> tuple[str, ...]:
    del value
    return ()


def _parentless(flow: Flow, value: object) -> tuple[Ref, ...]:
    del flow, value
    return ()


def _never(value: object) -> bool:
    del value
    return False


def always(value: object) -> bool:
    """For a kind that nobody but a program writes."""
    del value
    return True


@dataclass(frozen=True, slots=True)
class Traced:
    """A kind whose objects come from others, or of which others are made.

    `links` find its objects from their sources; `Kind.sources` is the other way. `title`: what one is called. `shown`:
    which of several a caller may know of beside the rule of labels (a file is its owner's alone). `words`: the text in
    a value; `made`: whether a program wrote it, so that it goes with what it quotes.

    `inside`: sources that stand in its bytes; such an object holds others' words too, so it is never frozen itself, but
    `take_out` says what to change, and which blobs then go, for the objects that go. `raised`: what is put higher in
    its place (nothing: it is made anew there); without it the row itself moves. `parents`: those of a row that is put
    anew. `fixed`: it stays frozen where it is, since other rows are built upon it; `goes`: but shredding destroys it.
    `touched`: freezing writes it anew, so that whoever is at work on it meets a Conflict. `landed`: kind/id@class of
    what it has let out.

    `beside`: what lies at its place without having come of it, and is contained with it. `outside`: where bytes of it
    lie that are not the region's to destroy; "" where this flow may not be told. `bare`: what all copies of its bytes
    have in common, b"" for bytes that are none. `named`: its callers choose its ids, so that one that was raised or
    destroyed is free again once the case has ended everywhere.
    """

    kind: Kind[Any]
    links: tuple[Link, ...] = ()
    title: Callable[[Any], str] = _untitled
    shown: Shown | None = None
    words: Callable[[Any], Iterable[str]] = _silent
    made: Callable[[Any], bool] = _never
    inside: Inside | None = None
    take_out: TakingOut | None = None
    raised: Raised | None = None
    parents: Callable[[Flow, Any], tuple[Ref, ...]] = _parentless
    fixed: bool = False
    goes: bool = False
    touched: bool = False
    landed: Callable[[Any], str] | None = None
    beside: Beside | None = None
    outside: Callable[[Flow, Any], str] | None = None
    bare: Callable[[bytes], bytes] | None = None
    named: bool = False

    def stays(self, how: str) -> bool:
        """Whether it stays frozen where it is; `how`: what is ordered."""
        return self.fixed and not (self.goes and how == "shred")


@dataclass(frozen=True, slots=True)
class Untraced:
    """A kind of which nothing is traced, and why."""

    kind: Kind[Any]
    why: str


@dataclass(frozen=True)
class Kinds:
    """All of them, by name."""

    traced: Mapping[str, Traced] = field(default_factory=dict)
    untraced: Mapping[str, Untraced] = field(default_factory=dict)

    @classmethod
    def of(cls, *registered: Traced | Untraced) -> Kinds:
        """Raises ValueError where a kind is registered twice, or names a source that nobody has registered."""
        names = [each.kind.name for each in registered]
        if len(names) != len(set(names)):
            raise ValueError("a kind is registered twice")
        traced = {each.kind.name: each for each in registered if isinstance(each, Traced)}
        unknown = {link.source for each in traced.values() for link in each.links} - {*traced, ENTRY}
        if unknown:
            raise ValueError(f"sources that nobody has registered: {', '.join(sorted(unknown))}")
        return cls(traced, {each.kind.name: each for each in registered if isinstance(each, Untraced)})

    def made_from(self, source: str) -> list[tuple[Traced, Link]]:
        """The kinds that may be made from objects of that kind, and how they are found."""
        return [(each, link) for each in self.traced.values() for link in each.links if link.source == source]
