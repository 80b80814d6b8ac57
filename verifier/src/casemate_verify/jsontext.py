"""JSON within bounds: read, and written in its two canonical forms. It knows no shape and never guesses.

Read is RFC 8259 with less: strict UTF-8, whole numbers of at most 2^53-1 in amount, a depth and
an amount of structure that are bounded while it is read, no name twice in an object, no lone surrogate.
Nothing recurses.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Value", "canonical", "olpc", "read", "read_canonical"]

Value = Any  # None, bool, int, str, list or dict of such: what JSON can say
GREATEST = 2**53 - 1
DEPTH = 16
MARKS = 400_000  # of [ ] { } and commas

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


def read(data: bytes) -> Value:
    """What the text says. ValueError where it is not one JSON text within the bounds."""
    return _Reader(data.decode("utf-8", "strict")).whole()  # UnicodeDecodeError is a ValueError


def read_canonical(data: bytes) -> Value:
    """The same, and only where the bytes are the one spelling of it (RFC 8785)."""
    value = read(data)
    if canonical(value) != data:
        raise ValueError("it has another spelling")
    return value


class _Reader:
    """One text, read from its first character to its last, with a stack of its own."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.marks = text, 0, 0

    def whole(self) -> Value:
        stack: list[tuple[list[Value] | dict[str, Value], str]] = []
        while True:
            value = self._value()
            if isinstance(value, list | dict):
                if len(stack) == DEPTH:
                    raise ValueError("too deep")
                name, ended = self._opened(value)
                if not ended:
                    stack.append((value, name))
                    continue
            while stack:  # a value has ended: it goes where it belongs
                holder, name = stack[-1]
                if isinstance(holder, dict):
                    holder[name] = value
                else:
                    holder.append(value)
                following = self._following(holder)
                if following is not None:
                    stack[-1] = (holder, following)
                    break
                value = stack.pop()[0]
            else:
                self._blanks()
                if self.at != len(self.text):
                    raise ValueError("something stands behind it")
                return value

    def _blanks(self) -> None:
        found = _BLANK.match(self.text, self.at)
        assert found is not None  # it matches nothing, too
        self.at = found.end()

    def _next(self) -> str:
        self._blanks()
        return self.text[self.at : self.at + 1]

    def _mark(self) -> None:
        """One of the characters that make structure: there is an end to them."""
        self.marks += 1
        self.at += 1
        if self.marks > MARKS:
            raise ValueError("too much structure")

    def _value(self) -> Value:
        first = self._next()
        if first == '"':
            return self._string()
        if first in ("[", "{"):
            self._mark()
            return [] if first == "[" else {}
        if first in _WORDS:
            word, value = _WORDS[first]
            if not self.text.startswith(word, self.at):
                raise ValueError("no such word")
            self.at += len(word)
            return value
        number = _NUMBER.match(self.text, self.at)
        if number is None or number.group() == "-0":
            raise ValueError("no value")
        self.at = number.end()
        amount = int(number.group())
        if abs(amount) > GREATEST:
            raise ValueError("too large a number")
        return amount

    def _opened(self, holder: list[Value] | dict[str, Value]) -> tuple[str, bool]:
        """The name of the first member, and whether the holder is empty and has ended."""
        if self._next() == ("}" if isinstance(holder, dict) else "]"):
            self._mark()
            return "", True
        return (self._name(holder), False) if isinstance(holder, dict) else ("", False)

    def _following(self, holder: list[Value] | dict[str, Value]) -> str | None:
        """The name of the next member, empty in a list; None where the holder ends here."""
        mark = self._next()
        self._mark()
        if mark == ",":
            return self._name(holder) if isinstance(holder, dict) else ""
        if mark == ("}" if isinstance(holder, dict) else "]"):
            return None
        raise ValueError("neither a comma nor an end")

    def _name(self, holder: dict[str, Value]) -> str:
        if self._next() != '"':
            raise ValueError("a name is a text")
        name = self._string()
        if name in holder:
            raise ValueError("a name stands twice")
        if self._next() != ":":
            raise ValueError("no value of that name")
        self.at += 1
        return name

    def _string(self) -> str:
        parts: list[str] = []
        self.at += 1
        while True:
            plain = _PLAIN.match(self.text, self.at)
            assert plain is not None  # it matches nothing, too
            parts.append(plain.group())
            self.at = plain.end()
            if self.text.startswith('"', self.at):
                self.at += 1
                return "".join(parts)
            parts.append(self._escaped())

    def _escaped(self) -> str:
        first = self._unit()
        if isinstance(first, str):
            return first
        if 0xD800 <= first < 0xDC00:
            second = self._unit()
            if not isinstance(second, int) or not 0xDC00 <= second < 0xE000:
                raise ValueError("a lone surrogate")
            return chr(0x10000 + ((first - 0xD800) << 10) + second - 0xDC00)
        if 0xDC00 <= first < 0xE000:
            raise ValueError("a lone surrogate")
        return chr(first)

    def _unit(self) -> str | int:
        found = _ESCAPE.match(self.text, self.at)
        if found is None:
            raise ValueError("no such escape, or no end")
        self.at = found.end()
        return _SHORT[found.group(1)] if found.group(1) else int(found.group(2), 16)


_MUST = re.compile(r'["\\\x00-\x1f]')
_WRITTEN = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(text: str) -> str:
    return '"' + _MUST.sub(lambda m: _WRITTEN.get(m.group(), f"\\u{ord(m.group()):04x}"), text) + '"'


def _quoted_olpc(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def canonical(value: Value) -> bytes:
    """The one spelling of RFC 8785: names by their UTF-16 units."""
    return _written(value, _quoted, lambda name: name.encode("utf-16-be")).encode()


def olpc(value: Value) -> bytes:
    """OLPC's canonical JSON, over which TUF's signatures are: only two characters are escaped."""
    return _written(value, _quoted_olpc, lambda name: name.encode("utf-32-be")).encode()


def _written(value: Value, quoted: Any, order: Any) -> str:
    parts: list[str] = []
    todo: list[tuple[bool, Value]] = [(False, value)]  # whether it is text that is ready, and what
    while todo:
        ready, item = todo.pop()
        if ready:
            parts.append(item)
        elif isinstance(item, str):
            parts.append(quoted(item))
        elif item is None or isinstance(item, bool):
            parts.append({None: "null", True: "true", False: "false"}[item])
        elif isinstance(item, int):
            parts.append(str(item))
        elif isinstance(item, list):
            todo.append((True, "]"))
            for place in range(len(item) - 1, -1, -1):
                todo.append((False, item[place]))
                todo.append((True, "," if place else "["))
            if not item:
                todo.append((True, "["))
        else:
            todo.append((True, "}"))
            for place, name in reversed(list(enumerate(sorted(item, key=order)))):
                todo.append((False, item[name]))
                todo.append((True, ("," if place else "{") + quoted(name) + ":"))
            if not item:
                todo.append((True, "{"))
    return "".join(parts)
