"""Fetching over a way that goes both ways: when, how much at a time, and how much it could tell the side that is asked.

    slot k begins at k * every, counted from 1970; in it one step is taken, or the list of what lies there, or nothing
    a round: the list, then each file in the order of its name, from its first byte to its last, then the next round

What is taken, and when, follows from the clock and from what lies there: never from what is needed, had or refused on
the side that takes. A step that is late by more than `window` is left out. Pure: no clock is read here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["DAY_SECONDS", "Round", "Step", "Timetable"]

DAY_SECONDS = 86_400
_SECOND = 1_000_000


class Timetable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`every`: seconds from slot to slot; `step`: bytes; `window`: by how many milliseconds a step may be late.

    `resolution`: how finely whoever is asked can tell moments apart, in microseconds: a guess on the safe side.
    """

    every: Annotated[int, Meta(ge=1, le=DAY_SECONDS)]
    step: Annotated[int, Meta(ge=4096, le=1 << 30)]
    window: Annotated[int, Meta(ge=1, le=60_000)]
    resolution: Annotated[int, Meta(ge=1, le=1_000_000)]

    @property
    def moments(self) -> int:
        """At how many moments that can be told apart a step may begin."""
        return math.ceil(self.window * 1000 / self.resolution)

    @property
    def bits_per_day(self) -> float:
        """What whoever decides when the fetcher runs could tell the side that is asked, at most.

        In each slot the asked side sees one of 1 + 2 M things: nothing; or at one of M moments a step that goes on;
        or at one of them a round that begins anew. So it is 86,400 / every * log2(1 + 2 M) bits in a day.
        """
        return DAY_SECONDS / self.every * math.log2(1 + 2 * self.moments)

    def slot(self, now: int) -> tuple[int, bool]:
        """The slot of a moment (microseconds since 1970), and whether its step may still be taken."""
        number, late = divmod(now, self.every * _SECOND)
        return number, late <= self.window * 1000

    def begins(self, slot: int) -> int:
        """When a slot begins, in microseconds since 1970."""
        return slot * self.every * _SECOND


@dataclass(frozen=True, slots=True)
class Step:
    """What is taken in a slot: `size` bytes of a file from `at` on."""

    name: str
    at: int
    size: int


class Round(msgspec.Struct, frozen=True):
    """The files that lay there when the round began, by name with their sizes, and how far it has come."""

    files: tuple[tuple[str, int], ...]
    file: int = 0
    at: int = 0

    def step(self, timetable: Timetable) -> Step | None:
        """The next one; None at the end of the round. A step ends where its file does."""
        if self.file >= len(self.files):
            return None
        name, size = self.files[self.file]
        return Step(name, self.at, min(timetable.step, size - self.at))

    def after(self, step: Step) -> Round:
        """The round behind that step."""
        done = step.at + step.size >= self.files[self.file][1]
        return Round(self.files, self.file + done, 0 if done else step.at + step.size)

    @staticmethod
    def of(files: Sequence[tuple[str, int]]) -> Round:
        """A new one, over files that are not empty."""
        return Round(tuple(sorted(each for each in files if each[1] > 0)))
