"""PDF: paragraphs from geometry, running lines at the edges, pictures of text, and files made to do harm."""

from __future__ import annotations

import pytest

from casemate.cells.extract import Request, bounds, extract
from casemate.cells.extract.layout import Line, PageLines, compose
from casemate.cells.serve import CannotRead
from tests.cells import made


def read(data):
    return extract(Request("a.pdf", data))


def told(data):
    (part,) = read(data).parts
    return [[(paragraph.kind, paragraph.text) for paragraph in page] for page in part.pages]


def why(data):
    with pytest.raises(CannotRead) as failed:
        read(data)
    return str(failed.value)


def page(number, body, banner="SECRET//NOFORN"):
    """A page with its banner at top and bottom and its number; `body` from y = 680 downward, 12 points a line."""
    edges = [(250, 760, 10, banner), (300, 40, 10, str(number)), (250, 25, 10, banner)]
    y = 680
    for text in body:
        if text:
            edges.append((72, y, 10, text))
        y -= 12 if text else 14
    return edges


LONG = "and so on, a line that is as long as the others on this page are, more or less, up to the margin"


class TestPages:
    def test_banners_run_along_the_edges_and_paragraphs_lie_between(self):
        body = [f"(S//NF) One {LONG}", f"two {LONG}", "three.", "", f"(U) Four {LONG}", "five."]
        pages = told(made.pdf([page(number, body) for number in (1, 2, 3)]))
        for number, found in enumerate(pages, 1):
            assert found == [
                ("header", "SECRET//NOFORN"),
                ("paragraph", f"(S//NF) One {LONG}\ntwo {LONG}\nthree."),
                ("paragraph", f"(U) Four {LONG}\nfive."),
                ("footer", str(number)),
                ("footer", "SECRET//NOFORN"),
            ]

    def test_a_single_page_has_banners_too(self):
        (found,) = told(made.pdf([page(1, [f"Some text {LONG}", "that ends."])]))
        assert found[0] == ("header", "SECRET//NOFORN")
        assert found[-1] == ("footer", "SECRET//NOFORN")

    def test_a_line_at_the_edge_that_does_not_repeat_is_text(self):
        pages = [[*page(number, [LONG]), (72, 740, 10, f"({word}) only here")] for number, word in enumerate("STU", 1)]
        found = told(made.pdf(pages))
        assert [text for kind, text in found[0] if kind == "paragraph" and "only" in text] == ["(S) only here"]

    @pytest.mark.parametrize("turn", [0, 90, 180, 270])
    def test_a_page_that_is_shown_turned_keeps_every_line(self, turn):
        (found,) = told(made.pdf([page(1, ["(S) one.", "", "(U) two."])], rotate=turn))
        assert sorted(line for _, text in found for line in text.split("\n")) == sorted(
            ["SECRET//NOFORN", "SECRET//NOFORN", "1", "(S) one.", "(U) two."]
        )

    def test_headings_are_large_or_bold_and_short(self):
        lines = [(72, 650, 18, "Large"), (72, 600, 10, "Bold", True)]
        lines += [(72, 560 - 12 * at, 10, f"{LONG}") for at in range(8)]
        (found,) = told(made.pdf([lines]))
        assert found[:2] == [("heading", "Large"), ("heading", "Bold")]
        assert {kind for kind, _ in found[2:]} == {"paragraph"}

    def test_bullets_begin_items(self):
        lines = [(72, 600, 10, "- (S) one"), (80, 588, 10, "goes on"), (72, 576, 10, "- two")]
        (found,) = told(made.pdf([lines]))
        assert found == [("list", "- (S) one\ngoes on"), ("list", "- two")]

    def test_title_and_notes(self):
        found = read(made.pdf([page(1, ["text"])], title="A title"))
        assert (found.parts[0].title, found.notes, found.media) == ("A title", (), "application/pdf")

    def test_a_page_without_text_keeps_its_place(self):
        assert [bool(found) for found in told(made.pdf([[(72, 600, 10, "one")], [], [(72, 600, 10, "three")]]))] == [
            True,
            False,
            True,
        ]

    def test_letters_that_a_font_joins_and_those_beyond_sixteen_bits(self):
        from casemate.cells.extract.pdf import _written

        assert _written(iter([0x28, 0xFB01, 0x29, 0xD83D, 0xDE00, 0x02, 0, 0xFFFE])) == "(fi)\U0001f600--"
        assert _written(iter([0xD83D, 0x41])) == "\ufffdA"


class TestPictures:
    def test_a_scan_is_said_to_be_one(self):
        assert why(made.scanned(3)) == "Its pages are pictures of text; it needs text recognition (OCR) first."

    def test_a_stamp_on_a_scan_is_not_its_text(self):
        assert why(made.scanned(2, "Approved for release")).startswith("Its pages are pictures")

    def test_pages_that_were_not_read_are_told(self):
        mixed = made.pdf([b"q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q", page(2, [LONG] * 4)])
        found = read(mixed)
        assert found.notes == ("1 of 2 pages are pictures of text and were not read.",)
        assert "SECRET//NOFORN" in {paragraph.text for paragraph in found.parts[0].pages[1]}

    def test_an_empty_page_is_no_picture(self):
        assert why(made.pdf([[]])) == "It holds no text."


class TestHostile:
    @pytest.mark.parametrize(
        "data",
        [
            b"%PDF-1.7\n",
            b"%PDF-1.7\ntrailer<</Root 1 0 R>>",
            made.pdf([[(1, 1, 1, "x")]])[:200],
            made.objects(b"<</Type/Catalog>>"),
            made.objects(b"<</Type/Catalog/Pages 1 0 R>>"),
            b"%PDF-1.7\n" + b"<<" * 100_000,
            b"%PDF-1.7\n" + b"[" * 200_000 + b"]" * 200_000,
        ],
    )
    def test_what_cannot_be_opened(self, data):
        assert why(data).startswith(("It is not a PDF that can be opened", "It holds no text", "Its page 1 is damaged"))

    def test_a_tree_of_pages_that_bites_its_tail(self):
        loop = made.objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>")
        assert why(loop)

    def test_more_pages_than_there_are(self):
        claims = made.objects(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1000000/Kids[]>>")
        assert why(claims).startswith(("It holds", "It is not a PDF", "Its page 1 is damaged"))

    def test_a_form_that_draws_itself(self):
        form = made.stream(
            b"/F 5 0 R /X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>"
        )
        data = made.objects(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>",
            made.stream(b"/X Do"),
            form,
        )
        assert why(data) == "It holds no text."

    def test_a_password(self):
        locked = made.objects(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 0/Kids[]>>",
            trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<"
            + b"41" * 32
            + b">/U<"
            + b"42" * 32
            + b">>>/ID[<41><41>]",
        )
        assert why(locked) == "It is protected by a password."

    def test_a_page_with_more_text_than_a_page_has(self, monkeypatch):
        data = made.pdf([[(72, 600, 10, "word " * 20)]])
        assert told(data)
        monkeypatch.setattr(bounds, "LINE", 80)
        assert why(data) == "It holds more than 80 characters on one page."

    def test_every_truncation_is_read_or_refused(self):
        data = made.pdf([page(1, ["(S) text."])])
        lines = {line for _, text in told(data)[0] for line in text.split("\n")}
        refused = 0
        for size in range(9, len(data), 41):
            try:
                found = told(data[:size])
            except CannotRead:
                refused += 1
            else:
                assert {line for shown in found for _, text in shown for line in text.split("\n")} <= lines
        assert refused > 5


class TestLayout:
    """Geometry alone: lines in, paragraphs out."""

    def told(self, *lines, pages=1):
        return [
            [(paragraph.kind, paragraph.text) for paragraph in found]
            for found in compose([PageLines(600, 800, tuple(lines))] * pages)
        ]

    def line(self, text, left=50, bottom=400, right=550, height=10, bold=False):
        return Line(text, left, right, bottom, bottom + height, bold)

    def test_no_lines(self):
        assert self.told() == [[]]

    def test_no_line_is_ever_lost_or_joined(self):
        lines = [self.line(f"line {at}", bottom=700 - 13 * at, height=10 + at % 3) for at in range(40)]
        (found,) = self.told(*lines)
        assert sorted(one for _, text in found for one in text.split("\n")) == sorted(line.text for line in lines)

    def test_a_second_column_begins_a_paragraph(self):
        lines = [
            self.line("a", bottom=500),
            self.line("b", bottom=488),
            self.line("c", 320, 500),
            self.line("d", 320, 488),
        ]
        assert self.told(*lines) == [[("paragraph", "a\nb"), ("paragraph", "c\nd")]]

    def test_a_short_line_that_ends_a_sentence_ends_the_paragraph(self):
        lines = [
            self.line("long", bottom=500),
            self.line("short.", bottom=488, right=200),
            self.line("next", bottom=476),
            self.line("goes on.", bottom=464),
            self.line("(S) marked", bottom=452),
        ]
        assert self.told(*lines) == [
            [("paragraph", "long\nshort."), ("paragraph", "next\ngoes on."), ("paragraph", "(S) marked")]
        ]

    def test_a_mark_amid_a_sentence_does_not_begin_a_paragraph(self):
        lines = [self.line("the mark", bottom=500), self.line("(U) is quoted here", bottom=488)]
        assert self.told(*lines) == [[("paragraph", "the mark\n(U) is quoted here")]]

    def test_a_glyph_of_a_symbol_font_is_a_bullet(self):
        assert self.told(self.line("\uf0b7 one")) == [[("list", "• one")]]
