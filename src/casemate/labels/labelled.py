"""Labelled: a value in its envelope. What comes in by a door is put in at once, and is computed with inside.

`map`, `combine` and `gather` never show the value and never raise what the function raised: a failure is itself a
value with a label, because whether it failed depends on what was inside. Only `unseal` opens, and only `access` may
import that. It must never print, compare or serialise its value.

A function given to these is a named function of a module, without closure or state: what it reads is its arguments, so
that nothing unlabelled flows in and nothing labelled flows out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Generic, NoReturn, TypeVar, cast

from casemate.errors import CasemateError
from casemate.labels.label import Label

__all__ = ["Failure", "Labelled", "combine", "gather"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


class Failure:
    """What went wrong inside an envelope: the kind of exception and, for one of ours, a fresh copy of it."""

    __slots__ = ("error", "kind")

    def __init__(self, kind: str, error: CasemateError | None) -> None:
        self.kind = kind
        self.error = error

    def __repr__(self) -> str:
        return "<Failure>"


class Labelled(Generic[T]):
    """A value and the label that governs it. Immutable; compared by identity; neither copied nor pickled."""

    __slots__ = ("_value", "label")

    label: Label
    _value: T | Failure

    def __init__(self, label: Label, value: T) -> None:
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "_value", value)

    def map(self, f: Callable[[T], B]) -> Labelled[B]:
        """f of the value, in an envelope of the same label; an exception becomes a failure of that label."""
        named(f)
        if isinstance(self._value, Failure):
            return cast("Labelled[B]", self)
        return _within(self.label, f, self._value)

    def raised(self, floor: Label) -> Labelled[T]:
        """The same value at `label | floor`."""
        label = self.label | floor
        return self if label is self.label else _envelope(label, self._value)

    def __repr__(self) -> str:
        return f"<Labelled at {self.label.text}>"

    def __bool__(self) -> NoReturn:
        raise TypeError("a Labelled is neither true nor false: that would tell of its value")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Labelled never changes: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Labelled never changes: {name}")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Labelled is neither copied nor pickled")


def combine(a: Labelled[A], b: Labelled[B], f: Callable[[A, B], T]) -> Labelled[T]:
    """f of both values, at the join of both labels."""
    named(f)
    label = a.label | b.label
    for value in (a._value, b._value):
        if isinstance(value, Failure):
            return _envelope(label, value)
    return _within(label, f, a._value, b._value)


def gather(floor: Label, values: Iterable[Labelled[T]]) -> Labelled[tuple[T, ...]]:
    """All the values in their order, at the join of `floor` and all labels; the first failure if there is one."""
    label, inside = floor, []
    for each in values:
        label |= each.label
        inside.append(each._value)
    for value in inside:
        if isinstance(value, Failure):
            return _envelope(label, value)
    return Labelled(label, tuple(cast("list[T]", inside)))


def named(f: Callable[..., Any]) -> None:
    """TypeError unless f is a named function or type of a module, without closure and bound to nothing."""
    name = getattr(f, "__qualname__", "<none>")
    bound = getattr(f, "__self__", None)
    if "<" in name or getattr(f, "__closure__", None) or not (bound is None or isinstance(bound, ModuleType)):
        raise TypeError(f"a function inside an envelope is a named function of a module, not {name}")


def _within(label: Label, f: Callable[..., B], *values: object) -> Labelled[B]:
    try:
        made = f(*values)
    except CasemateError as error:
        return _envelope(label, Failure(type(error).__name__, type(error)(**error.facts)))
    except Exception as error:  # noqa: BLE001 - whatever it is, its text, traceback and cause may hold the value
        return _envelope(label, Failure(type(error).__name__, None))
    return Labelled(label, made)


def _envelope(label: Label, value: Any) -> Labelled[Any]:
    return Labelled(label, value)
