"""A response as events: each is numbered, each item is opened, filled and closed, and the last one says how it ended.

    created in_progress (item.added (content_part.added (delta ...) content_part.done)? item.done)* completed [DONE]

Text, reasoning and calls are items in the order in which they began. Calls may grow side by side; they are closed when
something else begins, or at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casemate.doors.openai.gathered import Called
from casemate.doors.openai.reply import DONE
from casemate.doors.openai.responses_output import (
    annotation,
    call_item,
    ended,
    message_item,
    reasoning_item,
    text_part,
)
from casemate.models import Citation, Delta, ToolPiece, Usage

__all__ = ["Events"]

Fields = dict[str, Any]
_STEPS = ("in_progress", "searching", "completed")
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Item:
    """An item that is open. `head` is its delta event up to the number; what was said follows."""

    kind: str
    id: str
    place: int
    head: bytes = b""
    said: list[str] = field(default_factory=list)
    cited: list[Citation] = field(default_factory=list)
    call: Called = field(default_factory=Called)
    sealed: str = ""


class Events:
    """The events of one response. `named` gives a fresh id for a prefix, `annotate` what is said of a citation."""

    def __init__(
        self,
        response: Fields,
        named: Callable[[str], str],
        annotate: Callable[[Citation], Fields] = annotation,
    ) -> None:
        self._response = response
        self._named = named
        self._annotate = annotate
        self._number = 0
        self._open: _Item | None = None
        self._calls: dict[int, _Item] = {}
        self.output: list[Fields] = []

    def opening(self) -> bytes:
        """Created, and in progress."""
        return self._event("response.created", response=self._response) + self._event(
            "response.in_progress", response=self._response
        )

    def searched(self, item_of: Callable[[str, str], Fields]) -> bytes:
        """A search of files, which was made before anything is told. `item_of` gives it for an id and a status."""
        item = self._item("file_search_call", "fs_")
        at = {"item_id": item.id, "output_index": item.place}
        begun = item_of(item.id, "in_progress")
        out = [self._event("response.output_item.added", output_index=item.place, item=begun)]
        out += [self._event(f"response.file_search_call.{step}", **at) for step in _STEPS]
        return b"".join([*out, self._done(item, item_of(item.id, "completed"))])

    def told(self, delta: Delta) -> bytes:
        """What a delta tells; b"" where it tells nothing on this wire."""
        out: list[bytes] = []
        if delta.thought is not None:
            out += self._in("reasoning")
            self._open_item.sealed = delta.thought.sealed or self._open_item.sealed
            if delta.thought.text:
                out.append(self._said(self._open_item, delta.thought.text))
        if delta.text or delta.citations:
            out += self._in("message")
            if delta.text:
                out.append(self._said(self._open_item, delta.text))
            out += [self._cited(self._open_item, citation) for citation in delta.citations]
        if delta.call is not None:
            out += self._called(delta.call)
        return b"".join(out)

    def closing(self, finish: str, usage: Usage, at: int) -> bytes:
        """Whatever is open is closed; then the whole response."""
        out = b"".join(self._end(_status(finish)))
        whole = self.whole(finish, usage, at)
        return out + self._event(f"response.{_status(finish)}", response=whole) + DONE

    def whole(self, finish: str, usage: Usage, at: int) -> Fields:
        """The whole response, for a caller who was told nothing on the way."""
        for _ in self._end(_status(finish)):
            pass
        return ended(self._response, self.output, finish, usage, at)

    def failed(self, code: str) -> bytes:
        """The response ends without being whole; the problem itself follows in an event of its own."""
        error = {"code": "server_error", "message": code}
        whole = self._response | {"status": "failed", "output": self.output, "error": error}
        return self._event("response.failed", response=whole)

    @property
    def _open_item(self) -> _Item:
        assert self._open is not None
        return self._open

    def _in(self, kind: str) -> Iterator[bytes]:
        """Be inside an item of that kind."""
        if self._open is None or self._open.kind != kind:
            yield from self._end("completed")
            yield from self._begin(kind)

    def _begin(self, kind: str) -> Iterator[bytes]:
        message = kind == "message"
        item = self._open = self._item(kind, "msg_" if message else "rs_")
        event = "response.output_text.delta" if message else "response.reasoning_text.delta"
        at = {"item_id": item.id, "output_index": item.place, "content_index": 0}
        item.head = self._head(event, at | ({"logprobs": []} if message else {}))
        if message:
            begun, part = message_item(item.id, "in_progress", []), text_part("")
        else:
            begun, part = reasoning_item(item.id, "in_progress", ""), {"type": "reasoning_text", "text": ""}
        yield self._event("response.output_item.added", output_index=item.place, item=begun)
        yield self._event("response.content_part.added", **at, part=part)

    def _item(self, kind: str, prefix: str) -> _Item:
        self.output.append({})
        return _Item(kind, self._named(prefix), len(self.output) - 1)

    def _called(self, piece: ToolPiece) -> Iterator[bytes]:
        if self._open is not None:
            yield from self._end("completed")
        item = self._calls.get(piece.index)
        if item is None:
            item = self._calls[piece.index] = self._item("function_call", "fc_")
            item.call.add(piece)
            at = {"item_id": item.id, "output_index": item.place}
            item.head = self._head("response.function_call_arguments.delta", at)
            begun = call_item(item.id, "in_progress", item.call.id, item.call.name, "")
            yield self._event("response.output_item.added", output_index=item.place, item=begun)
        else:
            item.call.add(piece)
        if piece.arguments:
            yield self._delta(item, piece.arguments)

    def _said(self, item: _Item, text: str) -> bytes:
        item.said.append(text)
        return self._delta(item, text)

    def _cited(self, item: _Item, citation: Citation) -> bytes:
        item.cited.append(citation)
        return self._event(
            "response.output_text.annotation.added",
            item_id=item.id,
            output_index=item.place,
            content_index=0,
            annotation_index=len(item.cited) - 1,
            annotation=self._annotate(citation),
        )

    def _end(self, status: str) -> Iterator[bytes]:
        if self._open is not None:
            item, self._open = self._open, None
            yield from self._close(item, status)
        for _, item in sorted(self._calls.items()):
            yield from self._close_call(item, status)
        self._calls.clear()

    def _close(self, item: _Item, status: str) -> Iterator[bytes]:
        text = "".join(item.said)
        at = {"item_id": item.id, "output_index": item.place, "content_index": 0}
        if item.kind == "message":
            part = text_part(text, [self._annotate(citation) for citation in item.cited])
            whole = message_item(item.id, status, [part])
            yield self._event("response.output_text.done", **at, text=text, logprobs=[])
        else:
            part = {"type": "reasoning_text", "text": text}
            whole = reasoning_item(item.id, status, text, item.sealed)
            yield self._event("response.reasoning_text.done", **at, text=text)
        yield self._event("response.content_part.done", **at, part=part)
        yield self._done(item, whole)

    def _close_call(self, item: _Item, status: str) -> Iterator[bytes]:
        arguments = "".join(item.call.arguments)
        yield self._event(
            "response.function_call_arguments.done",
            item_id=item.id,
            output_index=item.place,
            name=item.call.name,
            arguments=arguments,
        )
        yield self._done(item, call_item(item.id, status, item.call.id, item.call.name, arguments))

    def _done(self, item: _Item, whole: Fields) -> bytes:
        self.output[item.place] = whole
        return self._event("response.output_item.done", output_index=item.place, item=whole)

    def _head(self, kind: str, at: Fields) -> bytes:
        """A delta event up to its number."""
        return b"event: %s\ndata: " % kind.encode() + _encode({"type": kind} | at)[:-1] + b',"sequence_number":'

    def _delta(self, item: _Item, text: str) -> bytes:
        self._number += 1
        return item.head + b'%d,"delta":' % (self._number - 1) + _encode(text) + b"}\n\n"

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        told = _encode({"type": kind, "sequence_number": self._number - 1} | fields)
        return b"event: %s\ndata: " % kind.encode() + told + b"\n\n"


def _status(finish: str) -> str:
    return "incomplete" if finish == "length" else "completed"
