"""Models as callers name them: the request and the deltas of a chat, cards, and the ports that engines implement.

The answer side (`assistants`) implements `Answerer`; a data process may reach it over a socket and need not load it.
"""

from __future__ import annotations

from casemate.models.answerer import Answerer, ByPieces
from casemate.models.card import READER, Card, Catalogue, State
from casemate.models.chat import (
    AtOnce,
    Chat,
    Choice,
    Citation,
    Counter,
    Delta,
    Generator,
    Image,
    Message,
    Part,
    Prompt,
    Shape,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
    Usage,
)
from casemate.models.choose import MOST_TOKENS, able, chosen, within
from casemate.models.count import estimate
from casemate.models.course import Course
from casemate.models.gateway import DEADLINE, Gateway
from casemate.models.inspect import Inspect
from casemate.models.inspectors import (
    Finding,
    Inspection,
    Inspector,
    PersonalData,
    Rules,
    Secrets,
    inspect_prompt,
)
from casemate.models.metered import Metered
from casemate.models.route import Preference, Verdict
from casemate.models.vectors import Vectors

__all__ = [
    "DEADLINE",
    "MOST_TOKENS",
    "READER",
    "Answerer",
    "AtOnce",
    "ByPieces",
    "Card",
    "Catalogue",
    "Chat",
    "Choice",
    "Citation",
    "Counter",
    "Course",
    "Delta",
    "Finding",
    "Gateway",
    "Generator",
    "Image",
    "Inspect",
    "Inspection",
    "Inspector",
    "Message",
    "Metered",
    "Part",
    "PersonalData",
    "Preference",
    "Prompt",
    "Rules",
    "Secrets",
    "Shape",
    "State",
    "Text",
    "Thought",
    "Tool",
    "ToolCall",
    "ToolPiece",
    "ToolResult",
    "Usage",
    "Vectors",
    "Verdict",
    "able",
    "chosen",
    "estimate",
    "inspect_prompt",
    "within",
]
