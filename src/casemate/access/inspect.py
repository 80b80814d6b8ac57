"""What comes in is looked at: marks in a question carry their label into everything that is made of it."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access.state import State
from casemate.labels import Label, Reading
from casemate.policy import Refuse

__all__ = ["inspect", "marks"]


def marks(flow: State, text: str) -> list[tuple[Reading, ...]]:
    """The readings of every banner alone on its line and every portion mark that opens a paragraph."""
    policies = flow.gate.vault.region.policies
    found = []
    for line in text.splitlines():
        readings = policies.read_banner(line.strip()) or policies.read_portion(line.strip())[0]
        if readings:
            found.append(readings)
    return found


async def inspect(flow: State, texts: Iterable[str]) -> None:
    """Raise the flow's floor to the marks; a mark that is not dominated, or not readable, refuses the request.

    Where a mark has several readings, it is as high as all of them together. Nothing has been stored or sent yet.
    """
    for text in texts:
        for readings in marks(flow, text):
            label = flow.floor
            for reading in readings:
                if reading.problem:
                    await _refuse(flow, "mark-unreadable", {"mark": reading.text, "why": reading.problem})
                label = label | reading.label
            if not label <= flow.acting:
                await _refuse(flow, "mark-above", {"mark": readings[0].text})
            flow.floor = _at_least(flow.floor, label)


def _at_least(floor: Label, label: Label) -> Label:
    return floor | label


async def _refuse(flow: State, rule: str, facts: dict[str, str]) -> None:
    await flow.gate.refuse(flow.session, flow.acting, flow.action, Refuse(rule, facts))
