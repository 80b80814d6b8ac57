"""What kind of file this is: by what it holds and by its extension, which must agree.

A file that claims to be one thing and is another is not read: each parser sees only what was meant for it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from casemate.cells.extract import bounds
from casemate.cells.serve import CannotRead

__all__ = ["DOCX", "MACROS", "MAIL", "PICTURES", "PPTX", "XLSX", "media"]

_OPENXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OPENXML}wordprocessingml.document"
XLSX = f"{_OPENXML}spreadsheetml.sheet"
PPTX = f"{_OPENXML}presentationml.presentation"
PDF, TEI, MAIL = "application/pdf", "application/tei+xml", "message/rfc822"
TEXT, MARKDOWN, HTML = "text/plain", "text/markdown", "text/html"
CSV, TSV = "text/csv", "text/tab-separated-values"
JSON, LINES = "application/json", "application/x-ndjson"
PICTURES = ("image/png", "image/jpeg", "image/tiff")
PNG, JPEG, TIFF = PICTURES
MACROS = "It holds macros; save it without them."
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
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".json": JSON,
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".pdf": PDF,
    ".docx": DOCX,
    ".xlsx": XLSX,
    ".pptx": PPTX,
    ".eml": MAIL,
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".xml": TEI,
    ".tei": TEI,
}
_WITH_MACROS = (".docm", ".dotm", ".xlsm", ".xltm", ".xlam", ".xlsb", ".pptm", ".potm", ".ppsm", ".ppam")
_TEXTS = {TEXT, HTML, _XML}
# what the content may look like for each kind
_FITS = {
    TEXT: _TEXTS,
    MARKDOWN: _TEXTS,
    CSV: _TEXTS,
    TSV: _TEXTS,
    JSON: {TEXT},
    LINES: {TEXT},
    MAIL: {TEXT},
    HTML: _TEXTS,
    PDF: {PDF},
    DOCX: {_ARCHIVE},
    XLSX: {_ARCHIVE},
    PPTX: {_ARCHIVE},
    PNG: {PNG},
    JPEG: {JPEG},
    TIFF: {TIFF},
    TEI: {_XML},
}
_SEEN = {_XML: TEI}
_CALLED = {
    PDF: "PDF",
    _ARCHIVE: "a ZIP archive",
    _XML: "XML",
    HTML: "HTML",
    TEXT: "text",
    PNG: "a PNG picture",
    JPEG: "a JPEG picture",
    TIFF: "a TIFF picture",
    "application/rtf": "RTF",
}
_STARTS = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"{\\rtf", "application/rtf"),
)
_TAG = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def media(name: str, data: bytes) -> str:
    """The media type under which the file is read. Raises CannotRead."""
    bounds.within(len(data), bounds.INPUT, "bytes")
    if not data:
        raise CannotRead("It is empty.")
    extension = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if extension in _WITH_MACROS:
        raise CannotRead(MACROS)
    if extension not in _EXTENSIONS:
        raise CannotRead(f"Files of the kind {extension[:16]!r} are not read.")
    found = _content(data)
    if found == _OFFICE:
        raise CannotRead("It is an old or encrypted Office file; save it as DOCX, XLSX or PPTX without a password.")
    claimed = _EXTENSIONS[extension] or (_office(data) if found == _ARCHIVE else _SEEN.get(found, found))
    if found not in _FITS.get(claimed, ()):
        raise CannotRead(f"Its name ends in {extension!r}, but it holds {_CALLED[found]}.")
    return claimed


def _office(data: bytes) -> str:
    """Which office file an archive without a name's help is, by the names in it; the reader looks again."""
    if b"xl/workbook.xml" in data:
        return XLSX
    return PPTX if b"ppt/presentation.xml" in data else DOCX


def _content(data: bytes) -> str:
    head = data[:1024]
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if b"%PDF-" in head:
        return PDF
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith((b"\xff\xfe", b"\xfe\xff")):
        bare = bare[2:].replace(b"\x00", b"").lstrip()
    if _TAG.match(bare):
        return HTML
    if bare.startswith((b"<?xml", b"<TEI", b"<teiCorpus")):
        return _XML
    return TEXT
