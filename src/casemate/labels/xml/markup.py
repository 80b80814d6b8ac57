"""XML, read from strangers and written for them, with the standard library alone.

What is read is a small document: no document type, no entity, nothing from outside it, and bounds on size, depth and
number. It must never expand, fetch or guess anything, and never raise anything but MarkingError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from casemate.errors import MarkingError
from casemate.labels.disguise import shown

__all__ = ["DECLARATION", "Node", "element", "read_xml", "text_of"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
LONGEST = 1 << 20  # bytes
DEEPEST = 32  # elements inside each other
MOST = 20_000  # elements, and attributes of all of them
# What XML 1.0 cannot hold, shown as what it is: a character that is not there.
_UNHELD = {code: "\ufffd" for code in [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF] if code not in (9, 10, 13)}


@dataclass(frozen=True, slots=True)
class Node:
    """An element: names are "{namespace}local", or "local" where there is no namespace; `text` is its own, trimmed."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple[Node, ...]

    def all(self, name: str) -> tuple[Node, ...]:
        """The children of this name."""
        return tuple(child for child in self.children if child.name == name)

    def one(self, name: str) -> Node:
        """The only child of this name. MarkingError if there is none or another."""
        found = self.all(name)
        if len(found) != 1:
            _refuse(name, "an element that must stand exactly once" if found else "an element that is not there")
        return found[0]


def read_xml(source: str | bytes) -> Node:
    """The root of a document. Bytes are UTF-8, whatever a declaration says."""
    text = source if isinstance(source, str) else _decoded(source)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        _refuse(text, "not a text: it holds half a character")
    if len(data) > LONGEST:
        _refuse(text, f"longer than {LONGEST} bytes")
    return _Reader().read(data)


def element(name: str, attributes: Mapping[str, str], content: str | Iterable[str] = "") -> str:
    """An element as text. `content`: plain text (escaped here), or elements that are text already."""
    opened = "".join(f" {key}={quoteattr(_held(value))}" for key, value in attributes.items())
    inside = text_of(content) if isinstance(content, str) else "".join(content)
    return f"<{name}{opened}>{inside}</{name}>" if inside else f"<{name}{opened}/>"


def text_of(plain: str) -> str:
    """Plain text as XML holds it: escaped, and what XML cannot hold replaced by U+FFFD."""
    return escape(_held(plain), {"\r": "&#13;"})


def _held(value: str) -> str:
    return value.translate(_UNHELD)


def _decoded(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse("", "not UTF-8")


class _Open:
    """An element that is still being read."""

    __slots__ = ("attributes", "children", "name", "said")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.said: list[str] = []
        self.children: list[Node] = []

    def closed(self) -> Node:
        return Node(self.name, self.attributes, "".join(self.said).strip(), tuple(self.children))


class _Reader:
    """One document's worth of events."""

    def __init__(self) -> None:
        self._open = [_Open("", {})]
        self._count = 0

    def read(self, data: bytes) -> Node:
        parser = expat.ParserCreate("UTF-8", "}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # Before anything could be declared: without a document type there is no entity but the five of XML itself.
        parser.StartDoctypeDeclHandler = _no_doctype
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            _refuse("XML", f"not well formed, line {error.lineno}: {expat.ErrorString(error.code)}")
        return self._open[0].children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if self._count > MOST or len(self._open) > DEEPEST:
            _refuse(name, f"more than {MOST} elements and attributes, or {DEEPEST} inside each other")
        self._open.append(_Open(_clark(name), {_clark(key): value for key, value in attributes.items()}))

    def _end(self, name: str) -> None:
        del name
        closed = self._open.pop().closed()
        self._open[-1].children.append(closed)

    def _text(self, text: str) -> None:
        self._open[-1].said.append(text)


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name


def _no_doctype(name: str, *_: object) -> NoReturn:
    _refuse(name, "XML with a document type is not read")


def _refuse(what: str, why: str) -> NoReturn:
    raise MarkingError(marking=shown(what), why=why)
