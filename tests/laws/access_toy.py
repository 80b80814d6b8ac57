"""The toy of the law at the gate: a kind of short notes, and how what was found of it is compared."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.labels import Label
from casemate.objects import Kind


class Note(msgspec.Struct, frozen=True):
    """The toy's object."""

    text: str
    topic: str


NOTE = Kind("law.note", Note, indexed=("topic",))
IDS = tuple(f"note{n}" for n in range(6))
TOPICS = ("ships", "fever", "storm")


def plain(found: Any) -> Any:
    return found.ref, found.version, found.label.text, found.value


def label_at(flow: Flow, text: str) -> Label:
    return flow.gate.vault.region.policies.parse(text)
