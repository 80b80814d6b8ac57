"""A case of the conformance suite: bytes, state and moment, and the verdict that both verifiers must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.transfer.conformance.forge import NOW, Bundle, root_of, state_of

__all__ = ["Case", "at", "bad", "case", "cut", "drop", "flip", "put", "replaced"]

OPENS = (("hybrid", "highland"),)


@dataclass(frozen=True)
class Case:
    """`expect` is "verdict rule"; `alarms` and `gap` too must be these."""

    name: str
    expect: str
    make: Callable[[], bytes]
    state: dict[str, Any] = field(default_factory=dict)
    now: int = NOW
    guards: dict[str, Any] = field(default_factory=dict)
    keys: tuple[tuple[str, str], ...] = OPENS
    alarms: tuple[str, ...] = ()
    gap: tuple[int, int] | None = None

    @property
    def known(self) -> bytes:
        return state_of(**self.state)


def case(
    name: str,
    expect: str,
    bends: dict[str, Any] | None = None,
    *,
    state: dict[str, Any] | None = None,
    now: int = NOW,
    guards: dict[str, Any] | None = None,
    keys: tuple[tuple[str, str], ...] = OPENS,
    alarms: tuple[str, ...] = (),
    gap: tuple[int, int] | None = None,
    **bundle: Any,
) -> Case:
    """A case of one forged bundle. In profile cnsa2 the state's root is of that profile, unless it is said."""
    known = dict(state or {})
    if bundle.get("profile") == "cnsa2":
        known.setdefault("root", root_of(profile="cnsa2").decode())
        bundle.setdefault("roots", {"1": root_of(profile="cnsa2")})
        keys = (("cnsa2", "highland"),) if keys is OPENS else keys
    made = Bundle(**bundle, bends=bends or {})
    return Case(name, expect, made.make, known, now, guards or {}, keys, alarms, gap)


def at(*path: Any) -> Callable[[Any], tuple[Any, Any]]:
    """The holder of a value in nested JSON, and its last step."""

    def found(value: Any) -> tuple[Any, Any]:
        for step in path[:-1]:
            value = value[step]
        return value, path[-1]

    return found


def put(new: Any, *path: Any) -> Callable[[Any], None]:
    """A bend that sets the value at a path."""

    def bend(value: Any) -> None:
        holder, last = at(*path)(value)
        holder[last] = new

    return bend


def drop(*path: Any) -> Callable[[Any], None]:
    """A bend that takes what is at a path away."""

    def bend(value: Any) -> None:
        holder, last = at(*path)(value)
        del holder[last]

    return bend


def flip(place: int, bit: int = 1) -> Callable[[bytes], bytes]:
    """A bend that turns a bit of bytes."""

    def bend(value: bytes) -> bytes:
        changed = bytearray(value)
        changed[place] ^= bit
        return bytes(changed)

    return bend


def cut(size: int) -> Callable[[bytes], bytes]:
    """A bend that keeps the first bytes."""
    return lambda value: value[:size]


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A bend that replaces what stands there."""

    def bend(value: bytes) -> bytes:
        assert old in value
        return value.replace(old, new)

    return bend


def bad(step: str, expect: str = "refuse inside", **cases: Any) -> list[Case]:
    """Cases of one step that all end so, by the name of each."""
    return [case(f"{step}: {name.replace('_', ' ')}", expect, {step: bend}) for name, bend in cases.items()]
