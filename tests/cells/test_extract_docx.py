"""DOCX: the words with their kinds, and archives and XML that were made to do harm."""

from __future__ import annotations

import struct
import zipfile

import pytest

from casemate.cells.extract import Request, bounds, extract
from casemate.cells.serve import CannotRead
from tests.cells import made
from tests.cells.made import docx, p


def part(data):
    (only,) = extract(Request("a.docx", data)).parts
    return only


def told(data):
    return [(paragraph.kind, paragraph.text) for page in part(data).pages for paragraph in page]


def why(data, name="a.docx"):
    with pytest.raises(CannotRead) as failed:
        extract(Request(name, data))
    return str(failed.value)


STYLES = (
    '<w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
)


@pytest.mark.parametrize("space", [made.W, made.STRICT])
def test_a_document(space):
    data = docx(
        p("Déplacements", "Titre1")
        + p("(S) One.", "Normal")
        + "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>"
        + "<w:tbl><w:tr><w:tc>" + p("a") + "</w:tc><w:tc>" + p("(C) b") + p("c") + "</w:tc></w:tr></w:tbl>"
        + p(""),
        space=space,
        styles=STYLES,
        header1=p("SECRET//NOFORN"),
        header2=p("second"),
        footer1=p("Page 1"),
        footnotes="<w:footnote>" + p("(TS) note") + "</w:footnote>",
        comments="<w:comment>" + p("remark") + "</w:comment>",
        core="The title",
    )  # fmt: skip
    assert told(data) == [
        ("header", "SECRET//NOFORN"),
        ("header", "second"),
        ("heading", "Déplacements"),
        ("paragraph", "(S) One."),
        ("list", "item"),
        ("table", "a\n(C) b\nc"),
        ("paragraph", "(TS) note"),
        ("paragraph", "remark"),
        ("footer", "Page 1"),
    ]
    assert part(data).title == "The title"


def test_runs_breaks_and_tabs():
    run = "<w:p><w:r><w:t>(S//</w:t></w:r><w:r><w:t>NF) one</w:t><w:br/><w:t>two</w:t><w:tab/><w:t>x</w:t></w:r></w:p>"
    assert told(docx(run)) == [("paragraph", "(S//NF) one\ntwo x")]


def test_page_breaks_begin_pages():
    broken = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    amid = "<w:p><w:r><w:t>two </w:t><w:lastRenderedPageBreak/><w:t>goes on</w:t></w:r></w:p>"
    pages = part(docx(p("one") + broken + amid + p("three"))).pages
    assert [[paragraph.text for paragraph in page] for page in pages] == [["one"], ["two goes on"], ["three"]]


def test_what_was_deleted_is_gone_and_what_was_inserted_or_hidden_is_there():
    body = (
        "<w:p><w:del><w:r><w:delText>old</w:delText><w:t>old</w:t></w:r></w:del>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t> hidden</w:t></w:r></w:p>"
    )
    assert told(docx(body)) == [("paragraph", "new hidden")]


def test_a_text_box_is_told_once():
    box = f"<w:txbxContent>{p('SECRET')}</w:txbxContent>"
    choice = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    assert told(docx(f"<w:p><w:r>{choice}<w:t>around</w:t></w:r></w:p>")) == [
        ("paragraph", "SECRET"),
        ("paragraph", "around"),
    ]


def test_a_table_in_a_table():
    inner = "<w:tbl><w:tr><w:tc>" + p("b") + "</w:tc><w:tc>" + p("c") + "</w:tc></w:tr></w:tbl>"
    assert told(docx("<w:tbl><w:tr><w:tc>" + p("a") + inner + "</w:tc></w:tr></w:tbl>")) == [("table", "a\nb\nc")]


class TestHostile:
    def test_entities(self):
        bomb = (
            made.LAUGHS
            + f'<w:document xmlns:w="{made.W}"><w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>'
        )
        data = made.archive({"word/document.xml": bomb.encode()})
        assert why(data) == "Its XML declares a document type or entities; such XML is not read."

    @pytest.mark.parametrize(
        "declared",
        ['<!DOCTYPE x SYSTEM "file:///etc/passwd">', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'],
    )
    def test_files_from_outside(self, declared):
        xml = f'<?xml version="1.0"?>{declared}<w:document xmlns:w="{made.W}"/>'
        assert "declares a document type" in why(made.archive({"word/document.xml": xml.encode()}))

    def test_depth(self):
        xml = made.wordml("document", "<w:p>" * 5000 + "</w:p>" * 5000)
        assert (
            why(made.archive({"word/document.xml": xml.encode()}))
            == "It holds more than 256 elements inside each other."
        )

    @pytest.mark.parametrize("xml", [b"", b"<w:document", b"\xff\xfe\x00", b"<a></b>", b"not xml at all"])
    def test_what_is_no_xml(self, xml):
        assert "not well formed" in why(made.archive({"word/document.xml": xml}))

    def test_a_ratio_that_no_document_has(self):
        data = made.archive({"word/document.xml": bytes(40 << 20)})
        assert len(data) < 100_000
        assert why(data) == "A member of its archive unpacks to more than 250 times its size."

    def test_a_member_that_is_too_large(self):
        data = made.archive({"word/document.xml": b"x"}, zipfile.ZIP_STORED)
        assert why(lied(data, b"word/document.xml", bounds.MEMBER + 1)) == (
            "It holds more than 67,108,864 bytes in one member of its archive."
        )

    def test_many_members_that_are_large_together(self):
        members = {f"word/media/{at}": b"x" for at in range(5)} | {"word/document.xml": b"x"}
        data = made.archive(members)
        for at in range(5):
            data = lied(data, f"word/media/{at}".encode(), bounds.MEMBER)
        assert why(data) == "It holds more than 268,435,456 bytes when unpacked."

    def test_an_archive_in_an_archive_is_not_opened(self):
        bomb = made.archive({"inner": bytes(20 << 20)})
        good = docx(p("text"))
        with zipfile.ZipFile(made.io.BytesIO(good)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        reason = why(made.archive({**members, "word/embeddings/bomb.zip": bomb}))
        assert reason == "It holds an object of another program, 'bomb.zip', that is not read."
        assert told(made.archive({**members, "word/media/bomb.zip": bomb})) == [("paragraph", "text")]

    @pytest.mark.parametrize("size", [0, 1, 10, 20_000])
    def test_a_member_that_lies_about_its_size(self, size):
        text = made.wordml("document", "<w:body>" + p("word " * 3000) + "</w:body>").encode()
        assert len(text) not in (0, 1, 10, 20_000)
        data = lied(made.archive({"word/document.xml": text}), b"word/document.xml", size)
        assert why(data) in ("Its archive is damaged; it may be cut off.", "Its XML is not well formed (line 1).")

    def test_too_many_members(self):
        assert "members in its archive" in why(made.archive({f"m{at}": b"" for at in range(bounds.ENTRIES + 1)}))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_members_of_one_name(self):
        out = made.io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("word/document.xml", made.wordml("document", p("one")))
            archive.writestr("word/document.xml", made.wordml("document", p("two")))
        assert why(out.getvalue()) == "Its archive holds two members of one name."

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_ways_of_packing(self, method):
        data = made.archive({"word/document.xml": made.wordml("document", p("x")).encode()}, method)
        assert why(data) == "Its archive is packed in a way that is not read."

    def test_a_password(self):
        data = bytearray(docx(p("x")))
        at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"word/document.xml"))
        data[at + 8] |= 1
        assert why(bytes(data)) == "It is protected by a password."

    def test_another_kind_of_archive(self):
        assert why(made.archive({"xl/workbook.xml": b"<x/>"})) == "Its archive holds no Word document."

    def test_every_truncation_is_an_error_of_ours(self):
        data = docx(p("text " * 50), header1=p("SECRET"))
        for size in range(4, len(data), 23):
            assert why(data[:size])

    def test_every_flipped_byte_is_read_or_refused(self):
        data = docx(p("text"), header1=p("SECRET"))
        refused = 0
        for at in range(4, len(data), 5):
            try:
                told(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
            except CannotRead:
                refused += 1
        assert refused > 10


def lied(data: bytes, name: bytes, size: int) -> bytes:
    """The archive with another unpacked size for a member, in both of its headers."""
    out = bytearray(data)
    local = out.index(name) - 30
    central = out.rindex(name) - 46
    struct.pack_into("<I", out, local + 22, size)
    struct.pack_into("<I", out, central + 24, size)
    return bytes(out)
