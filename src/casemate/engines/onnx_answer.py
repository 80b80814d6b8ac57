"""Pieces of text as deltas: words as they come, calls of tools read out of them, a held answer judged once more.

A call is JSON between <tool_call> and </tool_call>, or the whole answer where the model had to call. It must name a
tool that was offered, with arguments that fit; anything else is a failure, never words that look like a call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from casemate.engines.onnx_ask import forced, schema
from casemate.errors import EngineFailed
from casemate.models import Delta, Prompt, ToolPiece, Usage
from casemate.models.shape import fits

__all__ = ["Answer"]

_OPEN: Final = "<tool_call>"
_CLOSE: Final = "</tool_call>"


class Answer:
    """Reads one answer: `fed` gives deltas, `last` the final ones. EngineFailed where it is not what was asked."""

    def __init__(self, prompt: Prompt, name: str) -> None:
        self._name = name
        self._schema = schema(prompt)
        self._forced = forced(prompt)
        self._tools = {tool.name: tool for tool in prompt.tools}
        offers = bool(prompt.tools) and (prompt.choice is None or prompt.choice.kind == "auto")
        self._reads = offers
        self._most = 1 if prompt.choice is not None and not prompt.choice.parallel else 0
        self._calls = 0
        self._kept, self._said = "", False
        self._whole: list[str] = []

    @property
    def full(self) -> bool:
        """It has as many calls as were allowed: the rest need not be written."""
        return bool(self._most) and self._calls >= self._most

    def fed(self, text: str) -> Iterator[Delta]:
        """What these words come to."""
        if self._schema:
            self._whole.append(text)
        if self._forced:
            return
        if not self._reads:
            if text:
                yield Delta(text=text)
            return
        self._kept += text
        yield from self._read()

    def last(self, finish: str, prompt: int, written: int) -> Iterator[Delta]:
        """The end. An answer that was cut off is told as such and judged by nobody."""
        whole = "".join(self._whole)
        if self._schema and finish != "length":
            if why := fits(self._schema, whole):
                raise self._failed(f"its answer does not fit the schema ({why})")
            if self._forced:
                yield self._call(whole)
        if self._kept:
            if self._kept.startswith(_OPEN) and finish != "length":
                raise self._failed("its call of a tool does not end")
            if not self._kept.startswith(_OPEN):
                yield Delta(text=self._kept)
        usage = Usage(prompt, written, estimated=False)
        yield Delta(finish="tool" if self._calls and finish != "length" else finish, usage=usage)

    def _read(self) -> Iterator[Delta]:
        """Words up to a call, the call, and again; what may be the beginning of one waits."""
        while self._kept and not self.full:
            if self._calls and not self._said:
                # White space around calls belongs to their writing, not to what is said.
                self._kept = self._kept.lstrip()
            if not self._kept.startswith(_OPEN):
                place = self._kept.find(_OPEN)
                end = place if place >= 0 else len(self._kept) - _begun(self._kept)
                words, self._kept = self._kept[:end], self._kept[end:]
                if words:
                    self._said = True
                    yield Delta(text=words)
            if not self._kept.startswith(_OPEN) or _CLOSE not in self._kept:
                return
            inner, _, self._kept = self._kept.removeprefix(_OPEN).partition(_CLOSE)
            yield self._call(inner)
            self._said = False
        if self.full:
            self._kept = ""

    def _call(self, text: str) -> Delta:
        told = _parsed(text)
        tool = self._tools.get(told.get("name", "")) if isinstance(told.get("name"), str) else None
        if tool is None:
            raise self._failed("it called a tool that was not offered, or in a way that cannot be read")
        arguments = json.dumps(told.get("arguments", {}), ensure_ascii=False)
        if why := fits(tool.schema, arguments):
            raise self._failed(f"it called a tool with arguments that do not fit ({why})")
        index, self._calls = self._calls, self._calls + 1
        return Delta(call=ToolPiece(index, arguments, f"call_{index}", tool.name))

    def _failed(self, why: str) -> EngineFailed:
        return EngineFailed(engine=self._name, why=why)


def _parsed(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _begun(text: str) -> int:
    """How many characters at the end may be the beginning of a call."""
    return next((size for size in range(min(len(_OPEN) - 1, len(text)), 0, -1) if text.endswith(_OPEN[:size])), 0)
