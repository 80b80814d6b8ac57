"""Where jobs run: the engines that wiring has joined, each with the scratch that its shims share with the region."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from casemate.jobs.environment import Environments
from casemate.jobs.executor import Capabilities, Executor, Scratch
from casemate.jobs.job import Resources
from casemate.jobs.nodes import Nodes
from casemate.jobs.plan import Node
from casemate.labels import Label

__all__ = ["LEVELS", "Level", "Site", "Sites", "alone"]

Level = Literal["L1", "L2", "L3"]
LEVELS: tuple[Level, ...] = ("L1", "L2", "L3")


def alone(domain: str, told: Capabilities) -> Sequence[Node]:
    """The one node of an engine that places attempts itself: its slots, for each domain anew."""
    slots = told.slots or 1 << 20
    return (Node(told.facts.get("node", "local"), domain, slots, 1 << 40, told.gpus),)


async def _unknown() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Site:
    """An engine and its scratch. `nodes`: what a domain may use of it, as the planner sees it. `python`: which one its
    nodes have, as `wheels.Interpreter` reads it, "" where that is not known."""

    executor: Executor
    scratch: Scratch
    nodes: Callable[[str, Capabilities], Sequence[Node]] = alone
    python: Callable[[], Awaitable[str]] = _unknown


def _least(label: Label) -> Level:
    del label
    return "L1"


@dataclass(frozen=True, slots=True)
class Sites:
    """By name; `first` runs what asks for none. `floor`: the least level that the policy asks of a label.
    `environments`: in what jobs may run."""

    every: Mapping[str, Site] = field(default_factory=dict)
    first: str = ""
    floor: Callable[[Label], Level] = _least
    environments: Environments = field(default_factory=Environments)
    nodes: Nodes | None = None
    """Which of the clusters' nodes are whose."""
    network: Sequence[Label] = ()
    """What the machines' network is accredited for: a job at or below one of these may use it, and no other."""

    def site(self, name: str) -> Site | None:
        """The engine of that name, or the first one for an empty name; None where there is none."""
        return self.every.get(name or self.first)

    def held(self, label: Label, wants: Resources) -> bool:
        """Whether what the policy asks of a label holds for so many nodes: ranks on several speak over the network of
        their machines, which no wall of ours divides."""
        return wants.nodes == 1 or wants.network == "none" or self.floor(label) == "L1"

    def open(self, label: Label, wants: Resources) -> bool:
        """Whether a job there has the network that it asks for. What goes over it passes no gate, so that it is for
        labels that the settings name, and for no other."""
        return wants.network == "none" or any(label <= each for each in self.network)

    def level(self, label: Label, asked: str, reached: Sequence[str]) -> Level:
        """The higher of what a job asks for and what the policy asks for; L2 for who asks for nothing, where it is
        reached."""
        least = self.floor(label)
        wanted = asked or ("L2" if "L2" in reached else "L1")
        return next(one for one in LEVELS if one >= wanted and one >= least)
