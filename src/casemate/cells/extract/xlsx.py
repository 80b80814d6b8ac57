"""XLSX (ISO/IEC 29500): a page for each sheet, hidden sheets, rows and columns too; a paragraph for each row.

A cell is told as its value was saved: a number as it is written, a date as its day, a formula by what it gave. Nothing
is computed. Headers, footers, comments, boxes and charts of a sheet are told with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.drawing import drawn
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.office import Office
from casemate.cells.extract.rows import Rows
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, PARAGRAPH, Extracted
from casemate.cells.extract.sniff import XLSX
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_BOOK = "xl/workbook.xml"
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))  # number formats (18.8.30)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[(?![hms]+\])[^\]]*\]|_.|\*.')
_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f+-]{5,6}|\d+|[LCRPNDTAFGBIUESXYZOH])')
_EDGES = {"Header": HEADER, "Footer": FOOTER}
_LAST_DAY = 2_958_466  # 9999-12-31


class _Book(Events):
    """The sheets (name, id of the reference), and from which day days are counted."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "x:sheet":
            self.sheets.append((attributes.get("name", ""), attributes.get("r:id", "")))
        elif name == "x:workbookPr":
            self.since_1904 = attributes.get("date1904", "") in ("1", "true")


class _Formats(Events):
    """Which cell formats show dates, by their number."""

    def __init__(self) -> None:
        self.dates: list[bool] = []
        self._own: dict[str, bool] = {}
        self._within = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        id = attributes.get("numFmtId", "")
        if name == "x:numFmt":
            code = _QUOTED.sub("", attributes.get("formatCode", ""))
            self._own[id] = bool(re.search("[dmyhs]", code, re.IGNORECASE)) and "general" not in code.lower()
        elif name == "x:cellXfs":
            self._within = True
        elif name == "x:xf" and self._within:
            self.dates.append(self._own.get(id, id.isdecimal() and len(id) < 9 and int(id) in _DATES))

    def end(self, name: str) -> None:
        self._within = self._within and name != "x:cellXfs"


class _Texts(Events):
    """A text for each element of one name; how words are pronounced is no text."""

    def __init__(self, wanted: str) -> None:
        self.found: list[str] = []
        self._wanted = wanted
        self._pieces: list[str] | None = None
        self._reading = False
        self._silent = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        if name == self._wanted:
            self._pieces = []
        self._silent += name == "x:rPh"
        self._reading = name in ("x:t", "x:text")

    def end(self, name: str) -> None:
        self._reading = False
        self._silent -= name == "x:rPh"
        if name == self._wanted:
            self.found.append("".join(self._pieces or ()))
            self._pieces = None

    def text(self, text: str) -> None:
        if self._reading and not self._silent and self._pieces is not None:
            self._pieces.append(text)


class _Sheet(Events):
    """The rows of a sheet, as they are met."""

    def __init__(self, draft: Draft, shared: list[str], dates: list[bool], since_1904: bool) -> None:
        self._draft, self._rows = draft, Rows(draft)
        self._shared, self._dates, self._since_1904 = shared, dates, since_1904
        self.edges: list[tuple[str, str]] = []
        self._cells: list[tuple[int, str]] = []
        self._cell: dict[str, str] = {}
        self._said: dict[str, list[str]] = {}
        self._in = ""
        self._silent = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "x:row":
            self._cells = []
        elif name == "x:c":
            self._cell, self._said = attributes, {}
        self._silent += name == "x:rPh"
        self._in = name
        if name[2:].endswith(tuple(_EDGES)):
            self._said = {}

    def end(self, name: str) -> None:
        self._in = ""
        self._silent -= name == "x:rPh"
        if name == "x:c":
            bounds.within(len(self._cells) + 1, bounds.COLUMNS, "columns")
            self._cells.append((_column(self._cell.get("r", ""), self._cells), self._value()))
        elif name == "x:row":
            self._rows.add(self._cells)
        elif name[-6:] in _EDGES and name in self._said:
            self.edges.append((_plain("".join(self._said[name])), _EDGES[name[-6:]]))

    def text(self, text: str) -> None:
        if self._in and not self._silent:
            self._said.setdefault(self._in, []).append(text)

    def _value(self) -> str:
        kind = self._cell.get("t", "n")
        value = "".join(self._said.get("x:v", ()))
        if kind == "inlineStr":
            return "".join(self._said.get("x:t", ()))
        if kind == "s":
            at = int(value) if value.strip().isdecimal() and len(value) < 12 else -1
            if not 0 <= at < len(self._shared):
                raise CannotRead("A cell of it refers to a text that is not there.")
            return self._shared[at]
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "n" and value and self._is_date():
            return _day(value, self._since_1904)
        # a formula that was never computed is all that the cell says
        formula = "".join(self._said.get("x:f", ()))
        return value or (f"={formula}" if formula else "")

    def _is_date(self) -> bool:
        style = self._cell.get("s", "")
        return style.isdecimal() and len(style) < 9 and int(style) < len(self._dates) and self._dates[int(style)]


def read(data: bytes, nest: Nest) -> Extracted:
    """One document."""
    office = Office(data, nest)
    main = office.main(_BOOK)
    if not main.startswith("xl/"):
        raise CannotRead("Its archive holds no workbook.")
    book, formats, strings = _Book(), _Formats(), _Texts("x:si")
    parse(office.archive.read(main), book)
    for kind, events in (("styles", formats), ("sharedStrings", strings)):
        for member in office.of_kind(main, kind)[:1]:
            parse(office.archive.read(member), events)
    bounds.within(len(book.sheets), bounds.PAGES, "sheets")
    targets = {relation.id: relation.target for relation in office.relations(main)}
    draft = Draft()
    for number, (name, id) in enumerate(book.sheets):
        member = targets.get(id, "")
        if member not in office.archive:
            raise CannotRead(f"Its sheet {number + 1} is missing.")
        if number:
            draft.turn()
        _sheet(office, member, name, draft, _Sheet(draft, strings.found, formats.dates, book.since_1904))
    office.embedded(draft)
    if draft.empty:
        raise NoText
    return Extracted(XLSX, (draft.part(office.title()),), notes=office.notes())


def _sheet(office: Office, member: str, name: str, draft: Draft, sheet: _Sheet) -> None:
    if not re.fullmatch(r"(?:sheet|feuil|feuille)\s?\d*", name.strip(), re.IGNORECASE):
        draft.add(name, HEADING)
    parse(office.archive.read(member), sheet)
    for text in _beside(office, member):
        draft.add(text, PARAGRAPH)
    for drawing in office.of_kind(member, "drawing"):
        drawn(office.archive.read(drawing), draft)
        for chart in office.of_kind(drawing, "chart", "chartEx", "diagramData"):
            drawn(office.archive.read(chart), draft)
    for text, kind in reversed([edge for edge in sheet.edges if edge[1] == HEADER]):
        draft.ahead(text, kind)
    for text, kind in (edge for edge in sheet.edges if edge[1] == FOOTER):
        draft.add(text, kind)


def _beside(office: Office, member: str) -> Iterator[str]:
    """Comments, of the older and the newer kind."""
    for kind, wanted in (("comments", "x:comment"), ("threadedComment", "x:threadedComment")):
        for other in office.of_kind(member, kind):
            texts = _Texts(wanted)
            parse(office.archive.read(other), texts)
            yield from texts.found


def _column(reference: str, before: list[tuple[int, str]]) -> int:
    """The number of the column, from 0: "C7" is 2. Without a reference, the next one."""
    letters = reference.rstrip("0123456789").upper()
    if not (1 <= len(letters) <= 3 and letters.isascii() and letters.isalpha()):
        return before[-1][0] + 1 if before else 0
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _day(value: str, since_1904: bool) -> str:
    """A serial number as a date and, where there is one, a time of day (18.17.4.1)."""
    try:
        serial = float(value)
    except ValueError:
        return value
    if not 0 <= serial < _LAST_DAY:
        return value
    if serial < 1:  # a time of day alone
        return (datetime(1904, 1, 1) + timedelta(seconds=round(serial * 86_400))).strftime("%H:%M:%S")  # noqa: DTZ001
    start = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - a date has no zone here
    if not since_1904 and serial < 61:  # 1900 is counted as a leap year, which it was not
        start += timedelta(days=1)
    try:
        moment = start + timedelta(seconds=round(serial * 86_400))
    except OverflowError:
        return value
    return moment.strftime("%Y-%m-%d" if serial == int(serial) else "%Y-%m-%d %H:%M:%S")


def _plain(text: str) -> str:
    """A header without its codes for place, font and size; left, middle and right are lines of their own."""
    parted = re.sub("&[LCR]", "\n", text.replace("&&", "\x00"))
    return _CODE.sub("", parted).replace("\x00", "&")
