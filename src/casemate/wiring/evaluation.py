"""How good a search is, for the command line: it may not import the room that knows, and may import this one.

Pure: nothing of a region is opened here.
"""

from __future__ import annotations

from casemate.knowledge.evaluate import (
    Evaluated,
    Figure,
    Found,
    Outcome,
    Question,
    Wanted,
    evaluated,
    outcomes,
    questions,
)

__all__ = ["Evaluated", "Figure", "Found", "Outcome", "Question", "Wanted", "evaluated", "outcomes", "questions"]
