"""Text, Markdown and HTML: what is written comes back, line by line, and marks stay where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cells.extract import Request, bounds, extract
from casemate.cells.serve import CannotRead


def read(name, data):
    return extract(Request(name, data.encode() if isinstance(data, str) else data))


def told(name, data):
    """(kind, text) of each paragraph of the only part, pages joined."""
    (part,) = read(name, data).parts
    return [(paragraph.kind, paragraph.text) for page in part.pages for paragraph in page]


def why(name, data):
    with pytest.raises(CannotRead) as failed:
        read(name, data)
    return str(failed.value)


class TestText:
    def test_blank_lines_part_paragraphs_and_lines_keep_their_breaks(self):
        assert told("a.txt", "SECRET//NOFORN\r\n(S//NF) One\r\ntwo.\r\n\r\n  (U)   Three. \n\n\n") == [
            ("paragraph", "SECRET//NOFORN\n(S//NF) One\ntwo."),
            ("paragraph", "(U) Three."),
        ]

    def test_form_feeds_part_pages(self):
        (part,) = read("a.txt", "one\ftwo\f\fthree").parts
        assert [[paragraph.text for paragraph in page] for page in part.pages] == [["one"], ["two"], [], ["three"]]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_encodings_that_say_what_they_are(self, encoding):
        mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
        assert told("a.txt", mark + "Très secret défense — 機密".encode(encoding)) == [
            ("paragraph", "Très secret défense — 機密")
        ]

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "It is empty."),
            (b" \n\t\n", "It holds no text."),
            (b"caf\xe9", "Its bytes are not UTF-8 (at byte 3)."),
            (b"\xff\xfea\x00\x00\xd8", "Its bytes are not UTF-16 (at byte 4)."),
            ("x".encode("utf-32"), "Its text is encoded as UTF-32; save it as UTF-8."),
            (b"\x7fELF\x00\x01", "It holds binary data."),
        ],
    )
    def test_nothing_is_guessed(self, data, reason):
        assert why("a.txt", data) == reason

    def test_what_is_unseen_cannot_split_a_mark(self):
        assert told("a.txt", "(S\u200b//\u202eNF\u2069)\u00a0te\u00adxt\x07") == [("paragraph", "(S//NF) text")]

    def test_a_long_block_is_parted_after_a_sentence_and_nowhere_else(self):
        lines = ["word " * 20 + ("end." if at % 7 == 6 else "and") for at in range(1000)]
        parts = told("a.log.txt", "\n".join(lines))
        assert len(parts) > 3
        assert all(text.endswith("end.") for _, text in parts[:-1])
        assert "\n".join(text for _, text in parts).split("\n") == [" ".join(line.split()) for line in lines]

    @given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
    def test_every_word_comes_back_in_order(self, text):
        from casemate.cells.extract.draft import clean

        if "\x00" in text or text.startswith("\ufeff") or not clean(text):
            return
        words = " ".join(text for _, text in told("a.txt", text)).split()
        assert words == clean(text).split()

    def test_bounds(self):
        assert why("a.txt", b"x" * 2_000_000) == "It holds more than 1,000,000 characters in one paragraph."
        assert why("a.txt", b"word word.\n\n" * 1_100_000) == "It holds more than 500,000 paragraphs."
        assert why("a.txt", (b"word " * 2000 + b"\n\n") * 1100) == "It holds more than 10,000,000 characters of text."
        assert why("a.txt", b"a\f" * 20_000) == "It holds more than 10,000 pages."
        assert why("a.txt", bytes(bounds.INPUT + 1)) == "It holds more than 67,108,864 bytes."


class TestMarkdown:
    def test_blocks(self):
        text = """# (S) Movements #

First line
second line.
> (U) quoted **bold** and `code`

- one
  more of one
* [x] (C) two
1. three
2) four

Under
=====
Lined
---
***
~~~sh
# no heading

(S) in code
~~~
| a | **b** |
|---|:-:|
| (S) 1 | 2 |
"""
        assert told("a.md", text) == [
            ("heading", "(S) Movements"),
            ("paragraph", "First line\nsecond line.\n(U) quoted bold and code"),
            ("list", "one\nmore of one"),
            ("list", "(C) two"),
            ("list", "1. three"),
            ("list", "2) four"),
            ("heading", "Under"),
            ("heading", "Lined"),
            ("paragraph", "# no heading"),
            ("paragraph", "(S) in code"),
            ("table", "a\nb"),
            ("table", "(S) 1\n2"),
        ]

    @pytest.mark.parametrize(
        "line",
        ["**SECRET//NOFORN**", "__SECRET//NOFORN__", "***SECRET//NOFORN***", "> SECRET//NOFORN", "`SECRET//NOFORN`"],
    )
    def test_a_banner_in_signs_is_a_banner(self, line):
        assert told("a.md", f"{line}\n\ntext") == [("paragraph", "SECRET//NOFORN"), ("paragraph", "text")]

    @pytest.mark.parametrize("line", ["**(S)** text", "*(S)* text", r"\(S\) text", "- (S) text", "> - **(S)** text"])
    def test_a_portion_mark_in_signs_opens_its_paragraph(self, line):
        assert [text for _, text in told("a.md", line)] == ["(S) text"]

    @pytest.mark.parametrize(
        ("line", "shown"),
        [
            ("a > b and c -> d", "a > b and c -> d"),
            ("1. three - four", "1. three - four"),
            ("- one - two", "one - two"),
            ("***x** y", "x y"),
            ("**bold *it* more** and _so_ on", "bold it more and so on"),
            ("a * b * c", "a * b * c"),
            ("**(S) a long one " + "word " * 300 + "end**", "(S) a long one " + "word " * 300 + "end"),
            ("## One # two ##", "One # two"),
            ("# C#", "C#"),
            ("# #", ""),
        ],
    )
    def test_signs_go_where_they_are_signs(self, line, shown):
        assert [text for _, text in told("a.md", f"{line}\n\nnext")][:-1] == ([shown] if shown else [])

    def test_names_with_underscores_stay(self):
        assert told("a.md", "call snake_case_name and 2*3*4") == [("paragraph", "call snake_case_name and 2*3*4")]

    def test_the_title_is_the_first_heading(self):
        assert read("a.md", "text\n\n## Second *level*\n").parts[0].title == "Second level"

    def test_a_fence_that_never_closes_loses_nothing(self):
        assert told("a.md", "```\n(TS) one\n\ntwo") == [("paragraph", "(TS) one"), ("paragraph", "two")]

    @given(st.lists(st.sampled_from(["# h", "text", "- li", "", "---", "===", "```", "> q", "| a | b |", "1. n"])))
    def test_no_word_is_lost(self, lines):
        words = {"h", "text", "li", "q", "a", "b", "n"}
        wanted = sorted(word for line in lines for word in line.replace("|", " ").split() if word in words)
        try:
            found = told("a.md", "\n".join(["text", *lines]))
        except CannotRead:
            pytest.fail("there is text")
        assert sorted(word for _, text in found for word in text.replace("|", " ").split() if word in words) == sorted(
            [*wanted, "text"]
        )


class TestHtml:
    def test_blocks(self):
        text = """<!doctype html><html><head><title>The <b>title</title><style>p {}</style>
        <script>document.write("<p>(TS) no text</p>")</script></head><body>
        <header>SECRET//NOFORN</header><h2>Head&shy;ing</h2>
        <p>(S) One <b>bold</b> &amp; two<br>SECRET<br/>three<!-- hidden --></p>
        bare text
        <ul><li>one<li><p>(C) two</p></ul>
        <table><caption>T</caption><tr><th>a<th>(S) b</tr><tr><td><p>1</p><p>2</p></td><td>3</td></table>
        <pre>line 1
line 2</pre><footer>page&nbsp;1</footer><template>x</template></body></html>"""
        assert told("a.html", text) == [
            ("header", "SECRET//NOFORN"),
            ("heading", "Heading"),
            ("paragraph", "(S) One bold & two\nSECRET\nthree"),
            ("paragraph", "bare text"),
            ("list", "one"),
            ("list", "(C) two"),
            ("table", "T"),
            ("table", "a\n(S) b"),
            ("table", "1\n2\n3"),
            ("paragraph", "line 1\nline 2"),
            ("footer", "page 1"),
        ]
        assert read("a.html", text).parts[0].title == "The title"

    @pytest.mark.parametrize(
        "text", ["<p>a<div>b", "<ul><li>a</ul></div></p>b", "<table><tr><td>a<td>b", "a<h1></h1><p>b", "<tr>a</tr>b"]
    )
    def test_what_is_not_closed_or_never_opened_loses_nothing(self, text):
        assert " ".join(text for _, text in told("a.html", text)).split() == ["a", "b"]

    def test_a_broken_script_hides_the_rest_and_says_so(self):
        assert why("a.html", "<script>var a = 1;") == "It holds no text."

    def test_items_that_are_never_closed_do_not_nest(self):
        text = "<ul>" + "<li>x" * 1000 + "</ul><h1>a<h2>b</h2><p>c"
        assert told("a.html", text)[999:] == [("list", "x"), ("heading", "a"), ("heading", "b"), ("paragraph", "c")]

    def test_depth(self):
        assert "inside each other" in why("a.html", "<ul>" + "<li>x<ul>" * 300)


class TestSniffing:
    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("a.exe", b"MZ", "Files of the kind '.exe' are not read."),
            ("a.pdf", b"hello", "Its name ends in '.pdf', but it holds text."),
            ("a.txt", b"%PDF-1.7\n", "Its name ends in '.txt', but it holds PDF."),
            ("a.docx", b"%PDF-1.7\n", "Its name ends in '.docx', but it holds PDF."),
            ("a.pdf", b"PK\x03\x04", "Its name ends in '.pdf', but it holds a ZIP archive."),
            ("a.xml", b"<html>", "Its name ends in '.xml', but it holds HTML."),
            ("a.md", b"PK\x03\x04xx", "Its name ends in '.md', but it holds a ZIP archive."),
            (
                "a.docx",
                bytes.fromhex("d0cf11e0a1b11ae1"),
                "It is an old or encrypted Office file; save it as DOCX, XLSX or PPTX without",
            ),
        ],
    )
    def test_name_and_content_must_agree(self, name, data, reason):
        assert why(name, data).startswith(reason)

    @pytest.mark.parametrize(
        ("name", "data", "media"),
        [
            ("README", b"text", "text/plain"),
            ("NOTES.TXT", b"<html>", "text/plain"),
            ("dir.d/x.Md", b"# x", "text/markdown"),
            ("C:\\docs\\a.HTM", b"<p>x", "text/html"),
            ("page", b"\xef\xbb\xbf <!-- c --> <!DOCTYPE HTML><p>x", "text/html"),
            ("a.xhtml", b'<?xml version="1.0"?><html><p>x', "text/html"),
        ],
    )
    def test_what_is_read_as_what(self, name, data, media):
        assert read(name, data).media == media
