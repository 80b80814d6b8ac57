"""PDF with text, by PDFium: the characters and their places as the file draws them, then `layout`.

Nothing is rendered and no script, form or attachment is touched. Pages that are pictures of text are said to be so:
they need text recognition, which is another machine's work.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText, Tally, clean
from casemate.cells.extract.layout import Line, PageLines, compose
from casemate.cells.extract.shape import Extracted
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_MEDIA = "application/pdf"
_FEW = 50  # characters: a page with fewer and a picture over most of it is a picture of text
_MOST = 0.5
_HYPHENS = (0x02, 0xFFFE)  # how PDFium writes a hyphen at the end of a line
_BOLD = 600
_NAME = 128  # bytes of a font's name
_PASSWORD, _SECURITY = 4, 5  # FPDF_ERR_*


def read(data: bytes) -> Extracted:
    """One document; its title is the one that the file gives itself."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD, _SECURITY):
            raise CannotRead("It is protected by a password.") from None
        raise CannotRead("It is not a PDF that can be opened; it may be cut off.") from None
    count = len(document)
    bounds.within(count, bounds.PAGES, "pages")
    tally = Tally()
    pages: list[PageLines] = []
    pictures = 0
    for number in range(count):
        page, picture = _page(document, number, tally)
        pages.append(page)
        pictures += picture
    if not any(page.lines for page in pages) or pictures == count:
        if pictures:
            raise CannotRead("Its pages are pictures of text; it needs text recognition (OCR) first.")
        raise NoText
    return _composed(pages, document.get_metadata_value("Title"), pictures)


def _composed(pages: list[PageLines], title: str, pictures: int) -> Extracted:
    draft = Draft()
    for number, page in enumerate(compose(pages)):
        if number:
            draft.turn()
        for paragraph in page:
            draft.add(paragraph.text, paragraph.kind)
    notes = (f"{pictures} of {len(pages)} pages are pictures of text and were not read.",) if pictures else ()
    return Extracted(_MEDIA, (draft.part(title),), notes=notes)


def _page(document: pypdfium2.PdfDocument, number: int, tally: Tally) -> tuple[PageLines, bool]:
    """The lines of a page, and whether it is a picture of text. A page that cannot be opened fails the file."""
    try:
        page = document[number]
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        raise CannotRead(f"Its page {number + 1} is damaged.") from None
    try:
        bounds.within(text.count_chars(), bounds.LINE, "characters on one page")
        lines = tuple(_lines(text.raw, text.count_chars(), _Turned(page)))
        for line in lines:
            tally.count(line.text)
        picture = sum(len(line.text) for line in lines) < _FEW and _pictured(page)
        width, height = page.get_size()
        return PageLines(width, height, lines), picture
    finally:
        text.close()
        page.close()


class _Turned:
    """From the page's own coordinates to those of the page as it is shown."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self._turn = page.get_rotation()

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """(left, bottom, right, top), the origin at the lower left."""
        one, two = self._point(left, bottom), self._point(right, top)
        return min(one[0], two[0]), min(one[1], two[1]), max(one[0], two[0]), max(one[1], two[1])

    def _point(self, x: float, y: float) -> tuple[float, float]:
        match self._turn:
            case 90:
                return y - self._bottom, self._right - x
            case 180:
                return self._right - x, self._top - y
            case 270:
                return self._top - y, x - self._left
        return x - self._left, y - self._bottom


def _lines(text: pdfium.FPDF_TEXTPAGE, count: int, turned: _Turned) -> Iterator[Line]:
    """The lines of a page. A character's own index is kept: its place is asked for the first and the last of a line."""
    letters: list[tuple[int, int]] = []
    for index in range(count + 1):
        code = pdfium.FPDFText_GetUnicode(text, index) if index < count else 0x0A
        if code not in (0x0A, 0x0D):
            letters.append((index, code))
            continue
        if line := _line(text, letters, turned):
            yield line
        letters = []


def _line(text: pdfium.FPDF_TEXTPAGE, letters: list[tuple[int, int]], turned: _Turned) -> Line | None:
    written = clean(_written(code for _, code in letters)).replace("\n", " ")
    seen = [index for index, code in letters if code > 0x20 and not chr(code).isspace()]
    if not written or not seen:
        return None
    first, last = _box(text, seen[0]), _box(text, seen[-1])
    left, bottom, right, top = turned.box(
        min(first[0], last[0]), min(first[1], last[1]), max(first[2], last[2]), max(first[3], last[3])
    )
    return Line(written, left, right, bottom, top, _bold(text, seen[0]))


def _written(codes: Iterator[int]) -> str:
    """UTF-16 units as PDFium gives them, as a string; ligatures of fonts taken apart, so that a mark reads as one."""
    units = "".join("-" if code in _HYPHENS else chr(code) for code in codes if 0 < code <= 0x10FFFF)
    if any(0xD800 <= ord(unit) <= 0xDFFF for unit in units):
        units = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if any(0xFB00 <= ord(unit) <= 0xFB06 for unit in units):
        units = "".join(unicodedata.normalize("NFKC", x) if "\ufb00" <= x <= "\ufb06" else x for x in units)
    return units


def _bold(text: pdfium.FPDF_TEXTPAGE, index: int) -> bool:
    """By the weight that a font states, else by its name."""
    if pdfium.FPDFText_GetFontWeight(text, index) >= _BOLD:
        return True
    name = ctypes.create_string_buffer(_NAME)
    size = pdfium.FPDFText_GetFontInfo(text, index, name, _NAME, None)
    return 0 < size <= _NAME and b"bold" in name.value.lower()


def _box(text: pdfium.FPDF_TEXTPAGE, index: int) -> tuple[float, float, float, float]:
    """The box that a font reserves for a character: as high for "a" as for "A"."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text, index, ctypes.byref(box)):
        return 0.0, 0.0, 0.0, 0.0
    return box.left, min(box.bottom, box.top), box.right, max(box.bottom, box.top)


def _pictured(page: pypdfium2.PdfPage) -> bool:
    width, height = page.get_size()
    covered = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        left, bottom, right, top = image.get_bounds()
        covered += max(0.0, right - left) * max(0.0, top - bottom)
    return bool(covered > _MOST * width * height)
