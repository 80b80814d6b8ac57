"""From a file's bytes to its paragraphs: text, Markdown, HTML, PDF with text, DOCX, TEI. Runs in a fenced child.

What is written stays as it is written: lines keep their breaks (a mark may stand alone on any of them), nothing is
de-hyphenated or left out because it looks like a banner. It knows no policy and decides nothing about labels.
"""

from __future__ import annotations

import importlib

from casemate.cells.extract.shape import Extracted, Paragraph, Part, Request
from casemate.cells.extract.sniff import media

__all__ = ["Extracted", "Paragraph", "Part", "Request", "extract"]

# Each reader is imported when the first file of its kind comes: a child that reads text never loads PDFium.
_READERS = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/tei+xml": "tei",
}


def extract(request: Request) -> Extracted:
    """The paragraphs of one file. Raises CannotRead with a reason that its sender may be told."""
    kind = media(request.name, request.data)
    reader = importlib.import_module(f"casemate.cells.extract.{_READERS[kind]}")
    found = reader.read(request.data)
    assert isinstance(found, Extracted)
    return found
