"""Files made by hand for tests: the least that a PDF or a DOCX needs, and what hostile ones add."""

from __future__ import annotations

import io
import zipfile
import zlib

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"


def objects(*bodies: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), entries, data)


def packed(data: bytes, entries: bytes = b"") -> bytes:
    return stream(zlib.compress(data, 9), b"/Filter/FlateDecode" + entries)


def escaped(text: str) -> bytes:
    return text.encode("latin-1").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def drawn(lines) -> bytes:
    """A content stream. Each line: (x, y, size, text) or (x, y, size, text, True) for bold."""
    parts = []
    for x, y, size, text, *bold in lines:
        parts.append(b"BT /F%d %g Tf %g %g Td (%b) Tj ET" % (2 if bold else 1, size, x, y, escaped(text)))
    return b"\n".join(parts)


def pdf(pages, title: str = "", rotate: int = 0, extra: bytes = b"") -> bytes:
    """A PDF of 612 by 792 points; a page is a list of lines (see `drawn`)."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (5 + 2 * at) for at in range(count))
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    ]
    for at, lines in enumerate(pages):
        bodies.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Rotate %d/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>%b>>>>" % (rotate, 6 + 2 * at, extra)
        )
        bodies.append(stream(lines if isinstance(lines, bytes) else drawn(lines)))
    info = b""
    if title:
        bodies.append(b"<</Title(%b)>>" % escaped(title))
        info = b"/Info %d 0 R" % len(bodies)
    return objects(*bodies, trailer=info)


def scanned(pages: int = 1, text: str = "") -> bytes:
    """Pages that one picture covers."""
    content = b"q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q"
    return pdf([content + b"\n" + drawn([(72, 700, 10, text)] if text else [])] * pages)


def docx(body: str, *, space: str = W, **members: str) -> bytes:
    """A DOCX around the body's XML. Other members by name: `header1="<w:p>..."`, `styles=...`, `core=...`."""
    roots = {"styles": "styles", "footnotes": "footnotes", "endnotes": "endnotes", "comments": "comments"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", wordml("document", f"<w:body>{body}</w:body>", space))
        for name, content in members.items():
            if name == "core":
                core = '<c:coreProperties xmlns:c="c" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</c:coreProperties>'
                archive.writestr("docProps/core.xml", core.format(f"<dc:title>{content}</dc:title>"))
            else:
                root = roots.get(name, "hdr" if name.startswith("header") else "ftr")
                archive.writestr(f"word/{name}.xml", wordml(root, content, space))
    return out.getvalue()


def wordml(root: str, content: str, space: str = W) -> str:
    return f'<?xml version="1.0"?><w:{root} xmlns:w="{space}" xmlns:mc="{MC}">{content}</w:{root}>'


def p(text: str, style: str = "") -> str:
    """A paragraph of WordprocessingML."""
    style = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{style}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
