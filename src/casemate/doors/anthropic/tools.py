"""Tools and the choice among them.

A tool of the client's own is one that the house knows. One that a vendor has trained for and the client runs (bash, an
editor) goes on as it is written, to an engine of this protocol alone. One that the vendor runs is a need: it fetches or
calls (flow.md, rule 8). So is a server of tools, and a container.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from casemate.doors.anthropic.parts import Block, Reading, malformed
from casemate.errors import BadInput
from casemate.models import Choice, Tool
from casemate.words import say

__all__ = ["Offered", "choice_of", "offered"]

_VENDOR_RUNS = re.compile(r"(?:web_search|web_fetch|code_execution|mcp|tool_search_tool)[a-z0-9_]*")
_CLIENT_RUNS = re.compile(r"(?:bash|text_editor|computer|memory)_[0-9]{8}")
_READ = frozenset({"type", "name", "description", "input_schema", "strict"})
_PASSED = frozenset({"cache_control", "eager_input_streaming", "input_examples"})  # it changes how, and not what
_CHOICES: dict[str, Literal["auto", "none", "any", "tool"]] = {
    "auto": "auto",
    "none": "none",
    "any": "any",
    "tool": "tool",
}
_NAME = 200


class Own(msgspec.Struct):
    """A tool of the client's own."""

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class Chosen(msgspec.Struct):
    """`tool_choice`."""

    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class Offered(msgspec.Struct):
    """The tools of a request: the `tools` that the house knows, the others as they were written, and all `names`."""

    tools: list[Tool]
    others: list[Block]
    names: set[str]


def offered(raw: list[Block], reading: Reading) -> Offered:
    """Read the tools; what a vendor would run joins the reading's needs. Raises BadInput."""
    found = Offered([], [], set())
    for tool in raw:
        kind = tool.get("type") or "custom"
        name = tool.get("name")
        if isinstance(name, str):
            found.names.add(name)
        if kind != "custom":
            _typed(str(kind), tool, found, reading)
        elif _beyond(tool, reading):
            found.others.append(tool)
        else:
            found.tools.append(_own(tool, reading.language))
    return found


def choice_of(raw: Block | None, names: set[str], language: str) -> Choice | None:
    """The choice. Raises BadInput where it is none, or names no tool of the request."""
    if raw is None:
        return None
    try:
        chosen = msgspec.convert(raw, Chosen)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    kind = _CHOICES.get(chosen.type)
    if kind is None or (kind == "tool" and chosen.name not in names) or (kind in ("any", "tool") and not names):
        raise BadInput(what=say("anthropic.choice", language))
    return Choice(kind, chosen.name if kind == "tool" else "", not chosen.disable_parallel_tool_use)


def _typed(kind: str, tool: Block, found: Offered, reading: Reading) -> None:
    vendor = _VENDOR_RUNS.fullmatch(kind)
    if vendor is None and _CLIENT_RUNS.fullmatch(kind) is None:
        raise BadInput(what=say("models.not_offered", reading.language, name=f"tools.{kind[:60]}"))
    if vendor is not None:
        reading.needs.append(kind[:60])
    found.others.append(tool)


def _beyond(tool: Block, reading: Reading) -> bool:
    """Whether the tool has fields that would change the answer and that the house does not know."""
    beyond = {
        name
        for name, value in tool.items()
        if name not in _READ and value not in (None, False) and not (name == "allowed_callers" and value == ["direct"])
    }
    reading.passed.update(f"tools.{name}" for name in beyond & _PASSED)
    return bool(beyond - _PASSED)


def _own(tool: Block, language: str) -> Tool:
    try:
        own = msgspec.convert(tool, Own)
        schema = msgspec.json.encode(own.input_schema)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    if not 0 < len(own.name) <= _NAME:
        raise BadInput(what=say("anthropic.tool", language, most=_NAME))
    return Tool(own.name, own.description or "", schema, bool(own.strict))
