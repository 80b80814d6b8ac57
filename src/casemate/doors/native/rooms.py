"""The rooms that the native API speaks to, and how it writes what they say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.access import Flow, Gate, ReleaseDoor
from casemate.assistants import Prover
from casemate.buckets import Buckets
from casemate.custody.backups import Backups
from casemate.custody.scrub import Scrub
from casemate.custody.spill import Spill
from casemate.datasets import Datasets
from casemate.doors.frame import Reply
from casemate.jobs import Jobs
from casemate.jobs.work import Works
from casemate.knowledge import Connectors, Library
from casemate.labels import Label
from casemate.models import Answerer, Catalogue, Gateway
from casemate.models.registry import Registry
from casemate.settings import Settings
from casemate.transfer.region import Arrivals, Departures, Retention, Yard

__all__ = ["Check", "Rooms", "Transfer", "marked", "reply"]


class Check(msgspec.Struct, frozen=True):
    """One thing that `doctor` looked at: good, or what to do."""

    name: str
    good: bool
    said: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a region does with bundles: their files, what leaves, what comes, how long what was put aside stays.

    `asking`: the kinds of things for which a channel needs an officer's word.
    """

    yard: Yard
    departures: Departures
    arrivals: Arrivals
    retention: Retention
    asking: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rooms:
    """Given by wiring. `checks`, `add_policy` and `wires` (their address) belong to the machine.

    `checks` speaks a language, and of keys says what concerns these access classes alone. `add_policy` looks
    whether a policy can be listed, and gives the deed that lists it.
    """

    gate: Gate
    catalogue: Catalogue
    answerer: Answerer
    library: Library
    prover: Prover
    settings: Settings
    checks: Callable[[str, Collection[str]], list[Check]]
    add_policy: Callable[[str], Callable[[], None]]
    wires: Callable[[], str]
    gateway: Gateway
    registry: Registry
    release: ReleaseDoor
    connectors: Connectors
    spill: Spill
    backups: Backups
    datasets: Datasets
    buckets: Buckets
    jobs: Jobs
    works: Works
    scrub: Scrub
    transfer: Transfer


def reply(flow: Flow, data: Any, status: int = 200, **facts: Any) -> Reply:
    """JSON with the flow's label and marking around the data."""
    body = msgspec.json.encode({"data": data, **marked(flow, flow.label)})
    return Reply(body, status=status, facts=facts)


def marked(flow: Flow, label: Label) -> dict[str, str]:
    """A label as people and programs read it."""
    policies = flow.gate.vault.region.policies
    return {
        "label": label.text,
        "marking": policies.banner(label, flow.session.language),
        "mark": policies.portion(label),
    }
