"""A chat as the house speaks of it, between wires above and engines below. All of it crosses sockets as data.

Every wire translates to `Chat` and from `Delta`; every engine translates from `Prompt` and to `Delta`. What a protocol
knows and the house does not stands in `extra`, field by field, and is looked at like the rest before it goes anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal, Protocol, runtime_checkable

import msgspec

from casemate.models.filter import Narrowed

__all__ = [
    "AtOnce",
    "Chat",
    "Choice",
    "Citation",
    "Counter",
    "Delta",
    "Generator",
    "Image",
    "Message",
    "Part",
    "Prompt",
    "Shape",
    "Text",
    "Thought",
    "Tool",
    "ToolCall",
    "ToolPiece",
    "ToolResult",
    "Usage",
]


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture as bytes; `media` is its type (`image/png`). Never an address that somebody would have to fetch."""

    media: str
    data: bytes


class ToolCall(msgspec.Struct, frozen=True, tag="call"):
    """What an assistant asked a tool; `arguments` is JSON text as it was written."""

    id: str
    name: str
    arguments: str


class ToolResult(msgspec.Struct, frozen=True, tag="result"):
    """What a tool answered to the call of that id."""

    id: str
    parts: tuple[Text | Image, ...]
    failed: bool = False


class Thought(msgspec.Struct, frozen=True, tag="thought"):
    """Reasoning that a model gave and its vendor wants back unchanged. `sealed` is what only the vendor can read."""

    text: str = ""
    signature: str = ""
    sealed: str = ""


Part = Text | Image | ToolCall | ToolResult | Thought


class Message(msgspec.Struct, frozen=True):
    """One turn. `role`: system, user or assistant; results of tools stand in a user's turn. Plain text is a `str`."""

    role: str
    content: str | tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts, whatever its form."""
        return (Text(self.content),) if isinstance(self.content, str) else self.content

    @property
    def text(self) -> str:
        """The words of its text parts, joined by blank lines."""
        if isinstance(self.content, str):
            return self.content
        return "\n\n".join(part.text for part in self.content if isinstance(part, Text))


class Tool(msgspec.Struct, frozen=True):
    """A function that the client offers; `schema`: the JSON Schema of its arguments, as JSON. None of it runs here."""

    name: str
    description: str = ""
    schema: bytes = b"{}"
    strict: bool = False


class Choice(msgspec.Struct, frozen=True):
    """Which tool to call: auto, none, any, or the one of that `name`. `parallel`: several at once are allowed."""

    kind: Literal["auto", "none", "any", "tool"] = "auto"
    name: str = ""
    parallel: bool = True


class Shape(msgspec.Struct, frozen=True):
    """Structured output: any JSON object, or one that fits the JSON `schema` (as JSON)."""

    name: str = ""
    schema: bytes = b""
    strict: bool = True


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `knowledge`: names of knowledge bases, ("all",) or () for none. `mode`: rungs, or one paragraph.

    `extra` holds fields that the house does not know, as JSON by name; they go to an engine of the same `dialect` alone
    (openai, anthropic, bedrock). `needs` are the kept, fetching or calling fields that a model's card must allow.
    `whole`: the caller waits for the whole answer, so that an engine may make it in one piece. `narrowed` says which
    passages of the bases an answer is made from (None: the best of all).
    """

    model: str
    messages: tuple[Message, ...]
    knowledge: tuple[str, ...] = ("all",)
    narrowed: Narrowed | None = None
    mode: Literal["rungs", "single"] = "rungs"
    max_tokens: int = 1024
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    choice: Choice | None = None
    shape: Shape | None = None
    dialect: str = ""
    extra: dict[str, msgspec.Raw] = {}
    needs: tuple[str, ...] = ()
    whole: bool = False
    language: str = "en"

    @property
    def question(self) -> str:
        """The last thing that the user said."""
        return next((m.text for m in reversed(self.messages) if m.role == "user" and m.text.strip()), "")

    @property
    def demands(self) -> frozenset[str]:
        """What a model must be able to take: images, tools, shape."""
        asked = {"tools"} if self.tools else set()
        if self.shape is not None:
            asked.add("shape")
        for message in self.messages:
            if not isinstance(message.content, str):
                asked.update(_demands(message.content))
        return frozenset(asked)


def _demands(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Image) or (
            isinstance(part, ToolResult) and any(isinstance(inner, Image) for inner in part.parts)
        ):
            yield "images"
        if isinstance(part, ToolCall | ToolResult):
            yield "tools"


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it is shown. `title` is made of what its label may know.

    `number` counts within its rung; `start` and `end` are characters of the whole answer's text.
    """

    number: int
    title: str
    document: str
    passage: str
    mark: str
    label: str
    link: str
    quote: str
    page: int = 0
    start: int = 0
    end: int = 0


class Usage(msgspec.Struct, frozen=True):
    """Tokens, or words where the engine counts none (`estimated`). `cached` of the prompt's came from a cache."""

    prompt: int = 0
    completion: int = 0
    estimated: bool = True
    cached: int = 0


class ToolPiece(msgspec.Struct, frozen=True):
    """A piece of a tool call: `index` counts calls within the answer; id and name come with the first piece."""

    index: int
    arguments: str = ""
    id: str = ""
    name: str = ""


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an answer.

    The texts of all deltas, one after the other, are the answer: marks, gaps and notes stand in them. `mark` and
    `label` say whose paragraph a delta belongs to; the last delta of a rung bears its citations and the engine that
    wrote it. `call` is a piece of a tool call, `thought` of a model's reasoning. The last delta of all bears `finish`
    (stop, length, tool, abstain) and the usage.
    """

    text: str = ""
    mark: str = ""
    label: str = ""
    engine: str = ""
    extract: bool = False
    note: str = ""
    citations: tuple[Citation, ...] = ()
    call: ToolPiece | None = None
    thought: Thought | None = None
    finish: str = ""
    usage: Usage | None = None


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is lent: a chat without whatever is the house's own.

    `model` is the engine's own name for it. `salt` separates prefix caches: 64 lowercase hexadecimal characters, an
    HMAC over the label and the agency; "" where the engine keeps no state. `extra` is of this engine's dialect.
    `partition` names the label domain whose connections carry it; it is never sent.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int = 1024
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    choice: Choice | None = None
    shape: Shape | None = None
    extra: dict[str, msgspec.Raw] = {}
    salt: str = ""
    partition: str = ""


class Generator(Protocol):
    """An engine that writes. `dialect` names the protocol whose unknown fields it can pass on ("" for none)."""

    dialect: str

    def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        """Deltas of text, calls and thoughts; the last one bears `finish` (stop, length, tool) and, where known, usage.

        `deadline` is in seconds from now, for the whole answer. Raises EngineFailed, whose `cause` says what happened;
        closing the iterator hangs up at once.
        """
        ...


@runtime_checkable
class AtOnce(Protocol):
    """An engine that can also write the whole answer in one piece, for a caller who waits for all of it."""

    async def whole(self, prompt: Prompt, deadline: float) -> list[Delta]:
        """The deltas of `generate`. Raises EngineFailed."""
        ...


@runtime_checkable
class Counter(Protocol):
    """An engine that counts by its model's own template and tokenizer."""

    async def count(self, prompt: Prompt, deadline: float) -> Usage:
        """`prompt` is the number of tokens; `deadline` in seconds from now. Raises EngineFailed, BadInput."""
        ...
