"""What chat completions and responses ask alike: tools, the choice among them, the shape of the answer, pictures."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec

from casemate.errors import BadInput
from casemate.models import Choice, Image, Shape, Tool
from casemate.words import say

__all__ = ["FETCHED", "HOSTED", "SEARCHED", "choice_of", "picture", "refuse", "shape_of", "stops", "tool_of"]

FETCHED = "remote-url"

HOSTED = frozenset(
    "web_search web_search_preview web_search_2025_08_26 web_search_preview_2025_03_11 file_search code_interpreter "
    "computer computer_use_preview mcp image_generation local_shell shell apply_patch tool_search namespace".split()
)

SEARCHED = "file_search"
"""The one that a response is answered with here; a chat completion has no words for what it finds."""

_STOPS = 4
_NAME = 128
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def refuse(name: str, language: str) -> BadInput:
    """What would change the answer and is not offered is refused, never ignored."""
    return BadInput(what=say("models.not_offered", language, name=name[:200]))


class Function(msgspec.Struct):
    """A function as both operations describe it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


def tool_of(raw: Any, language: str) -> Tool:
    """The tool. Raises BadInput."""
    function = _fit(Function, raw, language)
    if not 0 < len(function.name) <= _NAME:
        raise BadInput(what=say("openai.tool_name", language, most=_NAME))
    return Tool(
        name=function.name,
        description=function.description or "",
        schema=msgspec.json.encode(function.parameters or {}),
        strict=bool(function.strict),
    )


def choice_of(
    raw: Any, parallel: bool | None, tools: tuple[Tool, ...], language: str
) -> tuple[Choice | None, tuple[Tool, ...]]:
    """The choice, and the tools that it leaves. `raw` has the function's name beside its type, or below `function`."""
    if raw is None and parallel is None:
        return None, tools
    several = parallel is not False
    if raw is None or raw in ("auto", "none"):
        return Choice("none" if raw == "none" else "auto", parallel=several), tools
    if isinstance(raw, dict) and raw.get("type") == "allowed_tools":
        inner = raw.get("allowed_tools", raw)
        names = [_named(one) for one in inner.get("tools", ())] if isinstance(inner, dict) else []
        kind: Literal["any", "auto"] = "any" if inner.get("mode") == "required" else "auto"
        left = tuple(tool for tool in tools if tool.name in names)
        if len(left) != len(set(names)) or not left:
            raise BadInput(what=say("openai.choice", language))
        return Choice(kind, parallel=several), left
    if raw == "required" and tools:
        return Choice("any", parallel=several), tools
    name = _named(raw) if isinstance(raw, dict) and raw.get("type") == "function" else ""
    if not any(tool.name == name for tool in tools):
        raise BadInput(what=say("openai.choice", language))
    return Choice("tool", name, several), tools


def _named(raw: Any) -> str:
    inner = raw.get("function", raw) if isinstance(raw, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else ""


def shape_of(kind: str, raw: Any, language: str) -> Shape | None:
    """Of a format: text, json_object, or json_schema with its name and schema in `raw`. Raises BadInput."""
    if kind == "text":
        return None
    if kind == "json_object":
        return Shape(strict=False)
    if kind != "json_schema":
        raise refuse(f"response_format {kind}", language)
    if not isinstance(raw, dict) or not isinstance(raw.get("schema"), dict) or not isinstance(raw.get("name"), str):
        raise BadInput(what=say("openai.shape", language))
    return Shape(raw["name"], msgspec.json.encode(raw["schema"]), raw.get("strict") is True)


def stops(raw: Any, language: str) -> tuple[str, ...]:
    """Stop sequences: one, or up to four, none of them empty. Raises BadInput."""
    listed = [] if raw is None else [raw] if isinstance(raw, str) else raw
    if not isinstance(listed, list) or len(listed) > _STOPS or not all(isinstance(s, str) and s for s in listed):
        raise BadInput(what=say("openai.stop", language, most=_STOPS))
    return tuple(listed)


def picture(url: str, place: int, language: str) -> Image | None:
    """The picture in a `data:` URL (RFC 2397); None where somebody would have to fetch it. Raises BadInput."""
    if url[:5].lower() != "data:":
        return None
    head, comma, body = url[5:].partition(",")
    media, _, coding = head.lower().partition(";")
    if not comma or media not in _PICTURES or coding != "base64":
        raise BadInput(what=say("openai.picture", language, place=place))
    try:
        return Image(media, base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        raise BadInput(what=say("openai.picture", language, place=place)) from None


def _fit(kind: type[Function], raw: Any, language: str) -> Function:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise BadInput(what=say("frame.shape", language, why=str(error)[:200])) from None
