"""XLSX: sheets as pages, rows as they were saved, and nothing that is hidden left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cells.extract import Request, bounds, extract
from casemate.cells.extract.xlsx import _column, _day, _plain
from casemate.cells.serve import CannotRead
from tests.cells import made
from tests.cells.made import row, sheet, xlsx


def read(data, name="a.xlsx"):
    return extract(Request(name, data))


def pages(data):
    (part,) = read(data).parts
    return [[(paragraph.kind, paragraph.text) for paragraph in page] for page in part.pages]


def why(data):
    with pytest.raises(CannotRead) as failed:
        read(data)
    return str(failed.value)


def test_a_workbook():
    data = xlsx(
        sheet(
            row("SECRET//NOFORN")
            + row("Port", "Fuel")
            + '<row hidden="1"><c r="A3" t="s"><v>0</v></c><c r="B3"><v>300.50</v></c></row>'
            + '<row><c r="B4" t="s"><v>1</v></c></row>'
            + row("(S) a remark", "")
        ),
        sheet(row("x")),
        strings="<si><t>Sable</t></si><si><r><t>a </t></r><r><t>run</t></r><rPh><t>said so</t></rPh></si>",
        names=("Fuel state", "Sheet2"),
    )
    assert pages(data) == [
        [
            ("heading", "Fuel state"),
            ("paragraph", "SECRET//NOFORN"),
            ("table", "Port\nFuel"),
            ("table", "Port:\nSable\nFuel:\n300.50"),
            ("table", "Fuel:\na run"),
            ("paragraph", "(S) a remark"),
        ],
        [("paragraph", "x")],
    ]
    assert read(data, "no extension").media.endswith("spreadsheetml.sheet")


def test_kinds_of_cells():
    formats = (
        '<numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
        '<numFmt numFmtId="165" formatCode="0 &quot;days&quot;"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>'
        '<xf numFmtId="22"/></cellXfs>'
    )
    cells = [
        '<c s="1"><v>46085</v></c>',
        '<c s="2"><v>46085</v></c>',
        '<c s="3"><v>46085</v></c>',
        '<c s="4"><v>46085.5</v></c>',
        '<c s="9"><v>7</v></c>',
        '<c t="b"><v>1</v></c>',
        '<c t="b"><v>2</v></c>',
        '<c t="e"><v>#REF!</v></c>',
        '<c t="str"><f>CONCAT(A1)</f><v>given</v></c>',
        "<c><f>HYPERLINK(&quot;http://x&quot;)</f></c>",
        '<c t="d"><v>2026-03-04</v></c>',
    ]
    (page,) = pages(xlsx(sheet(row(*cells)), styles=formats))
    assert page[0][1].split("\n") == [
        "2026-03-04", "2026-03-04", "46085", "2026-03-04 12:00:00", "7", "TRUE", "2", "#REF!", "given",
        '=HYPERLINK("http://x")', "2026-03-04",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "since_1904", "shown"),
    [
        ("1", False, "1900-01-01"),
        ("59", False, "1900-02-28"),
        ("61", False, "1900-03-01"),
        ("0.25", False, "06:00:00"),
        ("0", True, "00:00:00"),
        ("1", True, "1904-01-02"),
        ("-1", False, "-1"),
        ("1e300", False, "1e300"),
        ("nan", False, "nan"),
        ("2958465.9999999", False, "2958465.9999999"),
        ("2958465.9", True, "2958465.9"),
        ("soon", False, "soon"),
    ],
)
def test_days(value, since_1904, shown):
    assert _day(value, since_1904) == shown


def test_days_since_1904():
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    data = xlsx(sheet(row('<c s="0"><v>1</v></c>')), styles=styles, book='<workbookPr date1904="1"/>')
    assert pages(data) == [[("paragraph", "1904-01-02")]]


def test_what_stands_around_a_sheet():
    after = (
        "<headerFooter><oddHeader>&amp;L&amp;&quot;Arial,Bold&quot;&amp;12SECRET//NOFORN&amp;R&amp;P of &amp;N"
        "</oddHeader>"
        "<oddFooter>&amp;CA &amp;&amp; B&amp;K01+000</oddFooter></headerFooter>"
    )
    found = made.members(xlsx(sheet(row("x"), after)))
    found["xl/worksheets/_rels/sheet0.xml.rels"] = made.relations(
        ("c", "comments", "../comments1.xml"),
        ("t", "threadedComment", "../t.xml"),
        ("d", "drawing", "../drawings/d.xml"),
    )
    found["xl/drawings/_rels/d.xml.rels"] = made.relations(("c", "chart", "../charts/c.xml"))
    found["xl/comments1.xml"] = (
        f'<comments xmlns="{made.X}"><commentList><comment><text><r><t>an old </t></r><r><t>remark</t></r></text>'
        "</comment></commentList></comments>"
    ).encode()
    found["xl/t.xml"] = (
        b'<t xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><threadedComment>'
        b"<text>a new one</text></threadedComment></t>"
    )
    box = f'<d xmlns:a="{made.A}"><a:p><a:r><a:t>{{}}</a:t></a:r></a:p></d>'
    found["xl/drawings/d.xml"] = box.format("a box").encode()
    found["xl/charts/c.xml"] = box.format("a chart").encode()
    assert pages(made.archive(found)) == [
        [
            ("header", "SECRET//NOFORN\nof"),
            ("paragraph", "x"),
            ("paragraph", "an old remark"),
            ("paragraph", "a new one"),
            ("paragraph", "a box"),
            ("paragraph", "a chart"),
            ("footer", "A & B"),
        ]
    ]


def test_codes_of_headers():
    assert _plain('&C&"-,Gras"&KFF0000&14TS &D&T').strip() == "TS"


@given(st.integers(0, bounds.COLUMNS))
def test_columns(number):
    letters, left = "", number + 1
    while left:
        left, digit = divmod(left - 1, 26)
        letters = chr(65 + digit) + letters
    assert _column(f"{letters}7", []) == number


@pytest.mark.parametrize("reference", ["", "7", "ABCD1", "É1"])
def test_a_cell_without_a_place_follows_the_one_before(reference):
    assert (_column(reference, []), _column(reference, [(4, "x")])) == (0, 5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (xlsx(sheet("")), "It holds no text."),
        (xlsx(sheet(row('<c t="s"><v>7</v></c>'))), "A cell of it refers to a text that is not there."),
        (xlsx(sheet(row('<c t="s"><v>-1</v></c>'))), "A cell of it refers to a text that is not there."),
        (made.docx(made.p("x")), "Its archive holds no workbook."),
        (xlsx(sheet(f"<row>{'<c/>' * 16_385}</row>")), "It holds more than 16,384 columns."),
    ],
)
def test_what_is_refused(data, reason):
    assert why(data) == reason


def test_a_sheet_that_is_missing():
    found = made.members(xlsx(sheet(row("x"))))
    del found["xl/worksheets/sheet0.xml"]
    assert why(made.archive(found)) == "Its sheet 1 is missing."


def test_a_text_that_every_cell_shares_is_counted_before_it_is_joined():
    shared = f"<si><t>{'word ' * 40_000}</t></si>"
    data = xlsx(sheet(row(*['<c t="s"><v>0</v></c>'] * 16_000)), strings=shared)
    assert why(data) == "It holds more than 1,000,000 characters in one row."
    rows = '<row><c t="s"><v>0</v></c></row>' * 1000
    assert why(xlsx(sheet(rows), strings=shared)) == "It holds more than 10,000,000 characters of text."
