"""What an upstream is given to write one rung: the question and that rung's passages, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.assistants.cite import cite
from casemate.knowledge import Hit
from casemate.labels import Policies
from casemate.models import Chat, Citation, Message
from casemate.words import say

__all__ = ["PASSAGES", "rung_messages"]

PASSAGES = 8


def rung_messages(
    chat: Chat, hits: Sequence[Hit], policies: Policies
) -> tuple[tuple[Message, ...], tuple[Citation, ...]]:
    """The messages for one rung, and the citations that its numbers stand for.

    The passages are quoted material: a rung's writer is told so, and nothing that a passage says reaches another rung.
    """
    citations = tuple(cite(number, hit, policies) for number, hit in enumerate(hits[:PASSAGES], start=1))
    sources = "\n\n".join(f"[{c.number}] {c.quote}" for c in citations)
    system = say("assistants.rung_prompt", chat.language)
    user = say("assistants.rung_question", chat.language, question=chat.question, sources=sources)
    return (Message("system", system), Message("user", user)), citations
