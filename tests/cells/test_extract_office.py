"""What no office file may hold, whichever of the three it is: macros, objects of other programs, what lies outside."""

from __future__ import annotations

import pytest

from casemate.cells.extract import Request, extract
from casemate.cells.serve import CannotRead
from tests.cells import made

FILES = {
    "a.docx": made.docx(made.p("text")),
    "a.xlsx": made.xlsx(made.sheet(made.row("text"))),
    "a.pptx": made.pptx(made.shape("text")),
}
FOLDERS = {"a.docx": "word", "a.xlsx": "xl", "a.pptx": "ppt"}
MAIN = {"a.docx": "document", "a.xlsx": "workbook", "a.pptx": "presentation"}
MACROS = "It holds macros; save it without them."
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override ContentType="{}"/></Types>'
)


def changed(name, **members):
    """The file with other members; "F" in a name stands for its folder."""
    named = {
        member.replace("F/", f"{FOLDERS[name]}/").replace("MAIN", MAIN[name]): data for member, data in members.items()
    }
    return made.archive(made.members(FILES[name]) | named)


def read(name, data):
    return extract(Request(name, data))


def why(name, data):
    with pytest.raises(CannotRead) as failed:
        read(name, data)
    return str(failed.value)


@pytest.mark.parametrize("name", FILES)
class TestEach:
    def test_the_file_itself_is_read(self, name):
        assert read(name, FILES[name]).parts[0].pages[0][-1].text == "text"
        assert read("no extension", FILES[name]).media == read(name, FILES[name]).media

    @pytest.mark.parametrize(
        "member",
        [
            "F/vbaProject.bin",
            "F/VBAPROJECT.BIN",
            "customUI/vbaProject.bin",
            "F/macrosheets/sheet1.xml",
            "F/activeX/activeX1.xml",
            "F/vbaData.xml",
        ],
    )
    def test_macros_by_their_members(self, name, member):
        assert why(name, changed(name, **{member: b"x"})) == MACROS

    @pytest.mark.parametrize("kind", ["application/vnd.ms-office.vbaProject", "x.macroEnabled.main+xml"])
    def test_macros_by_their_types(self, name, kind):
        assert why(name, changed(name, **{"[Content_Types].xml": TYPES.format(kind).encode()})) == MACROS

    @pytest.mark.parametrize("kind", ["vbaProject", "control", "xlMacrosheet"])
    def test_macros_by_their_relations(self, name, kind):
        assert why(name, changed(name, **{"F/_rels/MAIN.xml.rels": made.relations(("v", kind, "x.bin"))})) == MACROS

    def test_macros_by_the_extension(self, name):
        assert why(f"{name[:-1]}m", FILES[name]) == MACROS

    @pytest.mark.parametrize("kind", ["attachedTemplate", "oleObject", "image", "externalLinkPath", "frame", "slide"])
    def test_what_lies_outside(self, name, kind):
        rels = made.relations(("x", kind, "http://198.51.100.7/x"), outside=True)
        reason = f"It refers to content outside of it ({kind}), which is not fetched."
        assert why(name, changed(name, **{"F/_rels/other.xml.rels": rels})) == reason

    def test_a_link_is_only_text(self, name):
        rels = made.relations(("x", "hyperlink", "http://198.51.100.7/x"), outside=True)
        assert read(name, changed(name, **{"F/_rels/other.xml.rels": rels})) == read(name, FILES[name])

    def test_objects_of_other_programs(self, name):
        reason = "It holds an object of another program, 'oleObject1.bin', that is not read."
        assert why(name, changed(name, **{"F/embeddings/oleObject1.bin": b"x"})) == reason
        rels = made.relations(("o", "oleObject", "elsewhere/oleObject1.bin"))
        hidden = {"F/elsewhere/oleObject1.bin": b"x", "F/_rels/MAIN.xml.rels": rels}
        kept = {} if name == "a.docx" else {"F/_rels/other.xml.rels": hidden.pop("F/_rels/MAIN.xml.rels")}
        assert why(name, changed(name, **hidden, **kept)) == reason

    def test_what_is_embedded_is_read(self, name):
        for inner, data in FILES.items():
            found = read(name, changed(name, **{f"F/embeddings/{inner}": data})).parts[0]
            assert [page[-1].text for page in found.pages] == ["text", "text"]

    def test_embedded_inside_each_other(self, name):
        data = FILES[name]
        for _ in range(3):
            data = changed(name, **{f"F/embeddings/{name}": data})
        assert len(read(name, data).parts[0].pages) == 4
        assert "3 files inside each other" in why(name, changed(name, **{f"F/embeddings/{name}": data}))

    def test_members_whose_names_differ_in_case_alone(self, name):
        data = changed(name, **{"[content_types].XML": b"<x/>"})
        assert why(name, data) == "Its archive holds two members of one name."

    def test_entities_in_any_member(self, name):
        bomb = (made.LAUGHS + "<x>&a9;</x>").encode()
        for member in (name for name in made.members(FILES[name]) if name.endswith((".xml", ".rels"))):
            reason = why(name, changed(name, **{member: bomb}))
            assert reason == "Its XML declares a document type or entities; such XML is not read."


def test_the_document_is_the_one_that_the_package_names():
    """A second document beside it, under the usual name, is a decoy: nobody who opens the file sees it."""
    found = made.members(made.docx(made.p("decoy")))
    found["word/document2.xml"] = made.wordml("document", made.p("SECRET")).encode()
    found["_rels/.rels"] = made.relations(("r", "officeDocument", "/word/document2.xml"))
    assert read("a.docx", made.archive(found)).parts[0].pages[0][0].text == "SECRET"
    found["_rels/.rels"] = made.relations(("r", "officeDocument", "word/none.xml"))
    assert why("a.docx", made.archive(found)) == "Its archive holds no Word document."
    both = (("r", "officeDocument", "word/document.xml"), ("s", "officeDocument", "word/document2.xml"))
    found["_rels/.rels"] = made.relations(*both)
    assert why("a.docx", made.archive(found)) == "Its archive names two documents."


def test_charts_and_pictures_of_a_document():
    found = made.members(FILES["a.docx"])
    found["word/_rels/document.xml.rels"] = made.relations(("c", "chart", "charts/c.xml"), ("n", "chart", "none.xml"))
    found["word/charts/c.xml"] = f'<c xmlns:a="{made.A}"><a:p><a:r><a:t>a chart</a:t></a:r></a:p></c>'.encode()
    found["word/media/image1.jpeg"] = made.JPEG
    said = read("a.docx", made.archive(found))
    assert [paragraph.text for paragraph in said.parts[0].pages[0]] == ["text", "a chart"]
    assert said.notes == ("Pictures in it were not read: 1.",)
    empty = made.members(made.docx("")) | {"word/media/image1.jpeg": made.JPEG}
    assert why("a.docx", made.archive(empty)) == (
        "Its pages are pictures of text; it needs text recognition (OCR) first."
    )
    assert why("a.docx", made.docx("")) == "It holds no text."


def test_another_text_that_word_shows_as_its_own():
    found = made.members(FILES["a.docx"])
    found["word/_rels/document.xml.rels"] = made.relations(("c", "aFChunk", "chunk.html"))
    found["word/chunk.html"] = b"<html><p>SECRET</p></html>"
    assert read("a.docx", made.archive(found)).parts[0].pages[1][0].text == "SECRET"
    found["word/_rels/document.xml.rels"] = made.relations(("c", "aFChunk", "chunk.rtf"))
    found["word/chunk.rtf"] = b"{\\rtf1 SECRET}"
    assert why("a.docx", made.archive(found)) == "It holds an object of another program, 'chunk.rtf', that is not read."


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv"])
def test_rtf_is_not_taken_for_text(name):
    assert "but it holds RTF." in why(name, b"{\\rtf1 \\'53ECRET}")
