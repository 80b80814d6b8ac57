"""A prompt as the generation cell reads it, and the schema that holds the answer. Nothing is dropped to make it fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from casemate.errors import BadInput
from casemate.models import Message, Part, Prompt, Text, Tool, ToolCall, ToolResult
from casemate.models.shape import holdable

__all__ = ["Untold", "ask", "forced", "schema"]

Fields = dict[str, Any]


class Untold(Exception):
    """The request has something that this engine cannot say to its model; the text names it."""


def ask(prompt: Prompt) -> Fields:
    """The fields of a request, without its deadline. Raises Untold; BadInput for a schema that cannot be held to."""
    told: Fields = {
        "turns": [turn for message in prompt.messages for turn in _turns(message)],
        "tools": [_tool(tool) for tool in _offered(prompt)],
        "max_tokens": prompt.max_tokens,
        "stops": prompt.stop,
        "schema": schema(prompt),
    }
    for name in ("temperature", "top_p", "top_k", "seed"):
        value = getattr(prompt, name)
        if value is not None:
            told[name] = value
    if prompt.extra:
        raise Untold("it knows no fields of another protocol")
    return told


def forced(prompt: Prompt) -> bool:
    """Whether the answer must be a call: `any`, or the tool of a name."""
    return bool(prompt.tools) and prompt.choice is not None and prompt.choice.kind in ("any", "tool")


def schema(prompt: Prompt) -> str:
    """The JSON Schema of the whole answer, "" for free text."""
    if forced(prompt):
        return json.dumps(_call(prompt))
    if prompt.shape is None:
        return ""
    if _offered(prompt):
        raise Untold("it cannot offer tools and hold the answer to a shape at once")
    return _held(prompt.shape.schema or b'{"type":"object"}')


def _offered(prompt: Prompt) -> tuple[Tool, ...]:
    """The tools that the model is told of; the one that it must call, where there is one."""
    choice = prompt.choice
    if choice is None or choice.kind in ("auto", "any"):
        return prompt.tools
    if choice.kind == "none":
        return ()
    found = tuple(tool for tool in prompt.tools if tool.name == choice.name)
    if not found:
        raise Untold("the tool that it must call is not among its tools")
    return found


def _call(prompt: Prompt) -> Fields:
    """One call: an object with a name and arguments. References inside a tool's schema point into that schema."""
    each = []
    for tool in _offered(prompt):
        arguments = json.loads(_held(tool.schema or b"{}"))
        if "$ref" in json.dumps(arguments):
            raise Untold("a schema with references cannot be part of a call here")
        arguments.setdefault("type", "object")
        each.append(
            {
                "type": "object",
                "properties": {"name": {"const": tool.name}, "arguments": arguments},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
        )
    return each[0] if len(each) == 1 else {"anyOf": each}


def _held(told: bytes) -> str:
    if why := holdable(told):
        raise BadInput(what=why)
    return told.decode()


def _tool(tool: Tool) -> Fields:
    return {"name": tool.name, "description": tool.description, "schema": tool.schema.decode("utf-8", "replace")}


def _turns(message: Message) -> Iterator[Fields]:
    """Results of tools are turns of their own, and come first."""
    if message.role not in ("system", "user", "assistant"):
        raise Untold("it knows the roles system, user and assistant")
    rest: list[Text] = []
    calls: list[Fields] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield {"role": "tool", "text": _words(part.parts), "id": part.id}
        elif isinstance(part, ToolCall):
            calls.append({"id": part.id, "name": part.name, "arguments": part.arguments})
        elif isinstance(part, Text):
            rest.append(part)
        else:
            raise Untold("it takes words alone")
    if rest or calls:
        yield {"role": message.role, "text": _words(tuple(rest)), "calls": calls}


def _words(parts: tuple[Part, ...]) -> str:
    if not all(isinstance(part, Text) for part in parts):
        raise Untold("it takes words alone")
    return "\n\n".join(part.text for part in parts if isinstance(part, Text))
