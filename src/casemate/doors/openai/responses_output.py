"""The response as a resource (Open Responses, 2026-04-24): what was asked, said again, and the items of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.doors.openai.responses_input import Request
from casemate.models import Chat, Citation, Usage

__all__ = ["annotation", "call_item", "ended", "message_item", "reasoning_item", "resource", "text_part"]

Fields = dict[str, Any]


def resource(id: str, at: int, request: Request, chat: Chat, more: Fields) -> Fields:
    """The response before anything was said. Nothing of it is kept: `store` is false."""
    format = request.text.format if request.text is not None else None
    reasoning = request.reasoning
    return {
        "id": id,
        "object": "response",
        "created_at": at,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": None,
        "model": chat.model,
        "output": [],
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": {
            "effort": reasoning.effort if reasoning is not None else None,
            "summary": reasoning.summary if reasoning is not None else None,
        },
        "store": False,
        "background": False,
        "temperature": 1.0 if chat.temperature is None else chat.temperature,
        "text": {"format": {"type": "text"} if format is None else _format(format)},
        "tool_choice": "auto" if request.tool_choice is None else request.tool_choice,
        "tools": [_tool(tool) for tool in request.tools or ()],
        "top_p": 1.0 if chat.top_p is None else chat.top_p,
        "presence_penalty": more.get("presence_penalty", 0.0),
        "frequency_penalty": more.get("frequency_penalty", 0.0),
        "top_logprobs": 0,
        "truncation": "disabled",
        "service_tier": more.get("service_tier", "default"),
        "user": request.user,
        "safety_identifier": request.safety_identifier,
        "prompt_cache_key": None,
        "metadata": request.metadata or {},
        "usage": None,
    }


def ended(response: Fields, output: list[Fields], finish: str, usage: Usage, at: int) -> Fields:
    """The response when all was said; one that ran into its bound is incomplete."""
    short = finish == "length"
    return response | {
        "status": "incomplete" if short else "completed",
        "completed_at": None if short else at,
        "incomplete_details": {"reason": "max_output_tokens"} if short else None,
        "output": output,
        "usage": {
            "input_tokens": usage.prompt,
            "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
            "output_tokens": usage.completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.prompt + usage.completion,
        },
    }


def text_part(text: str, annotations: Iterable[Fields] = ()) -> Fields:
    """A part of a message."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def annotation(c: Citation) -> Fields:
    """`start_index` and `end_index` count Unicode code points of the whole text; the end is exclusive."""
    return {
        "type": "url_citation",
        "start_index": c.start,
        "end_index": c.end,
        "title": c.title,
        "url": c.link,
        "number": c.number,
        "mark": c.mark,
        "label": c.label,
        "passage": c.passage,
        "document": c.document,
        "quote": c.quote,
    }


def message_item(id: str, status: str, parts: list[Fields]) -> Fields:
    """What was said."""
    return {"type": "message", "id": id, "status": status, "role": "assistant", "content": parts}


def reasoning_item(id: str, status: str, text: str, sealed: str = "") -> Fields:
    """What was thought. What only its vendor can read is given back as it came."""
    content = [{"type": "reasoning_text", "text": text}] if text else []
    item: Fields = {"type": "reasoning", "id": id, "status": status, "summary": [], "content": content}
    return item | {"encrypted_content": sealed} if sealed else item


def call_item(id: str, status: str, call: str, name: str, arguments: str) -> Fields:
    """A function that the client is asked to call."""
    return {
        "type": "function_call",
        "id": id,
        "status": status,
        "call_id": call,
        "name": name,
        "arguments": arguments,
    }


def _format(format: msgspec.Struct) -> Fields:
    return {name: value for name, value in msgspec.structs.asdict(format).items() if value is not None}


def _tool(raw: Fields) -> Fields:
    """As it was offered, a function with the fields that every function has."""
    return raw if raw.get("type") != "function" else {"description": None, "parameters": None, "strict": None} | raw
