"""Models as callers name them: the request and the deltas of a chat, cards, and the ports that engines implement.

The answer side (`assistants`) implements `Answerer`; a data process may reach it over a socket and need not load it.
"""

from __future__ import annotations

from casemate.models.card import READER, Card, Catalogue
from casemate.models.chat import Answerer, Chat, Citation, Delta, Generator, Message, Usage
from casemate.models.choose import MOST_TOKENS, chosen, within
from casemate.models.course import Course

__all__ = [
    "MOST_TOKENS",
    "READER",
    "Answerer",
    "Card",
    "Catalogue",
    "Chat",
    "Citation",
    "Course",
    "Delta",
    "Generator",
    "Message",
    "Usage",
    "chosen",
    "within",
]
