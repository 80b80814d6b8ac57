"""Models as callers name them: the request and the deltas of a chat, cards, and the ports that engines implement.

The answer side (`assistants`) implements `Answerer`; a data process may reach it over a socket and need not load it.
"""

from __future__ import annotations

from casemate.models.card import READER, Card, Catalogue, State
from casemate.models.chat import (
    Answerer,
    Chat,
    Choice,
    Citation,
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
from casemate.models.count import Counter, counted, estimate
from casemate.models.course import Course
from casemate.models.gateway import DEADLINE, Gateway, Inspect
from casemate.models.inspectors import (
    Finding,
    Inspection,
    Inspector,
    PersonalData,
    Rules,
    Secrets,
    inspect_prompt,
)
from casemate.models.metered import Metered, embedding
from casemate.models.route import Preference, Verdict
from casemate.models.vectors import Vectors
from casemate.models.whole import Wholly, tell

__all__ = [
    "DEADLINE",
    "MOST_TOKENS",
    "READER",
    "Answerer",
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
    "Wholly",
    "able",
    "chosen",
    "counted",
    "embedding",
    "estimate",
    "inspect_prompt",
    "tell",
    "within",
]
