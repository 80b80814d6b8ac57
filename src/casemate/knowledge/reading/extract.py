"""The port through which documents become text, and the shapes of that text.

Whatever parses a stranger's file does so elsewhere, in a child that can reach nothing. Here is only what comes back:
paragraphs in the order of reading, page by page, as written. It says nothing about labels; `portions` reads the marks.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["Extracted", "Extractor", "Paragraph", "Part"]


class Paragraph(msgspec.Struct, frozen=True, array_like=True):
    """Lines of text, separated by newlines: a mark may stand alone on any. A row of a table has a line per cell.

    `kind`: paragraph, heading, list, table, header or footer (of the page: running lines, banners among them).
    """

    text: str
    kind: str = "paragraph"


class Part(msgspec.Struct, frozen=True):
    """One document of a file. `title` is what the file calls it ("" if nothing) and bears no mark of its own.

    `key` names it within a file that holds many (a TEI volume), "" in one that does not. A page is at its place, empty
    ones included; what has no pages is one page.
    """

    title: str
    key: str
    pages: tuple[tuple[Paragraph, ...], ...]


class Extracted(msgspec.Struct, frozen=True):
    """All that was read of a file.

    `outside`: what stands in a volume but in none of its documents (front matter, chapter titles, index): to be looked
    at for marks, not to be indexed. `notes`: what could not be read, in English sentences.
    """

    media: str
    parts: tuple[Part, ...]
    outside: tuple[Paragraph, ...] = ()
    notes: tuple[str, ...] = ()


class Extractor(Protocol):
    """Reads a file in a sandbox."""

    async def extract(self, name: str, data: bytes, domain: str | None = None) -> Extracted:
        """The documents in a file. `name` is only looked at for its extension.

        `domain`: files of one domain (an access class) may be read by one process, one after the other, where their
        format allows it; None gives the file a process of its own. Raises Unreadable, whose fact `why` is a sentence
        for whoever brought the file, and SandboxMissing: then nothing was parsed.
        """
        ...
