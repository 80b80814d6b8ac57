"""What may cross in which direction, and how much of it: every parser of the guard has these bounds.

Outward a bound is what a person can look at before he signs; inward it is what a region's memory bears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

__all__ = ["FORMATS", "INWARD", "OUTWARD", "Direction", "Format", "Profile", "profile_of"]

Direction = Literal["in", "out"]
Format = Literal["text", "csv", "json", "jsonl", "png", "safetensors", "tokenizer", "pdf"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


@dataclass(frozen=True, slots=True)
class Profile:
    """`size`: bytes of an object, `entries`: values, cells, tensors or tokens in it, `depth`: of nesting, `side` and
    `pixels` of a picture, `header`: bytes of the header of tensors. `strict`: the outward rules hold.
    """

    direction: Direction
    formats: frozenset[Format]
    size: int
    entries: int
    depth: int
    side: int
    pixels: int
    header: int

    @property
    def strict(self) -> bool:
        return self.direction == "out"


INWARD: Final = Profile(
    direction="in",
    formats=frozenset(FORMATS),
    size=64 << 20,
    entries=2_000_000,
    depth=32,
    side=16_384,
    pixels=8_000_000,
    header=16 << 20,
)
"""`size` is not that of safetensors: only their header is read, and their length only compared."""

OUTWARD: Final = Profile(
    direction="out",
    formats=frozenset(("text", "csv", "json", "png")),
    size=1 << 20,
    entries=20_000,
    depth=8,
    side=4_096,
    pixels=1_000_000,
    header=0,
)


def profile_of(direction: Direction) -> Profile:
    """The profile of a direction."""
    return OUTWARD if direction == "out" else INWARD
