"""What crosses the pipe, as `knowledge.extract` declares it: a test holds the two to each other.

A cell imports no service, so it has its own copy of these few shapes.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "FOOTER",
    "HEADER",
    "HEADING",
    "LIST",
    "PARAGRAPH",
    "TABLE",
    "Awaiting",
    "Extracted",
    "Paragraph",
    "Part",
    "Request",
]

PARAGRAPH, HEADING, LIST, TABLE = "paragraph", "heading", "list", "table"
HEADER, FOOTER = "header", "footer"
"""Of a page: what runs along its edge."""


class Request(msgspec.Struct, frozen=True):
    """A file: its name (for its extension) and its bytes.

    `recognised`: what text recognition has read in its pictures, in their order; None where there is none.
    """

    name: str
    data: bytes
    recognised: tuple[str, ...] | None = None


class Paragraph(msgspec.Struct, frozen=True, array_like=True):
    """Lines of text, separated by newlines. A table gives one of these per row, a cell per line."""

    text: str
    kind: str = PARAGRAPH


class Part(msgspec.Struct, frozen=True):
    """A document: most files hold one, a TEI volume many. `key` names it within the file ("" where there is one)."""

    title: str
    key: str
    pages: tuple[tuple[Paragraph, ...], ...]


class Extracted(msgspec.Struct, frozen=True):
    """A file's documents, what stands outside them (front matter, an index), and notes on what is missing."""

    media: str
    parts: tuple[Part, ...]
    outside: tuple[Paragraph, ...] = ()
    notes: tuple[str, ...] = ()


class Awaiting(Extracted, frozen=True):
    """Nothing yet: these pictures in the file have to be recognised first; then it is read with their texts."""

    pictures: tuple[bytes, ...] = ()
