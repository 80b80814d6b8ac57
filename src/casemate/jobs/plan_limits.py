"""What queues and owners may hold at once, while a plan is made, and what owners are entitled to.

A limit is a number of CPUs and one of GPUs, over everything that a queue or an owner runs in one access class. Who
waits at a limit keeps his place in it: what wants the same of it and stands behind him does not start either, or a
large job would wait for ever behind small ones. A job that is larger than its limit never starts, and holds nobody up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["NONE", "Bounds", "Cap", "Limits", "of_owner", "of_queue"]


class Cap(NamedTuple):
    """At most so many CPUs and GPUs at once, None for as many as there are; and what of them is held already."""

    cpus: int | None
    gpus: int | None
    held_cpus: int = 0
    held_gpus: int = 0


class Limits(NamedTuple):
    """`shares`: by queue and owner, 1 where nothing is said; `caps`: by `of_queue` and `of_owner`."""

    shares: Mapping[tuple[str, str], float] = MappingProxyType({})
    caps: Mapping[str, Cap] = MappingProxyType({})

    def drawn(self) -> Bounds:
        """The caps as they are counted down in one plan."""
        return Bounds(self.caps)


NONE = Limits()
_ENDLESS = Cap(None, None)


def of_queue(name: str) -> str:
    """Under what a queue's cap stands."""
    return f"queue:{name}"


def of_owner(id: str) -> str:
    """Under what an owner's cap stands."""
    return f"owner:{id}"


class Bounds:
    """Caps, counted while a plan is made."""

    def __init__(self, caps: Mapping[str, Cap]) -> None:
        self._caps = dict(caps)
        self._shut: set[tuple[str, int]] = set()

    def closed(self, queue: str, owner: str) -> bool:
        """Whether nobody of theirs who wants a CPU starts any more in this plan."""
        return bool(self._shut) and ((of_queue(queue), 0) in self._shut or (of_owner(owner), 0) in self._shut)

    def admits(self, queue: str, owner: str, cpus: int, gpus: int) -> bool:
        """Whether a job of so many CPUs and GPUs in all may start. The first that may not shuts what it waits for."""
        if not self._caps:
            return True
        full = list[tuple[str, int]]()
        for name in (of_queue(queue), of_owner(owner)):
            cap = self._caps.get(name, _ENDLESS)
            for what, (most, held, asked) in enumerate(
                ((cap.cpus, cap.held_cpus, cpus), (cap.gpus, cap.held_gpus, gpus))
            ):
                if most is None or not asked:
                    continue
                if asked > most:
                    return False
                if (name, what) in self._shut or held + asked > most:
                    full.append((name, what))
        self._shut.update(full)
        return not full

    def hold(self, queue: str, owner: str, cpus: int, gpus: int) -> None:
        """It starts, or is first to start."""
        if self._caps:
            for name in (of_queue(queue), of_owner(owner)):
                cap = self._caps.get(name)
                if cap is not None:
                    self._caps[name] = cap._replace(held_cpus=cap.held_cpus + cpus, held_gpus=cap.held_gpus + gpus)
