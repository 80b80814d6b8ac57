"""`toolConfig`: the functions that the client offers. None of them runs here, and the vendor's own are refused."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.models import Choice, Tool
from casemate.words import say

__all__ = ["ToolConfig", "choice_of", "tools_of"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class InputSchema(msgspec.Struct):
    """JSON Schema of the arguments."""

    json: dict[str, Any]


class ToolSpec(msgspec.Struct, rename="camel"):
    """A function."""

    name: str
    input_schema: InputSchema
    description: str = ""
    strict: bool | None = None


class ToolBlock(msgspec.Struct, rename="camel"):
    """A union."""

    tool_spec: ToolSpec | None = None
    system_tool: Any = None
    cache_point: Any = None


class Named(msgspec.Struct):
    """The one tool to call."""

    name: str


class ToolChoice(msgspec.Struct):
    """A union."""

    auto: Any = None
    any: Any = None
    tool: Named | None = None


class ToolConfig(msgspec.Struct, rename="camel"):
    """The functions, and which of them to call."""

    tools: list[ToolBlock]
    tool_choice: ToolChoice | None = None


def tools_of(config: ToolConfig | None, language: str) -> tuple[Tool, ...]:
    """The functions. Raises BadInput for a tool that the vendor would run, and for one without a usable name."""
    found: list[Tool] = []
    for block in config.tools if config is not None else ():
        if block.tool_spec is None:
            if block.cache_point is None:
                raise BadInput(what=say("models.not_offered", language, name="toolConfig.tools.systemTool"))
            continue
        spec = block.tool_spec
        if not _NAME.fullmatch(spec.name) or spec.name in {tool.name for tool in found}:
            raise BadInput(what=say("bedrock.tool", language, name=spec.name[:80]))
        schema = msgspec.json.encode(spec.input_schema.json)
        found.append(Tool(spec.name, spec.description, schema, bool(spec.strict)))
    return tuple(found)


def choice_of(config: ToolConfig | None, tools: tuple[Tool, ...], language: str) -> Choice | None:
    """Which tool to call; None where the client does not say."""
    chosen = config.tool_choice if config is not None else None
    if chosen is None:
        return None
    if chosen.tool is not None:
        if chosen.tool.name not in {tool.name for tool in tools}:
            raise BadInput(what=say("bedrock.tool", language, name=chosen.tool.name[:80]))
        return Choice("tool", chosen.tool.name)
    return Choice("any" if chosen.any is not None else "auto")
