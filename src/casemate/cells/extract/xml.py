"""XML as a stream of events, without document types, entities of its own, or anything from outside the file.

defusedxml refuses a DTD before it can define anything; what is left is counted (elements, depth), so that no tree is
ever built from a stranger's file.
"""

from __future__ import annotations

from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from casemate.cells.extract import bounds
from casemate.cells.serve import CannotRead

__all__ = ["NAMESPACES", "Events", "parse"]

NAMESPACES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "x",
    "http://purl.oclc.org/ooxml/spreadsheetml/main": "x",
    "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments": "x",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel",
    "http://schemas.openxmlformats.org/package/2006/content-types": "ct",
    "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
    "http://purl.oclc.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.tei-c.org/ns/1.0": "tei",
    "http://www.w3.org/XML/1998/namespace": "xml",
}


class Events:
    """What a reader of one vocabulary implements. Names are `prefix:local`, with our prefixes; others are "?:local"."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


class _Counted(ContentHandler):
    def __init__(self, events: Events) -> None:
        super().__init__()
        self._events = events
        self._depth = 0
        self._elements = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802
        del qname
        self._depth += 1
        self._elements += 1
        bounds.within(self._depth, bounds.DEPTH, "elements inside each other")
        bounds.within(self._elements, bounds.ELEMENTS, "elements")
        self._events.start(_named(name), {_named(key): value for key, value in attrs.items()})

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        del qname
        self._depth -= 1
        self._events.end(_named(name))

    def characters(self, content: str) -> None:
        self._events.text(content)


def _named(name: tuple[str | None, str]) -> str:
    space, local = name
    return f"{NAMESPACES.get(space, '?')}:{local}" if space else local


def parse(data: bytes, events: Events) -> None:
    """Send the events of a whole document. Raises CannotRead."""
    parser = DefusedExpatParser(namespaceHandling=1, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(_Counted(events))
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException:
        raise CannotRead("Its XML declares a document type or entities; such XML is not read.") from None
    except SAXParseException as error:
        raise CannotRead(f"Its XML is not well formed (line {error.getLineNumber()}).") from None
    except SAXException:
        raise CannotRead("Its XML is not well formed.") from None
