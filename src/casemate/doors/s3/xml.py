"""XML in and out, as S3 has it: small documents without a type, entities or attributes.

defusedxml refuses a DTD before it can define anything; what is left is counted, so that a stranger's document becomes
no larger tree than the largest that an operation takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from casemate.errors import BadInput
from casemate.words import say

__all__ = ["NAMESPACE", "Element", "Node", "read", "written"]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DEPTH = 8
ELEMENTS = 60_000  # the parts of an upload: 10,000 of number, ETag and checksums
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Node = tuple[str, "str | int | Iterable[Node]"]


def written(root: str, nodes: Iterable[Node], namespace: str = NAMESPACE) -> bytes:
    """A document. What XML cannot say stands as U+FFFD: a client that must know asks for `encoding-type=url`."""
    space = f' xmlns="{namespace}"' if namespace else ""
    inner = "".join(_told(nodes))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{space}>{inner}</{root}>'.encode()


def _told(nodes: Iterable[Node]) -> Iterator[str]:
    for name, value in nodes:
        if isinstance(value, str | int):
            text = escape(_UNSAYABLE.sub("\ufffd", str(value)), {"\r": "&#13;"})
            yield f"<{name}>{text}</{name}>"
        else:
            yield f"<{name}>{''.join(_told(value))}</{name}>"


@dataclass(slots=True)
class Element:
    """An element: its name without a namespace, its own text, and what is in it."""

    name: str
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Those of that name directly below."""
        return [each for each in self.inside if each.name == name]

    def one(self, name: str) -> str:
        """The text of the only one of that name; "" where there is none or several."""
        found = self.all(name)
        return found[0].text.strip() if len(found) == 1 else ""

    def exactly(self, name: str) -> str:
        """The same as it was sent: a name may begin or end in a space."""
        found = self.all(name)
        return found[0].text if len(found) == 1 else ""


class _Tree(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._elements = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802
        del qname, attrs
        self._elements += 1
        if self._elements > ELEMENTS or len(self._open) >= DEPTH:
            raise SAXException("too large")
        made = Element(name[1])
        if self._open:
            self._open[-1].inside.append(made)
        else:
            self.root = made
        self._open.append(made)
        self._texts.append([])

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        del name, qname
        self._open.pop().text = "".join(self._texts.pop())

    def characters(self, content: str) -> None:
        self._texts[-1].append(content)


class _Parser(DefusedExpatParser):  # type: ignore[misc]
    """Texts come in large pieces: expat's own are one line each, and so as many as a stranger likes."""

    def reset(self) -> None:
        super().reset()
        self._parser.buffer_text = True
        self._parser.buffer_size = 1 << 16


def read(body: bytes, root: str, language: str) -> Element:
    """The document, whose root has that name. Raises BadInput (MalformedXML)."""
    parser = _Parser(namespaceHandling=1, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.setFeature(feature_namespaces, True)
    tree = _Tree()
    parser.setContentHandler(tree)
    try:
        parser.feed(body)
        parser.close()
    except (DefusedXmlException, SAXException, ValueError, LookupError):
        tree.root = None
    if tree.root is None or tree.root.name != root:
        raise BadInput(what=say("s3.xml", language, root=root), code="MalformedXML")
    return tree.root
