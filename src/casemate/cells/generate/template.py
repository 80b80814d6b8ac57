"""A model's chat template, run within bounds, and what it printed told apart from what somebody wrote.

    messages, tools -> the template sees a placeholder for each string that a caller wrote
                    -> its output, cut at the placeholders: pieces of the template | pieces of a caller's text

A template is a program out of a model's folder. It runs in Jinja's immutable sandbox, in this fenced process, for at
most STEPS lines, and prints at most OUTPUT characters; what no step counts (one huge multiplication) is left to the
limits of the process. It never sees a caller's words, so it cannot be talked into anything by them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from jinja2 import TemplateError, pass_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from casemate.cells.generate.spoken import Ask, Tool, Turn
from casemate.cells.serve import CannotRead

__all__ = ["OUTPUT", "STEPS", "Segment", "Template"]

STEPS: Final = 200_000
"""Lines of a template's program; a prompt of a hundred messages takes some thousands."""
OUTPUT: Final = 4 << 20
Segment = tuple[bool, str]
"""Whether it is the template's own, and the text."""


class _TooLong(Exception):
    """A template ran or printed more than it may."""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Products of numbers alone, and small ones: `"x" * 10**9` is memory, `9 ** 9 ** 9` is time."""
        if operator == "**" or not all(isinstance(side, int | float) and abs(side) < 1 << 32 for side in (left, right)):
            raise _TooLong
        return super().call_binop(context, operator, left, right)


class Template:
    """A compiled template. `names` are the model's own tokens, as the template calls them (bos_token, eos_token)."""

    def __init__(self, source: str, names: dict[str, str]) -> None:
        self._names = names
        environment = _Environment(
            trim_blocks=True,
            lstrip_blocks=True,
            # Constant parts must not be run while the template is read, where nothing is counted and nobody waits.
            optimized=False,
            finalize=_as_it_is,
            autoescape=False,
            extensions=["jinja2.ext.loopcontrols"],
        )
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _refuse
        try:
            self._template = environment.from_string(source)
        except (TemplateError, RecursionError, SyntaxError):
            raise CannotRead("The model's chat template cannot be read.") from None

    def segments(self, ask: Ask, nonce: str) -> list[Segment]:
        """The prompt in pieces. `nonce` is unguessable: no text can spell a placeholder. Raises CannotRead."""
        marks = _Marks(nonce)
        told: dict[str, Any] = {**self._names, "messages": [_message(turn, marks) for turn in ask.turns]}
        told["tools"] = [_tool(tool, marks) for tool in ask.tools] or None
        told["add_generation_prompt"] = True
        try:
            printed = _bounded(lambda: _printed(self._template.generate(told)))
        except _TooLong:
            raise CannotRead("The model's chat template takes too long, or prints too much.") from None
        except (TemplateError, RecursionError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            raise CannotRead("The model's chat template fails on this conversation.") from None
        return marks.cut(printed)


class _Marks:
    """Placeholders: letters and digits alone, so that trimming and writing as JSON leave them whole."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._texts: list[str] = []
        self._due: set[int] = set()

    def hold(self, text: str, due: bool = False) -> str:
        """A placeholder for the text; a `due` one must be printed."""
        if not text:
            return ""
        if due and text.strip():
            self._due.add(len(self._texts))
        self._texts.append(text)
        return f"{self._nonce}n{len(self._texts) - 1}z"

    def held(self, value: Any) -> Any:
        """JSON with a placeholder for each string in it, keys included; they stand where JSON is written again."""
        if isinstance(value, str):
            return self.hold(json.dumps(value, ensure_ascii=False)[1:-1])
        if isinstance(value, list):
            return [self.held(each) for each in value]
        if isinstance(value, dict):
            return {self.held(key) or key: self.held(each) for key, each in value.items()}
        return value

    def cut(self, printed: str) -> list[Segment]:
        """The pieces. A placeholder that was bent, or a message that was left out, refuses the whole."""
        found: list[Segment] = []
        first, *rest = printed.split(self._nonce)
        pieces = [(True, first)]
        for each in rest:
            number, end, literal = each.partition("z")
            if not end or number[:1] != "n" or not number[1:].isdigit() or int(number[1:]) >= len(self._texts):
                raise CannotRead("The model's chat template alters what is said.")
            self._due.discard(int(number[1:]))
            pieces += [(False, self._texts[int(number[1:])]), (True, literal)]
        if self._due or self._nonce.lower() in "".join(text for own, text in pieces if own).lower():
            raise CannotRead("The model's chat template leaves out or alters what is said.")
        for own, text in pieces:
            if text:
                found.append((own, text))
        return found


def _message(turn: Turn, marks: _Marks) -> dict[str, Any]:
    # What an assistant said before may be shortened by a template (its thoughts, say); what others said may not.
    told: dict[str, Any] = {"role": turn.role, "content": marks.hold(turn.text, due=turn.role != "assistant")}
    if turn.calls:
        told["tool_calls"] = [
            {
                "id": marks.held(call.id),
                "type": "function",
                "function": {"name": marks.held(call.name), "arguments": marks.held(_json(call.arguments))},
            }
            for call in turn.calls
        ]
    if turn.role == "tool":
        told["tool_call_id"] = marks.held(turn.id)
    return told


def _tool(tool: Tool, marks: _Marks) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": _json(tool.schema)}
    held: dict[str, Any] = {key: marks.held(value) for key, value in function.items() if key != "parameters"}
    held["parameters"] = marks.held(function["parameters"])
    return {"type": "function", "function": held}


def _json(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise CannotRead("The arguments of a call, or a tool's schema, are not JSON.") from None


def _tojson(value: Any, indent: int | None = None, **ignored: Any) -> str:
    """As transformers has it: nothing is escaped for HTML."""
    del ignored
    return json.dumps(value, ensure_ascii=False, indent=indent)


@pass_context
def _as_it_is(_: Any, value: Any) -> Any:
    """Asked with a context, it cannot be applied before there is one."""
    return value


def _refuse(_: str = "") -> NoReturn:
    raise TemplateError("the template refuses")


def _printed(parts: Iterator[str]) -> str:
    found: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > OUTPUT:
            raise _TooLong
        found.append(part)
    return "".join(found)


def _bounded(work: Callable[[], str]) -> str:
    """Run it for STEPS lines of Python at most. Counting lines needs no clock, no signal and no thread."""
    left = STEPS

    def line(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        del frame, event
        left -= 1
        if left < 0:
            raise _TooLong
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        return work()
    finally:
        sys.settrace(before)
