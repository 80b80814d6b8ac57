"""What crosses the cell's two pipes. Text is UTF-8 throughout; JSON stays text."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Ask", "Began", "Call", "Piece", "Ready", "Tool", "Turn"]


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of an earlier turn; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message. `tool` turns bear the result of the call `id`."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    calls: tuple[Call, ...] = ()
    id: str = ""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool as the template is told of it; `schema` is JSON text."""

    name: str
    description: str
    schema: str


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request, or with `stop` the wish that the running one end; with `count` only its prompt is counted.

    `schema` is the JSON Schema (as text) that the answer is held to, "" for free text. `seconds`: how long it may run.
    """

    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 0
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stops: tuple[str, ...] = ()
    schema: str = ""
    seconds: float = 0.0
    count: bool = False
    stop: bool = False


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The weights are loaded."""

    context: int


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The prompt is a row of this many tokens."""

    prompt: int


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """Words of the answer. The last piece has a `finish` (stop, length, stopped) or a `failure` and its reason."""

    text: str = ""
    finish: str = ""
    tokens: int = 0
    failure: str = ""
    why: str = ""
