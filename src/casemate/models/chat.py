"""A chat as the house speaks of it, between wires above and engines below. All of it crosses sockets as data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

from casemate.access import Flow

__all__ = ["Answerer", "Chat", "Citation", "Delta", "Generator", "Message", "Usage"]


class Message(msgspec.Struct, frozen=True):
    """One turn. `role`: system, user or assistant."""

    role: str
    content: str


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `knowledge`: names of knowledge bases, ("all",) or () for none. `mode`: rungs, or one paragraph."""

    model: str
    messages: tuple[Message, ...]
    knowledge: tuple[str, ...] = ("all",)
    mode: Literal["rungs", "single"] = "rungs"
    max_tokens: int = 1024
    temperature: float | None = None
    language: str = "en"

    @property
    def question(self) -> str:
        """The last thing that the user said."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")


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
    """Tokens, or words where the engine counts none (`estimated`)."""

    prompt: int = 0
    completion: int = 0
    estimated: bool = True


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an answer.

    The texts of all deltas, one after the other, are the answer: marks, gaps and notes stand in them. `mark` and
    `label` say whose paragraph a delta belongs to; the last delta of a rung bears its citations and the engine that
    wrote it. The last delta of all bears `finish` (stop, length or abstain) and the usage.
    """

    text: str = ""
    mark: str = ""
    label: str = ""
    engine: str = ""
    extract: bool = False
    note: str = ""
    citations: tuple[Citation, ...] = ()
    finish: str = ""
    usage: Usage | None = None


class Answerer(Protocol):
    """Answers a chat inside a flow. Deltas are at the flow's acting label; rungs bear their own."""

    def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]: ...


class Generator(Protocol):
    """An engine that writes: text pieces for messages, until `deadline` seconds have passed. Raises EngineFailed."""

    def generate(
        self, model: str, messages: tuple[Message, ...], max_tokens: int, temperature: float | None, deadline: float
    ) -> AsyncIterator[str | Usage]: ...
