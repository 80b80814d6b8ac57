"""What a view must know of the schemata of FollowTheMoney, as data: which are edges, and which descends from which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["Kin"]


@dataclass(frozen=True, slots=True)
class Kin:
    """`edges`: schema -> its property of the source and of the target. `above`: schema -> all that it descends from."""

    edges: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    above: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def narrowest(self, schemata: Iterable[str]) -> str:
        """The one with the most above it; of several, the first of the alphabet."""
        return min(schemata, key=lambda name: (-len(self.above.get(name, ())), name))

    def may_be_one(self, left: str, right: str) -> bool:
        """Whether two of these could be the same thing: one descends from the other, and neither is an edge."""
        if left in self.edges or right in self.edges:
            return False
        return left == right or left in self.above.get(right, ()) or right in self.above.get(left, ())
