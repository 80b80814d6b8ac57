"""Whether what clients saw of one object could have happened in some order, one operation after the other.

Wing and Gong, Testing and Verifying Concurrent Objects (1993), with Lowe's memory of states that led nowhere (2017). An
operation took effect at one instant between its call and its return. One whose outcome nobody heard (its client was
cancelled, the writer was killed) may have taken effect at any instant after its call, or never. Objects are judged one
by one: a history is linearisable where that of each object is (Herlihy and Wing 1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

__all__ = ["Operation", "linearisable"]

State = tuple[int, str]  # version and value; (0, "") is nothing
NOTHING: State = (0, "")


@dataclass(frozen=True, slots=True)
class Operation:
    """What one client did to one object and what it heard.

    put     value, at the version `expect` (None: at any): ok with the version it got, or conflict
    delete  at the version `expect`: ok, or conflict
    read    ok with the version and value that it found
    unheard `returned` is infinite; it may have happened or not
    """

    object: str
    kind: Literal["put", "delete", "read"]
    called: float
    returned: float = inf
    outcome: Literal["ok", "conflict", "unheard"] = "unheard"
    expect: int | None = None
    value: str = ""
    version: int = 0

    def applied(self, state: State) -> State | None:
        """The state after it, or None where it cannot have been heard so in that state."""
        version, _ = state
        if self.kind == "read":
            return state if state == (self.version, self.value) else None
        fits = self.expect is None or self.expect == version
        if self.outcome == "conflict":
            return None if fits else state
        if not fits:
            return state if self.outcome == "unheard" else None
        if self.kind == "delete":
            return NOTHING
        if self.outcome == "ok" and self.version != version + 1:
            return None
        return version + 1, self.value


def linearisable(history: Iterable[Operation]) -> bool:
    """Whether some order explains all of it."""
    objects: dict[str, list[Operation]] = {}
    for operation in history:
        objects.setdefault(operation.object, []).append(operation)
    return all(_explained(sorted(each, key=lambda one: one.called)) for each in objects.values())


def _explained(history: Sequence[Operation]) -> bool:
    """Depth first over what may come next; a set of operations done that led to a state once is not tried again.

    A read, or a conflict, that may come next comes next: it changes nothing, so wherever else it stood it could stand
    here. What was not heard and changes nothing need not have been.
    """
    heard = sum(1 << at for at, one in enumerate(history) if one.outcome != "unheard")
    seen: set[tuple[int, State]] = set()
    open_: list[tuple[int, State]] = [(0, NOTHING)]
    while open_:
        done, state = open_.pop()
        if done & heard == heard:
            return True
        steps: list[tuple[int, State]] = []
        for at in _next(history, done):
            one, after = history[at], history[at].applied(state)
            if after is None or (after == state and one.outcome == "unheard"):
                continue
            step = (done | 1 << at, after)
            if one.kind == "read" or one.outcome == "conflict":
                steps = [step]
                break
            steps.append(step)
        for step in steps:
            if step not in seen:
                seen.add(step)
                open_.append(step)
    return False


def _next(history: Sequence[Operation], done: int) -> list[int]:
    """Those that may come next: called before anything that is left has returned."""
    found: list[int] = []
    first = inf
    left = (1 << len(history)) - 1 & ~done
    while left:
        lowest = left & -left
        left ^= lowest
        at = lowest.bit_length() - 1
        one = history[at]
        if one.called > first:
            break
        found.append(at)
        first = min(first, one.returned)
    return found[::-1]
