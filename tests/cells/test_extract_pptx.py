"""PPTX: slides as pages, told from top to bottom, with all that is shown with them or stands behind them."""

from __future__ import annotations

import pytest

from casemate.cells.extract import Request, extract
from casemate.cells.serve import CannotRead
from tests.cells import made
from tests.cells.made import pptx, shape


def read(data, name="a.pptx"):
    return extract(Request(name, data))


def pages(data):
    (part,) = read(data).parts
    return [[(paragraph.kind, paragraph.text) for paragraph in page] for page in part.pages]


def why(data, name="a.pptx"):
    with pytest.raises(CannotRead) as failed:
        read(data, name)
    return str(failed.value)


def test_a_show():
    data = pptx(
        shape("(S) second", top=500) + shape("SECRET//NOFORN", top=10) + shape("Déplacements", place="title"),
        shape("three", "four", place="body") + shape("page 2", place="sldNum"),
        layout=shape("EXERCISE") + shape("Click to edit", place="body"),
        notes={1: shape("(TS) what is said", place="body") + shape("2", place="sldNum")},
    )
    assert pages(data) == [
        [
            ("header", "EXERCISE"),
            ("heading", "Déplacements"),
            ("paragraph", "SECRET//NOFORN"),
            ("paragraph", "(S) second"),
        ],
        [
            ("header", "EXERCISE"),
            ("paragraph", "three"),
            ("paragraph", "four"),
            ("paragraph", "(TS) what is said"),
            ("footer", "page 2"),
            ("footer", "2"),
        ],
    ]
    found = read(data)
    assert found.parts[0].title == "Déplacements"
    assert found.media.endswith("presentationml.presentation")
    assert read(data, "no extension").media == found.media


def test_the_file_may_have_a_title_of_its_own():
    core = '<c:core xmlns:c="c" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></c:core>'
    for title, wanted in (("Own", "Own"), ("PowerPoint Presentation", "First"), (" ", "First")):
        found = made.members(pptx(shape("First", place="title")))
        found["docProps/core.xml"] = core.format(title).encode()
        assert read(made.archive(found)).parts[0].title == wanted
    assert read(pptx(shape("text"))).parts[0].title == ""


def test_tables_breaks_groups_and_what_is_told_twice():
    cell = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    table = f"<p:graphicFrame><a:tbl><a:tr>{cell.format('a')}{cell.format('(S) b')}{cell.format('')}</a:tr></a:tbl>"
    group = '<p:grpSp><p:grpSpPr><a:xfrm><a:off x="0" y="5"/></a:xfrm></p:grpSpPr>'
    twice = f"<mc:AlternateContent><mc:Choice>{shape('box')}</mc:Choice><mc:Fallback>{shape('box')}</mc:Fallback>"
    broken = "<p:sp><a:p><a:r><a:t>one</a:t></a:r><a:br/><a:r><a:t>two</a:t></a:r></a:p></p:sp>"
    odd = '<p:sp><p:spPr><a:xfrm><a:off x="far" y="-7"/></a:xfrm></p:spPr><a:t>bare</a:t></p:sp>'
    data = pptx(
        shape("last", top=900)
        + table + "</p:graphicFrame>"
        + group + shape("in a group", top=7000) + shape("and beside it", top=1) + "</p:grpSp>"
        + twice + "</mc:AlternateContent>" + broken + odd
    )  # fmt: skip
    assert pages(data) == [
        [
            ("paragraph", "bare"),
            ("paragraph", "in a group"),
            ("paragraph", "and beside it"),
            ("paragraph", "box"),
            ("paragraph", "one\ntwo"),
            ("paragraph", "last"),
            ("table", "a\n(S) b"),
        ]
    ]


def test_masters_charts_and_comments_are_told_too():
    found = made.members(pptx(shape("text")))
    found["ppt/slideLayouts/_rels/layout1.xml.rels"] = made.relations(("m", "slideMaster", "../slideMasters/m.xml"))
    found["ppt/slideMasters/m.xml"] = made.slide(shape("SECRET") + shape("Click", place="title"), "sldMaster")
    found["ppt/slides/_rels/slide0.xml.rels"] = made.relations(
        ("l", "slideLayout", "../slideLayouts/layout1.xml"),
        ("c", "comments", "../comments/c.xml"),
        ("d", "diagramData", "../diagrams/d.xml"),
    )
    found["ppt/comments/c.xml"] = (
        f'<p:cmLst xmlns:p="{made.P}"><p:cm><p:text>a remark</p:text></p:cm></p:cmLst>'.encode()
    )
    found["ppt/diagrams/d.xml"] = f'<d xmlns:a="{made.A}"><a:p><a:r><a:t>a box</a:t></a:r></a:p></d>'.encode()
    assert pages(made.archive(found)) == [
        [("header", "SECRET"), ("paragraph", "text"), ("paragraph", "a remark"), ("paragraph", "a box")]
    ]


def test_pictures_are_counted():
    found = made.members(pptx(shape("text")))
    found |= {"ppt/media/image1.png": made.PNG, "ppt/media/image2.emf": b"x", "docProps/thumbnail.jpeg": made.JPEG}
    assert read(made.archive(found)).notes == ("Pictures in it were not read: 2.",)
    assert read(pptx(shape("text"))).notes == ()
    found = made.members(pptx("")) | {"ppt/media/image1.png": made.PNG}
    assert why(made.archive(found)) == "Its pages are pictures of text; it needs text recognition (OCR) first."
    assert why(pptx("")) == "It holds no text."


def test_a_workbook_in_a_chart_is_read_on_pages_of_its_own():
    found = made.members(pptx(shape("text")))
    found["ppt/embeddings/data.xlsx"] = made.xlsx(made.sheet(made.row("SECRET")))
    assert pages(made.archive(found)) == [[("paragraph", "text")], [("paragraph", "SECRET")]]
    found["ppt/embeddings/data.xlsx"] = made.xlsx(made.sheet(""))
    assert pages(made.archive(found)) == [[("paragraph", "text")]]
    found["ppt/embeddings/data.xlsx"] = b"PK\x03\x04 cut off"
    assert why(made.archive(found)) == (
        "The file embedded in it, 'data.xlsx' cannot be read: Its archive is damaged; it may be cut off."
    )


@pytest.mark.parametrize("gone", ["ppt/slides/slide0.xml", "ppt/_rels/presentation.xml.rels"])
def test_a_slide_that_is_missing(gone):
    found = made.members(pptx(shape("text")))
    del found[gone]
    assert why(made.archive(found)) == "Its slide 1 is missing."


def test_another_kind_of_archive():
    assert why(made.docx(made.p("x"))) == "Its archive holds no presentation."
    found = made.members(pptx(shape("x"))) | {"_rels/.rels": made.relations(("r", "officeDocument", "word/x.xml"))}
    assert why(made.archive(found)) == "Its archive holds no presentation."
