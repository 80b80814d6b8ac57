"""What kind of file this is: by what it holds and by its extension, which must agree.

A file that claims to be one thing and is another is not read: each parser sees only what was meant for it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from casemate.cells.extract import bounds
from casemate.cells.serve import CannotRead

__all__ = ["media"]

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEI = "application/tei+xml"
TEXT, MARKDOWN, HTML = "text/plain", "text/markdown", "text/html"
_ARCHIVE, _XML, _OFFICE = "archive", "xml", "office"

_EXTENSIONS = {
    "": "",
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".pdf": PDF,
    ".docx": DOCX,
    ".xml": TEI,
    ".tei": TEI,
}
# what the content may look like for each kind
_FITS = {
    TEXT: {TEXT, HTML, _XML},
    MARKDOWN: {TEXT, HTML, _XML},
    HTML: {HTML, _XML, TEXT},
    PDF: {PDF},
    DOCX: {_ARCHIVE},
    TEI: {_XML},
}
_SEEN = {PDF: PDF, _ARCHIVE: DOCX, _XML: TEI, HTML: HTML, TEXT: TEXT}
_CALLED = {PDF: "PDF", _ARCHIVE: "a ZIP archive", _XML: "XML", HTML: "HTML", TEXT: "text"}
_TAG = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def media(name: str, data: bytes) -> str:
    """The media type under which the file is read. Raises CannotRead."""
    bounds.within(len(data), bounds.INPUT, "bytes")
    if not data:
        raise CannotRead("It is empty.")
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if extension not in _EXTENSIONS:
        raise CannotRead(f"Files of the kind {extension[:16]!r} are not read.")
    found = _content(data)
    if found == _OFFICE:
        raise CannotRead("It is an old or encrypted Office file; save it as DOCX without a password.")
    claimed = _EXTENSIONS[extension] or _SEEN[found]
    if found not in _FITS[claimed]:
        raise CannotRead(f"Its name ends in {extension!r}, but it holds {_CALLED[found]}.")
    return claimed


def _content(data: bytes) -> str:
    head = data[:1024]
    if b"%PDF-" in head:
        return PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _ARCHIVE
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _OFFICE
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith((b"\xff\xfe", b"\xfe\xff")):
        bare = bare[2:].replace(b"\x00", b"").lstrip()
    if _TAG.match(bare):
        return HTML
    if bare.startswith((b"<?xml", b"<TEI", b"<teiCorpus")):
        return _XML
    return TEXT
