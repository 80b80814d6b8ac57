"""Assistants: answers made of what one label may see, written in rungs, marked paragraph by paragraph and cited.

The pure parts - which rungs, the extractive reader, citations, the text - are functions of (question, floor, world at
the rung's label). They must never look at a passage that is not handed to them.
"""

from __future__ import annotations

from casemate.assistants.assistant import Assistant
from casemate.assistants.cite import cite, permalink, used
from casemate.assistants.compose import Answer, Place, Rung, abstention, answer, paragraph, places, text
from casemate.assistants.floor import COSINE_FLOOR, IDF_SHARE_FLOOR, reaches
from casemate.assistants.kept import KEPT, RELEASABLE, Kept, keep
from casemate.assistants.nightly import Nightly
from casemate.assistants.prove import Proof, Prover, Second, SecondWorld, question_of
from casemate.assistants.prove_all import Asking, Counted, Step, finish, prove_all
from casemate.assistants.reader import NAME as READER
from casemate.assistants.reader import read
from casemate.assistants.rungs import CAP, candidates, order, select, visiting
from casemate.assistants.tally import TALLY, Compared, Tally, stands
from casemate.assistants.told import Told, ToldRung, gathered

__all__ = [
    "CAP",
    "COSINE_FLOOR",
    "IDF_SHARE_FLOOR",
    "KEPT",
    "READER",
    "RELEASABLE",
    "TALLY",
    "Answer",
    "Asking",
    "Assistant",
    "Compared",
    "Counted",
    "Kept",
    "Nightly",
    "Place",
    "Proof",
    "Prover",
    "Rung",
    "Second",
    "SecondWorld",
    "Step",
    "Tally",
    "Told",
    "ToldRung",
    "abstention",
    "answer",
    "candidates",
    "cite",
    "finish",
    "gathered",
    "keep",
    "order",
    "paragraph",
    "permalink",
    "places",
    "prove_all",
    "question_of",
    "reaches",
    "read",
    "select",
    "stands",
    "text",
    "used",
    "visiting",
]
