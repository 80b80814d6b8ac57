"""What custody is told of this room: answers that somebody kept come of the answer in the ledger that they name."""

from __future__ import annotations

from casemate.assistants.kept import KEPT
from casemate.assistants.tally import TALLY
from casemate.custody.kinds import ENTRY, Link, Traced, Untraced, always

__all__ = ["TRACED"]

TITLE = 80

TRACED: tuple[Traced | Untraced, ...] = (
    Traced(
        KEPT,
        (Link(ENTRY),),
        title=lambda kept: kept.question[:TITLE],
        words=lambda kept: (kept.text, kept.question),
        made=always,
    ),
    Untraced(TALLY, "it counts what a proof compared"),
)
