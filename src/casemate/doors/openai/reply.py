"""Shapes of a chat completion, whole and in chunks. Citations are `annotations`, with fields of our own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.models import Citation, Usage

__all__ = ["DONE", "Head", "annotated"]

DONE = b"data: [DONE]\n\n"
_FINISH = {"stop": "stop", "length": "length", "abstain": "stop"}


@dataclass(frozen=True, slots=True)
class Head:
    """What every piece of one reply repeats. `counted`: the caller asked for the usage in the stream."""

    id: str
    created: int
    model: str
    counted: bool = False

    def whole(self, text: str, citations: Iterable[Citation], finish: str, usage: Usage) -> bytes:
        """The reply in one piece."""
        message = {"role": "assistant", "content": text, "refusal": None, "annotations": annotated(citations)}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH.get(finish, "stop")}
        return msgspec.json.encode(self._base("chat.completion") | {"choices": [choice], "usage": _usage(usage)})

    def opening(self) -> bytes:
        """The first chunk: who speaks."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def piece(self, text: str, citations: Iterable[Citation], first: int) -> bytes:
        """A chunk of text; the last one of a rung bears its citations, counted on from `first`."""
        cited = annotated(citations, first)
        return self._chunk({"content": text} | ({"annotations": cited} if cited else {}))

    def closing(self, finish: str, usage: Usage) -> bytes:
        """The end of the stream."""
        last = self._chunk({}, _FINISH.get(finish, "stop"))
        if self.counted:
            chunk = self._base("chat.completion.chunk") | {"choices": [], "usage": _usage(usage)}
            last += b"data: " + msgspec.json.encode(chunk) + b"\n\n"
        return last + DONE

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = self._base("chat.completion.chunk") | {"choices": [choice]} | ({"usage": None} if self.counted else {})
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"

    def _base(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def annotated(citations: Iterable[Citation], first: int = 0) -> list[dict[str, Any]]:
    """`start_index` and `end_index` count Unicode code points of the whole text; the end is exclusive.

    Clients that put a stream together merge lists by `index`: without one the official client raises.
    """
    return [
        {
            "index": index,
            "type": "url_citation",
            "url_citation": {"start_index": c.start, "end_index": c.end, "title": c.title, "url": c.link},
            "number": c.number,
            "mark": c.mark,
            "label": c.label,
            "passage": c.passage,
            "document": c.document,
            "quote": c.quote,
        }
        for index, c in enumerate(citations, start=first)
    ]


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.prompt + usage.completion
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": total}
