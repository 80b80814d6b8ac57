"""Comments in a DOCX: the words stay as they are, byte for byte, and what is added is well formed and reachable."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from casemate.cells.comment import Request, comment
from casemate.cells.extract import Request as Read
from casemate.cells.extract import extract
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead
from tests.cells import made
from tests.cells.made import docx, p

ANCHOR = re.compile(rb"<\w+:commentRange(?:Start|End)[^>]*/>|<\w+:r[^>]*><\w+:commentReference[^>]*/></\w+:r>")


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def words(data: bytes) -> list[str]:
    (part,) = extract(Read("a.docx", data)).parts
    return [paragraph.text for page in part.pages for paragraph in page]


BODY = (
    p("SECRET")
    + p("(S) One &amp; two.")
    + p("(S) One &amp; two.")
    + "<w:tbl><w:tr><w:tc>"
    + p("(U) cell")
    + "</w:tc></w:tr></w:tbl>"
)


@pytest.mark.parametrize("space", [made.W, made.STRICT])
def test_no_byte_of_the_body_is_changed(space: str) -> None:
    old = docx(BODY, space=space, header1=p("SECRET"))
    new, placed = comment(Request(old, [("(S) One & two.", 1, "Wrong <here> & é."), ("(U) cell", 0, "two\nlines")]))
    assert placed == 2
    before, after = members(old), members(new)
    assert ANCHOR.sub(b"", after["word/document.xml"]) == before["word/document.xml"]
    assert {
        name: words for name, words in after.items() if name in before and "word/d" not in name and name[0] != "["
    } == {name: words for name, words in before.items() if "word/d" not in name and name[0] != "["}
    assert b'"/word/comments.xml"' in after["[Content_Types].xml"]
    assert b'Target="comments.xml"' in after["word/_rels/document.xml.rels"]
    for name in ("word/document.xml", "word/comments.xml", "[Content_Types].xml", "word/_rels/document.xml.rels"):
        parse(after[name], Events())
    assert words(new) == [*words(old), "Wrong <here> & é.", "two", "lines"]


def test_the_anchor_stands_around_the_words_of_its_own_paragraph() -> None:
    new, _ = comment(Request(docx(BODY), [("(S) One & two.", 1, "second")]))
    body = members(new)["word/document.xml"]
    start, end = body.index(b"<w:commentRangeStart"), body.index(b"<w:commentRangeEnd")
    assert body[:start].count(b"(S) One") == 1
    assert body[start:end].count(b"(S) One") == 1


def test_a_line_that_is_not_there_is_told_at_the_beginning() -> None:
    new, placed = comment(
        Request(docx(BODY, header1=p("TOP SECRET")), [("TOP SECRET", -1, "too high"), ("SECRET", 7, "x")])
    )
    assert placed == 0
    assert words(new)[-2:] == ["too high", "x"]


def test_comments_that_are_there_stay_and_no_number_is_used_twice() -> None:
    first, _ = comment(Request(docx(BODY), [("SECRET", 0, "one")]))
    second, _ = comment(Request(first, [("SECRET", 0, "two")]))
    told = members(second)["word/comments.xml"]
    assert sorted(re.findall(rb'<w:comment [^>]*w:id="(\d+)"', told)) == [b"0", b"1"]
    assert words(second)[-2:] == ["one", "two"]
    assert members(second)["[Content_Types].xml"].count(b"comments+xml") == 1
    assert members(second)["word/_rels/document.xml.rels"].count(b"relationships/comments") == 1


def test_other_prefixes_and_an_empty_list_of_comments() -> None:
    data = docx(BODY, comments="")
    files = members(data)
    files["word/document.xml"] = files["word/document.xml"].replace(b"w:", b"x:").replace(b"xmlns:w=", b"xmlns:x=")
    files["word/comments.xml"] = f'<w:comments xmlns:w="{made.W}"/>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    new, placed = comment(Request(out.getvalue(), [("SECRET", 0, "one")]))
    assert placed == 1
    assert words(new)[-1] == "one"
    assert b'<x:commentReference x:id="0"/>' in members(new)["word/document.xml"]


def test_text_boxes_and_deleted_words() -> None:
    box = "<w:p><w:r><w:t>(S) outer</w:t></w:r><w:r><w:txbxContent>" + p("(U) inner") + "</w:txbxContent></w:r></w:p>"
    gone = "<w:del>" + p("(TS) gone") + "</w:del>"
    new, placed = comment(
        Request(docx(box + gone), [("(U) inner", 0, "a"), ("(S) outer", 0, "b"), ("(TS) gone", 0, "c")])
    )
    assert placed == 2
    parse(members(new)["word/document.xml"], Events())


def test_what_cannot_be_read_is_not_written() -> None:
    with pytest.raises(CannotRead, match="no Word document"):
        comment(Request(made.docx.__call__("").replace(b"word/document.xml", b"word/documenu.xml"), []))
    with pytest.raises(CannotRead, match="no text"):
        comment(Request(docx(""), []))
    with pytest.raises(CannotRead, match="damaged"):
        comment(Request(b"PK", []))
