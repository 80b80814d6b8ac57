"""About how many tokens a chat has, where no engine has counted them.

An estimate is a function of the request alone. It is never given out as a count.
"""

from __future__ import annotations

from casemate.models.chat import Chat, Image, Part, Text, Thought, ToolCall, ToolResult

__all__ = ["BYTES", "estimate"]

BYTES = 4  # of UTF-8 for one token: what tokenizers of large vocabularies come to for English; less for other scripts
PICTURE = 1500  # tokens for a picture: vendors count about its pixels / 750, and scale larger ones down
TURN = 4  # what a turn costs besides its words
TOOL = 12  # what a tool costs besides its words


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
