"""How many tokens a chat has before it is answered: by the engine that would answer it, else an honest estimate.

An estimate is a function of the request alone. It is never given out as a count.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from casemate.access import Flow
from casemate.models.chat import Chat, Image, Part, Text, Thought, ToolCall, ToolResult, Usage

__all__ = ["Counter", "counted", "estimate"]

BYTES = 4  # of UTF-8 for one token: what tokenizers of large vocabularies come to for English; less for other scripts
PICTURE = 1500  # tokens for a picture: vendors count about its pixels / 750, and scale larger ones down
TURN = 4  # what a turn costs besides its words
TOOL = 12  # what a tool costs besides its words


@runtime_checkable
class Counter(Protocol):
    """An answerer whose engines can count. The chat is lent like any other."""

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """`prompt` is the number of tokens; `estimated` where no engine counted. Raises as `answer` does."""
        ...


async def counted(answerer: object, flow: Flow, chat: Chat) -> Usage:
    """The tokens of the chat, by an engine where the answerer has one that counts."""
    if isinstance(answerer, Counter):
        return await answerer.count(flow, chat)
    return Usage(prompt=estimate(chat))


def estimate(chat: Chat) -> int:
    """Tokens of messages, tools, shape and unknown fields, rounded up."""
    size = sum(len(tool.name) + len(tool.description.encode()) + len(tool.schema) for tool in chat.tools)
    size += len(chat.shape.schema) if chat.shape is not None else 0
    size += sum(len(bytes(raw)) for raw in chat.extra.values())
    flat = TURN * len(chat.messages) + TOOL * len(chat.tools)
    for message in chat.messages:
        for part in message.parts:
            text, pictures = _of(part)
            size += text
            flat += pictures * PICTURE
    return flat - (-size // BYTES)


def _of(part: Part) -> tuple[int, int]:
    """Bytes of text, and pictures."""
    match part:
        case Text(text):
            return len(text.encode()), 0
        case Image():
            return 0, 1
        case ToolCall(_, name, arguments):
            return len(name) + len(arguments.encode()), 0
        case Thought(text, signature, sealed):
            return len(text.encode()) + len(signature) + len(sealed), 0
        case ToolResult():
            inner = [_of(each) for each in part.parts]
            return sum(size for size, _ in inner), sum(pictures for _, pictures in inner)
