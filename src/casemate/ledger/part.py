"""Where a part of a log begins and ends, and how it hangs together with what was signed before and behind it.

    checkpoint A  ...  [start | entries | stop)  ...  checkpoint S

The peaks at `start` stand for all that came before: with the entries they give every root up to `stop`, which a
checkpoint in between or the proof to the one behind it ties to a signature. `before` proves that the last checkpoint
at or before the start is a beginning of the tree there, `after` that the tree at `stop` is a beginning of the first
checkpoint at or behind it. So a part is proved, or accused, alone; what came before it is not missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casemate.ledger.checkpoint import Checkpoint, Head
from casemate.ledger.tiles import Tiled
from casemate.ledger.tree import SHA384, Profile

__all__ = ["WHOLE", "Part", "part_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """`stop` None: as far as there are entries. `signed`: heads whose signature somebody has verified already."""

    start: int = 0
    stop: int | None = None
    peaks: tuple[bytes, ...] = ()
    before: tuple[bytes, ...] = ()
    after: tuple[bytes, ...] = ()
    signed: tuple[Head, ...] = ()
    profile: Profile = SHA384


WHOLE = Part()


def part_of(
    tree: Tiled, start: int, stop: int, checkpoints: Iterable[Checkpoint]
) -> tuple[Part, tuple[Checkpoint, ...]]:
    """The part from `start` to `stop` of a tree, and those checkpoints that belong to it.

    Raises ValueError where the tree has no such part.
    """
    if not 0 <= start < stop <= tree.size:
        raise ValueError("no such part")
    held = sorted((point for point in checkpoints if 0 < point.size <= tree.size), key=lambda point: point.size)
    first = [point for point in held if point.size <= start][-1:]
    last = [point for point in held if point.size >= stop][:1]
    chosen = {point.size: point for point in held if start <= point.size <= stop}
    chosen |= {point.size: point for point in (*first, *last)}
    before = tree.consistency(first[0].size, start) if first else []
    after = tree.consistency(stop, last[0].size) if last else []
    part = Part(start, stop, tuple(tree.peaks(start)), tuple(before), tuple(after), profile=tree.profile)
    return part, tuple(chosen[size] for size in sorted(chosen))
