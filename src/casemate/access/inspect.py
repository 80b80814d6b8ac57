"""What comes in is looked at: marks in a question carry their label into everything that is made of it."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access.state import State
from casemate.errors import BadInput
from casemate.labels import Reading
from casemate.policy import Refuse

__all__ = ["inspect", "marks"]

MOST_LINES = 100_000
LONG = 1 << 15  # characters: what is longer is looked at beside the loop that serves everybody


def marks(flow: State, text: str) -> list[tuple[Reading, ...]]:
    """The readings of every banner alone on its line and every portion mark that opens a paragraph."""
    policies = flow.gate.vault.region.policies
    found = []
    for line in policies.lines_to_read(text):
        readings = policies.read_banner(line.strip()) or policies.read_portion(line.strip())[0]
        if readings:
            found.append(readings)
    return found


async def inspect(flow: State, texts: Iterable[str]) -> None:
    """Raise the flow's floor to the marks; a mark that is not dominated, or not readable, refuses the request.

    Where a mark has several readings, it is as high as all of them together. Nothing has been stored or sent yet.
    """
    said = list(texts)
    if sum(text.count("\n") + text.count("\r") for text in said) > MOST_LINES:
        raise BadInput(what=f"A request has at most {MOST_LINES:,} lines.")
    for text in said:
        for readings in await flow.beside(marks, flow, text) if len(text) > LONG else marks(flow, text):
            label = flow.floor
            for reading in readings:
                if reading.problem:
                    await _refuse(flow, "mark-unreadable", {"mark": reading.text, "why": reading.problem})
                label = label | reading.label
            if not label <= flow.acting:
                await _refuse(flow, "mark-above", {"mark": readings[0].text})
            flow.floor = flow.floor | label


async def _refuse(flow: State, rule: str, facts: dict[str, str]) -> None:
    await flow.refuse(Refuse(rule, facts))
