"""Bits: which bit of a label's integer stands for what, so that a <= b is one operation on two integers.

    a step of a level, a RESTRICTIVE token, an agency    a bit each: set where the label bears it
    a restricted PERMISSIVE category                      a room: a bit that says "restricted", and slots

A token that some live label allows has a slot of its category's room. A label that restricts the category bears every
slot of the room but those of the tokens that it allows; a slot that no token has is therefore borne by all of them, and
a token that is seen for the first time takes it without any label being touched. A room that is full grows: first every
live label that restricts the category bears the new slots (`spread`), and only then are they given out.

Strangers may name agencies, so nothing stays for ever: a bit is interned weakly, the labels that bear it hold it, and
its index is free again when the last of them is gone. It must never be observable which index stands for what, and one
index must never stand for two things: callers hold one lock (see `label`), and what a vanishing bit does by itself, at
any moment and in any thread, is but to queue.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from heapq import heappop, heappush
from typing import TypeAlias

__all__ = ["Bit", "Bits", "Held", "Room"]

FIRST_SLOTS = 16  # of a room; it doubles from there


class Bit:
    """An index, taken for as long as this object lives."""

    __slots__ = ("__weakref__", "index")

    def __init__(self, index: int) -> None:
        self.index = index


class _Taken(weakref.ref[Bit]):
    """What is left of a bit when nobody holds it. (A `__del__` would run while others can still find the bit.)"""

    __slots__ = ("index", "name")

    index: int
    name: Hashable


class _Pool:
    """The bits of some names; the lowest free index is taken first."""

    __slots__ = ("_free", "_lapsed", "_taken")

    def __init__(self) -> None:
        self._free: list[int] = []
        self._taken: dict[Hashable, _Taken] = {}
        self._lapsed: deque[_Taken] = deque()

    def bit(self, name: Hashable, more: Callable[[], Iterable[int]]) -> Bit:
        """The one bit of this name for as long as somebody holds it; `more` gives indices when none is free."""
        if self._lapsed:
            self._tidy()
        taken = self._taken.get(name)
        bit = taken() if taken is not None else None
        if bit is None:
            if not self._free:
                for index in more():
                    heappush(self._free, index)
            bit = Bit(heappop(self._free))
            taken = self._taken[name] = _Taken(bit, self._lapsed.append)
            taken.index, taken.name = bit.index, name
        return bit

    def _tidy(self) -> None:
        while self._lapsed:
            gone = self._lapsed.popleft()
            heappush(self._free, gone.index)
            if self._taken.get(gone.name) is gone:
                del self._taken[gone.name]


class Room:
    """The bits of one PERMISSIVE category, held by every label that restricts it."""

    __slots__ = ("__weakref__", "_restricted", "closed", "slots", "tokens")

    def __init__(self, restricted: Bit) -> None:
        self._restricted = restricted
        self.closed = 1 << restricted.index  # what a label bears that allows nobody
        self.slots: list[Bit] = []
        self.tokens = _Pool()


Held: TypeAlias = tuple[Bit | Room, ...]


class Bits:
    """All the bits of a process. `spread(room, bits)` makes every live label that holds the room bear these bits."""

    def __init__(self, spread: Callable[[Room, int], None]) -> None:
        self._spread = spread
        self._pool = _Pool()
        self._rooms: weakref.WeakValueDictionary[tuple[str, str], Room] = weakref.WeakValueDictionary()
        self.width = 0  # the most indices that were ever out at once

    def all_of(self, names: Iterable[Hashable]) -> tuple[int, Held]:
        """The integer with a bit for each name, and what its label must hold."""
        bits = [self._pool.bit(name, self._wider) for name in names]
        return sum(1 << bit.index for bit in bits), tuple(bits)

    def none_but(self, policy: str, category: str, tokens: Iterable[str]) -> tuple[int, Held]:
        """The integer of a PERMISSIVE set: its category's room, without the slots of these tokens."""
        room = self._rooms.get((policy, category))
        if room is None:
            room = self._rooms[policy, category] = Room(self._pool.bit((policy, category, 0), self._wider))
        grow = partial(self._grow, room, policy, category)
        allowed = [room.tokens.bit(token, grow) for token in tokens]
        return room.closed & ~sum(1 << bit.index for bit in allowed), (room, *allowed)

    def _grow(self, room: Room, policy: str, category: str) -> list[int]:
        first = len(room.slots) + 1
        numbers = range(first, first + (len(room.slots) or FIRST_SLOTS))  # no token is a number
        fresh = [self._pool.bit((policy, category, number), self._wider) for number in numbers]
        bits = sum(1 << bit.index for bit in fresh)
        # In this order: a label that an interrupted spread did not reach never meets a token in these slots.
        self._spread(room, bits)
        room.slots += fresh
        room.closed |= bits
        return [bit.index for bit in fresh]

    def _wider(self) -> Iterable[int]:
        self.width += 1
        return (self.width - 1,)
