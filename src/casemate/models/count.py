"""How many tokens a chat has before it is answered: by the engine that would answer it, else an honest estimate.

An estimate is a function of the request alone. It is never given out as a count.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from casemate.access import Flow
from casemate.models.card import Card, Catalogue
from casemate.models.chat import Chat, Image, Part, Prompt, Text, Thought, ToolCall, ToolResult, Usage
from casemate.models.choose import able
from casemate.models.health import Health
from casemate.models.route import Preference, Sight, order

__all__ = ["Counter", "counted", "estimate"]

BYTES = 4  # of UTF-8 for one token: what tokenizers of large vocabularies come to for English; less for other scripts
PICTURE = 1500  # tokens for a picture: vendors count about its pixels / 750, and scale larger ones down
DEADLINE = 120.0  # seconds for a count; the first one of a domain waits for the weights
TURN = 4  # what a turn costs besides its words
TOOL = 12  # what a tool costs besides its words


@runtime_checkable
class Counter(Protocol):
    """An engine that counts by its model's own template and tokenizer."""

    async def count(self, prompt: Prompt, deadline: float) -> Usage:
        """`prompt` is the number of tokens; `deadline` in seconds from now. Raises EngineFailed, BadInput."""
        ...


async def counted(catalogue: Catalogue, flow: Flow, chat: Chat) -> Usage:
    """The tokens of the chat, by the model that would be asked first, where it runs here and counts; else an estimate.

    The chat is lent like any other. Nothing goes out of the region to be counted. What knowledge would add is not
    known before it is asked, so a chat that names some is estimated. Raises Refused, EngineFailed.
    """
    cards = [] if chat.knowledge else catalogue.candidates(flow, chat.model)
    if not any(_counter(card) for card in cards):
        return Usage(prompt=estimate(chat))
    messages, domain = flow.take(chat.messages), flow.gate.classes.of(flow.domain).id
    sight = Sight(Health(), domain, flow.gate.vault.clock.now())
    ranked = order(able(cards, chat), chat, messages.label, sight, Preference())
    engine = _counter(ranked[0]) if ranked else None
    if engine is None:
        return Usage(prompt=estimate(chat))
    prompt = Prompt(
        model=ranked[0].served,
        messages=chat.messages,
        tools=chat.tools,
        choice=chat.choice,
        shape=chat.shape,
        partition=domain,
    )
    return await engine.count(await flow.lend(flow.take(prompt), ranked[0].ceiling), DEADLINE)


def _counter(card: Card) -> Counter | None:
    engine: object = card.engine
    return engine if isinstance(engine, Counter) and not card.outside else None


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
