"""Files made by hand for tests: the least that a PDF or a DOCX needs, and what hostile ones add."""

from __future__ import annotations

import io
import zipfile
import zlib
from email.message import EmailMessage

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

# --- office packages -------------------------------------------------------------------------------------------------

_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def members(data: bytes) -> dict[str, bytes]:
    """What an archive holds, to be changed and packed again."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def relations(*found: tuple[str, str, str], outside: bool = False) -> bytes:
    """Relationships: (id, last word of the type, target)."""
    mode = ' TargetMode="External"' if outside else ""
    rows = "".join(
        f'<Relationship Id="{id}" Type="{_RELATED}/{kind}" Target="{target}"{mode}/>' for id, kind, target in found
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{space}">{rows}</Relationships>'.encode()


def slide(content: str, root: str = "sld") -> bytes:
    """A slide, a layout or notes around shapes."""
    return (
        f'<?xml version="1.0"?><p:{root} xmlns:p="{P}" xmlns:a="{A}" xmlns:mc="{MC}"><p:cSld><p:spTree>{content}'
        f"</p:spTree></p:cSld></p:{root}>"
    ).encode()


def shape(*lines: str, place: str = "", top: int | None = None) -> str:
    """A shape with a paragraph for each line. `place`: of which place holder; `top`: how far down."""
    holder = f'<p:nvSpPr><p:nvPr><p:ph type="{place}"/></p:nvPr></p:nvSpPr>' if place else ""
    off = f'<p:spPr><a:xfrm><a:off x="0" y="{top}"/></a:xfrm></p:spPr>' if top is not None else ""
    said = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    return f"<p:sp>{holder}{off}<p:txBody>{said}</p:txBody></p:sp>"


def pptx(*slides: str, layout: str = "", notes: dict[int, str] | None = None) -> bytes:
    """A show of these slides (shapes of each), on one layout; notes by the number of their slide."""
    ids = "".join(f'<p:sldId id="{256 + at}" r:id="s{at}"/>' for at in range(len(slides)))
    found = {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": relations(("r", "officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": (
            f'<p:presentation xmlns:p="{P}" xmlns:r="{_RELATED}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>'
        ).encode(),
        "ppt/_rels/presentation.xml.rels": relations(
            *((f"s{at}", "slide", f"slides/slide{at}.xml") for at in range(len(slides)))
        ),
        "ppt/slideLayouts/layout1.xml": slide(layout, "sldLayout"),
    }
    for at, content in enumerate(slides):
        beside = [("l", "slideLayout", "../slideLayouts/layout1.xml")]
        if notes and at in notes:
            found[f"ppt/notesSlides/n{at}.xml"] = slide(notes[at], "notes")
            beside.append(("n", "notesSlide", f"../notesSlides/n{at}.xml"))
        found[f"ppt/slides/slide{at}.xml"] = slide(content)
        found[f"ppt/slides/_rels/slide{at}.xml.rels"] = relations(*beside)
    return archive(found)


def sheet(rows: str, after: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><worksheet xmlns="{X}"><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData>'
        f"{after}</worksheet>"
    ).encode()


def row(*cells: str) -> str:
    """Inline strings, or cells that are written out."""
    made = (c if c.startswith("<c") else f'<c t="inlineStr"><is><t>{c}</t></is></c>' for c in cells)
    return f"<row>{''.join(made)}</row>"


def xlsx(*sheets: bytes, strings: str = "", styles: str = "", names: tuple[str, ...] = (), book: str = "") -> bytes:
    """A workbook of these sheets."""
    listed = "".join(
        f'<sheet name="{names[at] if names else f"Sheet{at + 1}"}" sheetId="{at + 1}" state="hidden" r:id="s{at}"/>'
        for at in range(len(sheets))
    )
    found = {
        "[Content_Types].xml": b"<Types/>",
        "xl/workbook.xml": (
            f'<workbook xmlns="{X}" xmlns:r="{_RELATED}">{book}<sheets>{listed}</sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": relations(
            *((f"s{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(len(sheets))),
            ("t", "sharedStrings", "sharedStrings.xml"),
            ("f", "styles", "/xl/styles.xml"),
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{X}">{strings}</sst>'.encode(),
        "xl/styles.xml": f'<styleSheet xmlns="{X}">{styles}</styleSheet>'.encode(),
    }
    found |= {f"xl/worksheets/sheet{at}.xml": data for at, data in enumerate(sheets)}
    return archive(found)


def message(text: str = "text", *attached: tuple[str, bytes], subject: str = "Subject", html: str = "") -> bytes:
    """A message with attachments, by name."""
    made = EmailMessage()
    made["Subject"] = subject
    made["From"] = "anna@example.org"
    made["To"] = "bela@example.org"
    made["Date"] = "Wed, 04 Mar 2026 10:00:00 +0000"
    if text:
        made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    for name, data in attached:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
JPEG = b"\xff\xd8\xff\xe0" + bytes(8)
TIFF = b"II*\x00" + bytes(8)
