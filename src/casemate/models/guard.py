"""What a model says is looked at before the caller sees it: a mark above the acting label ends the answer.

On a stream the opening of each line is withheld until no mark can begin there (`Policies.may_mark`); from then on the
line passes as it comes. A tool call is withheld until it is whole, and its name and the texts in its arguments are
looked at like any other. Nothing of the line that bears such a mark has been told by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.errors import AnswerHeld
from casemate.labels import Label, Policies
from casemate.models.chat import Delta, Thought, ToolPiece, Usage

__all__ = ["Guard"]

_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # where str.splitlines ends a line
_BREAK = re.compile(f"[{_BREAKS}]")


TOKENS = 1 << 31  # of one answer: no context is so long, and no sum of such counts is too large to be kept


def _believable(usage: Usage) -> Usage:
    """What an engine says that it has used, as far as it can be: else one could wipe a quota out, or use one up."""
    prompt, completion = (max(0, min(count, TOKENS)) for count in (usage.prompt, usage.completion))
    return Usage(prompt, completion, usage.estimated, max(0, min(usage.cached, prompt)))


class _Lines:
    """One text on its way: `line` is the opening of the line that is withheld, `open` says whether it is."""

    __slots__ = ("guard", "line", "open")

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.line = ""
        self.open = True

    def passed(self, text: str) -> str:
        """What may be told now. Raises AnswerHeld."""
        if not self.open and not _BREAK.search(text):
            return text
        told = []
        for line in text.splitlines(keepends=True):
            ended = line[-1] in _BREAKS
            if not self.open:
                told.append(line)
                self.open = ended
                continue
            self.line += line
            if ended or not self.guard.policies.may_mark(self.line):
                told.append(self.rest())
                self.open = ended
        return "".join(told)

    def rest(self) -> str:
        """The withheld opening, looked at and let go."""
        if self.line:
            self.guard.judge(self.line)
        line, self.line = self.line, ""
        return line


class Guard:
    """Looks at one answer of one engine. `passed` gives what may be told; the last delta lets go of the rest."""

    def __init__(self, policies: Policies, acting: Label, engine: str = "") -> None:
        self.policies = policies
        self._engine = engine
        self._acting = acting
        self._text = _Lines(self)
        self._thought = _Lines(self)
        self._calls: dict[int, list[ToolPiece]] = {}

    def passed(self, delta: Delta) -> Sequence[Delta]:
        """What may be told, in order. Raises AnswerHeld."""
        if delta.finish or delta.call is not None or delta.thought is not None or delta.citations:
            return self._parts(delta)
        text = self._text.passed(delta.text)
        if delta.usage is not None:
            return (Delta(text=text, engine=self._engine, usage=_believable(delta.usage)),)
        return (Delta(text=text, engine=self._engine),) if text else ()

    def _parts(self, delta: Delta) -> list[Delta]:
        """A delta that is more than words, part by part; with its end comes all that was withheld."""
        told: list[Delta] = []
        if delta.thought is not None:
            thought = replace(delta.thought, text=self._thought.passed(delta.thought.text))
            if thought.text or thought.signature or thought.sealed:
                told.append(Delta(thought=thought, engine=self._engine))
        text = self._text.passed(delta.text)
        if text or delta.citations:
            told.append(Delta(text=text, engine=self._engine, citations=delta.citations))
        if delta.call is not None:
            self._calls.setdefault(delta.call.index, []).append(delta.call)
        if delta.finish:
            told += self._rest()
        if delta.finish or delta.usage:
            usage = _believable(delta.usage) if delta.usage is not None else None
            told.append(Delta(finish=delta.finish, usage=usage, engine=self._engine if delta.usage else ""))
        return told

    def judge(self, line: str) -> None:
        """Raises AnswerHeld where the line bears a mark that the acting label does not dominate."""
        bare = line.strip()
        if not self.policies.lines_to_read(bare):
            return
        for reading in self.policies.read_banner(bare) or self.policies.read_portion(bare)[0]:
            if not reading.label <= self._acting:
                raise AnswerHeld(acting=self._acting.text)

    def _rest(self) -> Iterator[Delta]:
        """All that was withheld, once the answer has ended: openings, then the calls in their order."""
        thought, text = self._thought.rest(), self._text.rest()
        if thought:
            yield Delta(thought=Thought(thought), engine=self._engine)
        if text:
            yield Delta(text=text, engine=self._engine)
        for index in sorted(self._calls):
            pieces = self._calls[index]
            for name in ("".join(piece.name for piece in pieces), "".join(piece.id for piece in pieces)):
                for line in name.splitlines():
                    self.judge(line)
            self._look("".join(piece.arguments for piece in pieces))
            for piece in pieces:
                yield Delta(call=piece, engine=self._engine)
        self._calls.clear()

    def _look(self, arguments: str) -> None:
        """The lines of every text in a call's arguments; what is no JSON is looked at as it stands."""
        try:
            found: Any = msgspec.json.decode(arguments or "{}")
        except (msgspec.DecodeError, RecursionError):
            found = arguments
        for text in _texts(found):
            for line in text.splitlines():
                self.judge(line)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, the names of its members too."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            waiting += each
